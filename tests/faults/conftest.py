"""Handlers read their environment when they are imported, so it is there before any test module is."""

from __future__ import annotations

import pytest

import tests.functions.environment  # noqa: F401
from tests.faults.beginning import new_harness
from tests.faults.harness import FaultHarness


@pytest.fixture
def harness() -> FaultHarness:
    return new_harness()
