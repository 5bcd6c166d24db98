"""HTTP/1.1 for a proxy in the middle: whole requests in, whole answers out, over connections that are kept."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import Any, Final

import h11

_READ_SIZE: Final = 65_536
# They belong to one connection, or are made anew.
_OWN_HEADERS: Final = frozenset({b"connection", b"transfer-encoding", b"content-length", b"keep-alive"})

Headers = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Request:
    method: bytes
    target: bytes
    headers: Headers
    body: bytes

    def header(self, name: bytes) -> str:
        return next((value.decode("latin-1") for key, value in self.headers if key == name), "")

    def with_body(self, body: bytes) -> Request:
        return replace(self, body=body)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Headers
    body: bytes

    @property
    def raw(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} Whatever".encode()]
        lines += [b": ".join(header) for header in self.headers]
        lines += [b"content-length: %d" % len(self.body), b"", self.body]
        return b"\r\n".join(lines)


class Incoming:
    """Requests of one client connection."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._h11 = h11.Connection(h11.SERVER)

    async def next(self) -> Request | None:
        """The next request; None where the client has gone."""
        head = await _event(self._h11, self._reader)
        if not isinstance(head, h11.Request):
            return None
        body = await _body(self._h11, self._reader)
        # The answer is written as it comes from behind; here it only has to be over.
        self._h11.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
        self._h11.send(h11.EndOfMessage())
        if self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self._h11.start_next_cycle()
        return Request(head.method, head.target, _kept(head.headers), body)


class Onward:
    """One connection to the server behind, made when it is first needed and again whenever it has ended."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._h11 = h11.Connection(h11.CLIENT)

    async def exchange(self, request: Request) -> Answer:
        """What the server answers. It takes each request once: none is repeated here."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
            self._h11 = h11.Connection(h11.CLIENT)
        reader, writer = self._streams
        headers = [*request.headers, (b"content-length", b"%d" % len(request.body))]
        for event in (
            h11.Request(method=request.method, target=request.target, headers=headers),
            h11.Data(data=request.body),
            h11.EndOfMessage(),
        ):
            writer.write(self._h11.send(event) or b"")
        head = await _event(self._h11, reader)
        while isinstance(head, h11.InformationalResponse):
            head = await _event(self._h11, reader)
        if not isinstance(head, h11.Response):
            raise ConnectionResetError("the server has hung up")
        answer = Answer(head.status_code, _kept(head.headers), await _body(self._h11, reader))
        if self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self._h11.start_next_cycle()
        else:
            self.close()
        return answer

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


async def _event(connection: h11.Connection, reader: asyncio.StreamReader) -> Any:
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await reader.read(_READ_SIZE))
    return event


async def _body(connection: h11.Connection, reader: asyncio.StreamReader) -> bytes:
    parts = []
    while isinstance(event := await _event(connection, reader), h11.Data):
        parts.append(bytes(event.data))
    if not isinstance(event, h11.EndOfMessage):
        raise ConnectionResetError("the other side has hung up in the middle")
    return b"".join(parts)


def _kept(headers: Any) -> Headers:
    return tuple((bytes(name), bytes(value)) for name, value in headers if bytes(name) not in _OWN_HEADERS)
