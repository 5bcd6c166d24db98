"""Listeners on the loopback interface. hypercorn speaks HTTP/1.1 and HTTP/2; here is what no server does by itself.

Connections are counted, closed in order as a provider does with idle ones, and cut in the middle of a request.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.asyncio.worker_context import WorkerContext
from hypercorn.config import Config

from local.providers.exchange import Handler, Reply, Request, Silence

ADDRESS = "127.0.0.1"
# A client that keeps connections in a pool does not read the goodbye.
GOODBYE_SECONDS = 1.0
# More than any push may have; what comes beyond it is not kept, so that a mistake costs no memory.
BODY_LIMIT = 65_536
HTTP2 = "h2"
FOR_EVER = 10**9
STOP_SECONDS = 5.0

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass
class _Connection:
    """An open connection of a client, and how many requests came through it."""

    writer: StreamWriter
    is_http2: bool
    requests: int = 0

    def hang_up(self) -> None:
        """Close it, over HTTP/2 with a GOAWAY (RFC 9113, 6.8) that names the last request, as Apple does."""
        if self.is_http2:
            last = max(0, 2 * self.requests - 1)  # a client counts its streams 1, 3, 5 …
            self.writer.write(struct.pack("!xHBBLLL", 8, 7, 0, 0, last, 0))
        self.writer.close()


class _Reader:
    """What hypercorn reads a connection by. It tells the connection's context of the client's end.

    Else hypercorn keeps a connection that its client has closed until it would have been idle for too long.
    """

    def __init__(self, reader: StreamReader, context: WorkerContext) -> None:
        self._reader = reader
        self._context = context

    def at_eof(self) -> bool:
        return self._reader.at_eof()

    async def read(self, most: int) -> bytes:
        try:
            return await self._reader.read(most)
        finally:
            if self._reader.at_eof() or self._reader.exception():
                await self._context.terminated.set()


class Listener:
    """Accepts connections and has their requests answered by `handler`. To be used in one event loop."""

    def __init__(self, handler: Handler, tls: ssl.SSLContext | None = None, *, protocol: str = "http/1.1") -> None:
        """`tls` offers `protocol` and nothing else; like Apple's, an HTTP/2 server turns others away."""
        self._handler = handler
        self._tls = tls
        self._protocol = protocol
        if tls:
            tls.set_alpn_protocols([protocol])
        self._config = Config()
        self._config.keep_alive_timeout = self._config.keep_alive_max_requests = FOR_EVER
        self._server: asyncio.Server | None = None
        self._open: dict[tuple[str, int], _Connection] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.accepted = 0

    async def start(self, port: int) -> int:
        """Listen on the port, or on a free one for 0, and tell which. Raises OSError where it is taken."""
        goodbye = GOODBYE_SECONDS if self._tls else None
        self._server = await asyncio.start_server(
            self._accept, ADDRESS, port, ssl=self._tls, ssl_shutdown_timeout=goodbye
        )
        listening: int = self._server.sockets[0].getsockname()[1]
        return listening

    def hang_up(self) -> None:
        """End all connections in order; new ones are welcome."""
        for connection in self._open.values():
            connection.hang_up()

    async def stop(self) -> None:
        """Stop listening and cut all connections."""
        if self._server is not None:
            self._server.close()
        for connection in self._open.values():
            connection.writer.transport.abort()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=STOP_SECONDS)

    # -- connections --------------------------------------------------------------------------------------------------

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        self.accepted += 1
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        spoken = writer.get_extra_info("ssl_object").selected_alpn_protocol() if self._tls else None
        if self._protocol == HTTP2 and spoken != HTTP2:
            writer.close()
            return
        client = writer.get_extra_info("peername")
        self._open[client] = _Connection(writer, spoken == HTTP2)
        loop, context = asyncio.get_running_loop(), WorkerContext(None)
        try:
            await TCPServer(
                ASGIWrapper(self._answer), loop, self._config, context, {}, _Reader(reader, context), writer
            )
        except* OSError:  # it was cut in the middle of something
            pass
        finally:
            del self._open[client]
            writer.close()

    # -- requests -----------------------------------------------------------------------------------------------------

    async def _answer(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """The ASGI application."""
        if scope["type"] != "http" or (connection := self._open.get(tuple(scope["client"]))) is None:
            return
        if (scope["http_version"] == "2") is not connection.is_http2:  # hypercorn would go over to what it hears
            connection.writer.transport.abort()
            return
        connection.requests += 1
        body = await _read(receive)
        if body is None:
            return
        gone = asyncio.ensure_future(_until_gone(receive))
        handling = asyncio.ensure_future(self._handler(_request(scope, body)))
        try:
            await asyncio.wait({gone, handling}, return_when=asyncio.FIRST_COMPLETED)
            if not handling.done():
                return
            outcome = handling.result()
            if isinstance(outcome, Reply):
                await _send(outcome, send)
                return
            if outcome is Silence.DROP:
                connection.writer.transport.abort()
            await gone  # hypercorn would answer
        finally:
            gone.cancel()
            handling.cancel()


def _request(scope: dict[str, Any], body: bytes) -> Request:
    query = scope["query_string"]
    target = scope["raw_path"] + (b"?" + query if query else b"")
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"])
    return Request(scope["method"], target.decode("latin-1"), headers, body)


async def _read(receive: Receive) -> bytes | None:
    """The request's body; None once the client is gone."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message["body"][: BODY_LIMIT - len(body)]
        if not message["more_body"]:
            return bytes(body)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(reply: Reply, send: Send) -> None:
    headers = [*reply.headers.items(), ("content-length", str(len(reply.body)))]
    encoded = [(name.encode(), value.encode()) for name, value in headers]
    await send({"type": "http.response.start", "status": reply.status, "headers": encoded})
    await send({"type": "http.response.body", "body": reply.body})
