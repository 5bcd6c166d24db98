"""The far end of a connection to a service, in memory: bytes in, bytes out, in pieces as a network makes them.

What is above the socket is the real transport. The pieces and the framing follow from the request, so a history that is
played again is the same one.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast
from urllib.parse import unquote
from zlib import crc32

from shared.adapters.aws.calls import A, SideBySide
from shared.adapters.aws.dialling import Connection
from shared.adapters.aws.transport import Exchange, Pool, Response, TransportError

Answered = Callable[[str, str, bytes], int]
"""The status of a request: its method, its path's last part, and its body. Raises TransportError where it is lost."""


class Wire:
    """A socket that never blocks, as far as an exchange needs one."""

    def __init__(self, answered: Answered, seed: int) -> None:
        self._answered = answered
        self._random = random.Random(seed)  # no secret
        self._received = b""
        self._said = b""
        self.is_last = False

    def send(self, data: bytes | memoryview) -> int:
        taken = self._random.randint(1, len(data))
        self._received += bytes(data[:taken])
        head, found, body = self._received.partition(b"\r\n\r\n")
        if found and len(body) == _length(head):
            method, path, version = head.decode().split("\r\n")[0].split(" ")
            assert version == "HTTP/1.1"
            self._said = self._answer(method, path, body)
        elif self._random.random() < 0.5:
            self._received = self._received[:-taken]
            raise BlockingIOError
        return taken

    def recv(self, most: int) -> bytes:
        if self._random.random() < 0.3:
            raise BlockingIOError
        count = min(most, self._random.choice((1, 7, len(self._said))))
        data, self._said = self._said[:count], self._said[count:]
        return data

    def close(self) -> None:
        self._said = b""

    def _answer(self, method: str, path: str, body: bytes) -> bytes:
        try:
            status = self._answered(method, unquote(path.rpartition("/")[2]), body)
        except TransportError as lost:
            raise ConnectionResetError from lost
        said = b'{"message":"as asked"}' if status not in {200, 204} else b""
        first = b"HTTP/1.1 %d Said\r\nx-amzn-RequestId: 1\r\n" % status
        if self._random.random() < 0.2:
            first = b"HTTP/1.1 100 Continue\r\n\r\n" + first
        if status == 204:
            return first + b"\r\n"
        if self._random.random() < 0.3:
            chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (said[:5], said[5:]) if part)
            return first + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
        return first + b"Content-Length: %d\r\n\r\n%b" % (len(said), said)


def _length(head: bytes) -> int:
    return int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])


class Spoken(Pool):
    """A pool whose requests are answered by a function, over connections that count as kept."""

    def __init__(self, endpoint_url: str, answered: Answered) -> None:
        super().__init__(endpoint_url)
        self._answered = answered

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, *, until: float = float("inf")
    ) -> Response:
        connection = Connection((), "", None, dialled_by=0.0)
        connection.sock, connection.is_ready = cast("Any", Wire(self._answered, crc32(path.encode() + body))), True
        exchange = Exchange(connection, self.written(method, path, headers, body), until=until)
        while not exchange.advance():
            pass
        response = self.response(exchange)
        self._idle.clear()
        return response


def in_turn(side_by_side: SideBySide[A], many: Sequence[A]) -> None:
    """Stands for `SideBySide.run` where `Pool.request` is not the real one: as many requests, one after the other."""
    for one in many:
        again: int | None = 0
        while again is not None:
            head, _, body = side_by_side._write(one).partition(b"\r\n\r\n")
            first, *lines = head.decode("latin-1").split("\r\n")
            method, path, _ = first.split(" ")
            headers = dict(line.split(": ", 1) for line in lines)
            try:
                again = one.after(side_by_side._pool.request(method, path, headers, body))
            except TransportError as lost:
                again = one.without(lost)
