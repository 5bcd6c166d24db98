"""A message function of the test's own."""

from __future__ import annotations

import pytest

from tests.functions.message.harness import MessageHarness


@pytest.fixture
def harness() -> MessageHarness:
    return MessageHarness()
