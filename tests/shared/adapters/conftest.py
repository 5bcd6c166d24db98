"""Nothing that a test opens outlives it: pools and clients keep connections, spreaders keep threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from shared.adapters.aws import transport
from shared.adapters.aws.sdk import _session
from shared.adapters.aws.threads import ThreadedMap
from shared.adapters.aws.transport import Pool
from tests.shared.adapters.aws.servers import Script, ScriptedServer

Serve = Callable[[Script], ScriptedServer]


@pytest.fixture(autouse=True)
def _close_pools(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    pools: list[Pool] = []
    make = Pool.__init__

    def remember(self: Pool, *arguments: Any, **keywords: Any) -> None:
        make(self, *arguments, **keywords)
        pools.append(self)

    monkeypatch.setattr(Pool, "__init__", remember)
    yield
    for pool in pools:
        while pool._idle:
            pool._idle.pop().close()


@pytest.fixture(autouse=True)
def _busy_machines_answer_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what tells of silent sockets counts on how soon a server answers."""
    monkeypatch.setattr(transport, "KEPT_TIMEOUT_S", transport.READ_TIMEOUT_S)


@pytest.fixture(autouse=True)
def _close_clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    made: list[Any] = []
    session = _session()
    make = session.client

    def remember(*arguments: Any, **keywords: Any) -> Any:
        made.append(make(*arguments, **keywords))
        return made[-1]

    monkeypatch.setattr(session, "client", remember)
    yield
    for client in made:
        client.close()


@pytest.fixture(autouse=True)
def _end_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    spreaders: list[ThreadedMap] = []
    make = ThreadedMap.__init__

    def remember(self: ThreadedMap, width: int) -> None:
        make(self, width)
        spreaders.append(self)

    monkeypatch.setattr(ThreadedMap, "__init__", remember)
    yield
    for parallel_map in spreaders:
        parallel_map._threads.shutdown()


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Starts a server that answers by the given script."""
    servers: list[ScriptedServer] = []

    def start(script: Script) -> ScriptedServer:
        servers.append(ScriptedServer(script))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
