"""The server's CPU of one message, beside Centrifugo, where its program is to be had.

    CENTRIFUGO=/path/to/centrifugo .venv/bin/python -m benchmarks.centrifugo

`make bench RIVALS=1` builds it, with Go. A subscriber publishes over its WebSocket, and all subscribers get it.
Centrifugo is one process that holds the connections itself, and keeps a hundred messages in memory; Parley's functions
store each message in DynamoDB and hand it to the gateway, which holds the connections: what both of those spend is not
in the figures, but on AWS's bill (docs/costs.md).
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

from benchmarks import handlers
from benchmarks.quota import IS_POSSIBLE, spent_s
from benchmarks.rows import OURS, Row, rows_of, table
from local.ports import free_port

SUITE: Final = "The server's CPU of a message"
SUBSCRIBERS: Final = {2: "a private message", 30: "group message"}
"""How many there are, and Parley's own row of that."""
_MESSAGES: Final = 300
_BUILT: Final = Path(__file__).resolve().parents[1] / ".tools" / "rivals" / "centrifugo"
_TRIES: Final = 200


def program() -> str | None:
    """Where it is: as the environment says, as `make bench RIVALS=1` has built it, or on the path."""
    given = os.environ.get("CENTRIFUGO") or (str(_BUILT) if _BUILT.is_file() else "centrifugo")
    return shutil.which(given) if IS_POSSIBLE else None


@contextmanager
def _running(path: str) -> Iterator[tuple[int, int]]:
    """Its process and its port."""
    port = free_port()
    allowed = {"allow_subscribe_for_client": True, "allow_publish_for_client": True}
    settings = {
        "http_server": {"address": "127.0.0.1", "port": port},
        "client": {"insecure": True, "allowed_origins": ["*"]},
        "channel": {"without_namespace": {**allowed, "history_size": 100, "history_ttl": "300s"}},
        "log": {"level": "none"},
    }
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.json"
        config.write_text(json.dumps(settings), encoding="utf-8")
        with subprocess.Popen(
            [path, "-c", str(config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as server:
            try:
                yield server.pid, port
            finally:
                server.terminate()


async def _subscribed(port: int, stack: AsyncExitStack) -> Any:
    from websockets.asyncio.client import connect

    for _ in range(_TRIES):
        try:
            socket = await stack.enter_async_context(connect(f"ws://127.0.0.1:{port}/connection/websocket"))
            break
        except OSError:
            await asyncio.sleep(0.05)  # it is starting
    else:
        raise SystemExit("Centrifugo does not start")
    await socket.send('{"id":1,"connect":{}}\n{"id":2,"subscribe":{"channel":"chat"}}')
    seen = 0
    while seen < 2:  # noqa: PLR2004  # the replies to both
        seen += sum('"id"' in line for line in str(await socket.recv()).splitlines())
    return socket


async def _published(socket: Any, messages: int) -> None:
    for number in range(messages):
        data = {"content": "See you at eight?", "client_message_id": f"m{number}"}
        await socket.send(json.dumps({"id": 3 + number, "publish": {"channel": "chat", "data": data}}))


async def _got(socket: Any, messages: int) -> None:
    while messages > 0:
        messages -= str(await socket.recv()).count('"pub"')


async def _rounds(pid: int, port: int, subscribers: int, rounds: int) -> list[float]:
    """Milliseconds of CPU a message, one after the other."""
    found = []
    async with AsyncExitStack() as stack:
        sockets = [await _subscribed(port, stack) for _ in range(subscribers)]
        for number in range(rounds + 1):
            before = spent_s(pid)
            for _ in range(_MESSAGES):
                await _published(sockets[0], 1)
                await asyncio.gather(*(_got(socket, 1) for socket in sockets))
            if number:
                found.append((spent_s(pid) - before) / _MESSAGES * 1e3)
    return found


def rows(rounds: int, ours: list[Row]) -> list[Row]:
    """`ours` are the rows of `benchmarks.handlers`. None where there is no Centrifugo."""
    path = program()
    if path is None:
        return []
    found: list[Row] = []
    with _running(path) as (pid, port):
        for subscribers, what in SUBSCRIBERS.items():
            parley = next(row.value for row in ours if row.what == what and row.subject == OURS)
            theirs = asyncio.run(_rounds(pid, port, subscribers, rounds))
            shown = f"to {subscribers} users"
            found += rows_of(SUITE, shown, "ms CPU", {OURS: [parley] * rounds, "Centrifugo": theirs})
    return found


def main() -> None:
    found = rows(5, handlers.rows(5))
    print("\n".join(table(found)) if found else "there is no Centrifugo: CENTRIFUGO says where it is")


if __name__ == "__main__":
    main()
