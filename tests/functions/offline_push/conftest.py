"""The providers' local servers, which speak the real protocols."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local.providers.serving import Providers


@pytest.fixture(scope="session")
def _servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Providers]:
    with Providers(tmp_path_factory.mktemp("providers")) as providers:
        yield providers


@pytest.fixture
def providers(_servers: Providers) -> Iterator[Providers]:
    """They behave well, and remember nothing of the tests before."""
    _servers.clear()
    yield _servers
    _servers.behave_well()
