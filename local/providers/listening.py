"""Listeners on the loopback interface, and the connections that they have open."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import Callable
from typing import Protocol

ADDRESS = "127.0.0.1"
# A client that keeps connections in a pool does not read the goodbye.
GOODBYE_SECONDS = 1.0


class Connection(Protocol):
    """One connection, in whichever protocol."""

    async def run(self) -> None:
        """Serve it until it ends."""
        ...

    def hang_up(self) -> None:
        """End it in order, as a server does that has waited long enough."""
        ...


Connect = Callable[[StreamReader, StreamWriter], Connection]


class Listener:
    """Accepts connections and counts them. To be used in one event loop."""

    def __init__(self, connect: Connect, tls: ssl.SSLContext | None = None) -> None:
        self._connect = connect
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._open: dict[asyncio.Task[None], tuple[Connection, StreamWriter]] = {}
        self.accepted = 0

    async def start(self, port: int) -> int:
        """Listen on the port, or on a free one for 0, and tell which. Raises OSError where it is taken."""
        goodbye = GOODBYE_SECONDS if self._tls else None
        self._server = await asyncio.start_server(
            self._accept, ADDRESS, port, ssl=self._tls, ssl_shutdown_timeout=goodbye
        )
        listening: int = self._server.sockets[0].getsockname()[1]
        return listening

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        self.accepted += 1
        connection = self._connect(reader, writer)
        task = asyncio.get_running_loop().create_task(_serve(connection, writer))
        self._open[task] = (connection, writer)
        task.add_done_callback(self._open.pop)

    def hang_up(self) -> None:
        """End all connections in order; new ones are welcome."""
        for connection, _ in self._open.values():
            connection.hang_up()

    async def stop(self) -> None:
        """Stop listening and cut all connections."""
        if self._server is not None:
            self._server.close()
        tasks = list(self._open)
        for _, writer in self._open.values():
            writer.transport.abort()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _serve(connection: Connection, writer: StreamWriter) -> None:
    try:
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await connection.run()
    finally:
        writer.close()
