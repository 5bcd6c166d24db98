"""Handlers read their environment when they are imported, so it is there before any test module is."""

from __future__ import annotations

import pytest

import tests.functions.environment  # noqa: F401
from tests.bad_input.harness import InputHarness


@pytest.fixture
def harness() -> InputHarness:
    return InputHarness()
