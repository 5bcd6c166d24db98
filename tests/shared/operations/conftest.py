"""A deployment of the test's own, with nothing in it."""

from __future__ import annotations

import pytest

from tests.shared.operations.conversation_harness import ChatHarness
from tests.stores import Simulated, simulated


@pytest.fixture
def harness() -> ChatHarness:
    return ChatHarness()


@pytest.fixture
def stores() -> Simulated:
    return simulated()
