from collections.abc import Iterator
from pathlib import Path

import pytest

from local import ports, server
from local.providers.serving import Providers
from local.settings import ROOT, Settings
from tests.watchdog import watchdog

__all__ = ["watchdog"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A stack of its own below a temporary folder, on a port without a listener."""
    return Settings(home=tmp_path / "home", port=4600, root=ROOT)


@pytest.fixture
def emulator(tmp_path: Path, watchdog: None) -> Iterator[Settings]:
    """A running emulator of its own."""
    settings = Settings(home=tmp_path / "home", port=ports.free_port(), root=ROOT)
    server.start(settings)
    yield settings
    server.stop(settings)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Providers]:
    with Providers(tmp_path_factory.mktemp("providers")) as providers:
        yield providers


@pytest.fixture(name="server")
def quiet_server(running: Providers) -> Providers:
    """Push servers that have received nothing and behave."""
    running.behave_well()
    running.clear()
    return running
