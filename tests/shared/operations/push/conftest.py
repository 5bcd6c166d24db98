"""A deployment of the test's own, from whose stream and queues pushes come."""

from __future__ import annotations

import pytest

from tests.shared.operations.push.harness import PushHarness


@pytest.fixture
def harness() -> PushHarness:
    return PushHarness()
