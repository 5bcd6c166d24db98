"""A real HTTP server on a free loopback port that answers, hangs, lies and hangs up as a test tells it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import BinaryIO, Literal, Self

Then = Literal["keep", "close", "reset", "hang"]


@dataclass(frozen=True, slots=True)
class Received:
    """One request. `connection` counts from 0 in the order of connecting; header names are in lower case."""

    connection: int
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server writes, and what it does with the connection then.

    `slowly`: so many bytes at a time, with `pause_s` between them, for as long as anybody reads on.
    """

    data: bytes = b""
    then: Then = "keep"
    slowly: int = 0
    pause_s: float = 0.01


def reply(status: int = 200, body: bytes = b"{}", *, headers: str = "", then: Then = "keep") -> Reply:
    head = f"HTTP/1.1 {status} Whatever\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return Reply(head.encode() + body, then)


Script = Callable[[Received], Reply]


class ScriptedServer:
    """Every connection has its own thread; all of them have ended when `close` returns."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[Received] = []
        self.accepted = 0
        self._script = script
        self._tls = tls
        self._stop = threading.Event()
        self._changed = threading.Condition()
        self._ended = 0
        self._sockets: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://localhost:{self.port}"
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait_ended(self, count: int) -> None:
        """Until the server has closed `count` of its connections."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._ended >= count, timeout=10)

    def close(self) -> None:
        self._stop.set()
        for one in (self._listener, *self._sockets):
            with contextlib.suppress(OSError):  # it is closed already
                one.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(accepted, self.accepted))
            self._sockets.append(accepted)
            self._threads.append(thread)
            self.accepted += 1
            thread.start()

    def _serve(self, accepted: socket.socket, connection: int) -> None:
        with accepted, contextlib.suppress(OSError):
            if self._stop.is_set():
                return
            if self._tls is None:
                self._talk(accepted, connection)
            else:
                with self._tls.wrap_socket(accepted, server_side=True) as wrapped:
                    self._sockets.append(wrapped)
                    self._talk(wrapped, connection)
        with self._changed:
            self._ended += 1
            self._changed.notify_all()

    def _talk(self, peer: socket.socket, connection: int) -> None:
        with peer.makefile("rb") as stream:
            while (request := _read(stream, connection)) is not None:
                self.received.append(request)
                answer = self._script(request)
                self._write(peer, answer)
                if answer.then == "hang":
                    self._stop.wait()
                if answer.then == "reset":  # closing with a zero linger time sends RST instead of FIN
                    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                if answer.then != "keep":
                    return

    def _write(self, peer: socket.socket, answer: Reply) -> None:
        if not answer.slowly:
            peer.sendall(answer.data)
            return
        for start in range(0, len(answer.data), answer.slowly):
            if start and self._stop.wait(answer.pause_s):
                return
            peer.sendall(answer.data[start : start + answer.slowly])


def _read(stream: BinaryIO, connection: int) -> Received | None:
    line = stream.readline()
    if not line:
        return None
    method, path, _ = line.decode().split(" ")
    headers: dict[str, str] = {}
    while (line := stream.readline().rstrip(b"\r\n")) != b"":
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", "0")))
    return Received(connection, method, path, headers, body)
