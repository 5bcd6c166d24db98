"""Many connections: opened all at once, counted, closed, and cut off without goodbye."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from http import HTTPStatus
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus
from websockets.protocol import State

from local.tokens import mint
from tests.e2e.raw_client import PATIENCE_S, RawClient
from tests.load.load_run import LoadRun

_LOOK_S = 0.05
_ATTEMPTS = 5  # a gateway gives up on a function that takes too long to start


async def dial(load_run: LoadRun, user_id: str, **options: Any) -> RawClient | None:
    """One connection, tried again after each fault of the server's. None, and a finding, where it is refused."""
    headers = {"Authorization": f"Bearer {mint(load_run.stack, user_id)}"}
    for _ in range(_ATTEMPTS):
        began = time.perf_counter()
        try:
            socket = await connect(
                load_run.stack.ws_url, additional_headers=headers, max_size=None, open_timeout=PATIENCE_S, **options
            )
        except InvalidStatus as refusal:
            status = refusal.response.status_code
            load_run.done[f"connect answered {status}"] += 1
            if status < HTTPStatus.INTERNAL_SERVER_ERROR:
                break
        else:
            load_run.took["connect"].append((time.perf_counter() - began) * 1_000)
            load_run.done["connect"] += 1
            return RawClient(socket)
    load_run.findings.append(f"{user_id} was not let in: {status}")
    return None


async def dial_all(load_run: LoadRun, users: Iterable[str], *, at_once: int) -> dict[str, list[RawClient]]:
    """All together, `at_once` handshakes at any time. A user that is named several times has as many connections."""
    wanted = list(users)
    room = asyncio.Semaphore(at_once)

    async def dial_one(user: str) -> RawClient | None:
        async with room:
            return await dial(load_run, user)

    clients = await asyncio.gather(*(dial_one(user) for user in wanted))
    opened: dict[str, list[RawClient]] = {user: [] for user in wanted}
    for user, client in zip(wanted, clients, strict=True):
        if client is not None:
            opened[user].append(client)
    return opened


def is_open(client: RawClient) -> bool:
    return client.socket.state is State.OPEN


def living(clients: Sequence[RawClient]) -> list[RawClient]:
    return [client for client in clients if is_open(client)]


async def cut(clients: Iterable[RawClient]) -> None:
    """All connections are cut: neither a close frame nor the end of the stream goes out, only a reset."""
    gone = list(clients)
    for client in gone:
        client.socket.transport.abort()
    await _ended(gone)


async def hang_up(clients: Iterable[RawClient]) -> None:
    gone = list(clients)
    await asyncio.gather(*(client.socket.close() for client in gone))
    await _ended(gone)


async def _ended(clients: Sequence[RawClient]) -> None:
    """Their readers' last words are of connections that ended, as they were to."""
    await asyncio.gather(*(client._reader for client in clients), return_exceptions=True)


async def eventually(condition: Callable[[], Awaitable[bool]]) -> bool:
    """Whether it comes true, for what no frame tells of."""
    deadline = time.monotonic() + PATIENCE_S
    while not await condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_LOOK_S)
    return True
