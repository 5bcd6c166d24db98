"""An HTTP API of the test's own."""

from __future__ import annotations

import pytest

from tests.functions.rest.harness import RestHarness, settled


@pytest.fixture
def harness() -> RestHarness:
    return settled()
