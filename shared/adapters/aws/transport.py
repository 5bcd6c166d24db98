"""HTTP/1.1 over kept connections: what a fan-out needs, and no more."""

from __future__ import annotations

import select
import ssl
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final
from urllib.parse import urlsplit

# A call inside one region takes milliseconds. These bound what a hanging peer can cost, not what is usual.
CONNECT_TIMEOUT_S: Final = 1.0
READ_TIMEOUT_S: Final = 3.0


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes


class TransportError(Exception):
    """No usable answer: refused, reset, timed out. Whether the request took effect is not known."""


@cache
def tls_context() -> ssl.SSLContext:
    """One context for all pools: loading the CA bundle takes about 11 ms, so it is done while initialising."""
    return ssl.create_default_context()


class Pool:
    """Connections to one endpoint, kept for the next call; as many at once as callers."""

    def __init__(self, endpoint_url: str) -> None:
        parts = urlsplit(endpoint_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"not an http(s) endpoint: {endpoint_url!r}")
        self.host = parts.netloc
        self.base_path = parts.path.rstrip("/")
        self._hostname, self._port = parts.hostname, parts.port
        self._tls = tls_context() if parts.scheme == "https" else None
        self._idle: deque[HTTPConnection] = deque()

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Send one request and read its whole answer. `path` includes the endpoint's own. Raises TransportError.

        A kept connection that the peer closes under the request is replaced once. The request may have been carried out
        before that, so callers send only what may be carried out twice: reads, and writes that recognise themselves.
        """
        connection = self._kept()
        if connection is None:
            return self._send(self._connect(), method, path, headers, body)
        try:
            return self._send(connection, method, path, headers, body)
        except TransportError as exc:
            if isinstance(exc.__cause__, TimeoutError):
                raise
            return self._send(self._connect(), method, path, headers, body)

    def _kept(self) -> HTTPConnection | None:
        """A kept connection that is still silent.

        Input that nobody asked for is the peer's goodbye, or would pass for the answer to the next request.
        """
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread took the last one
                break
            if not _has_input(connection):
                return connection
            connection.close()
        return None

    def _connect(self) -> HTTPConnection:
        if self._tls is not None:
            return HTTPSConnection(self._hostname, self._port, timeout=CONNECT_TIMEOUT_S, context=self._tls)
        return HTTPConnection(self._hostname, self._port, timeout=CONNECT_TIMEOUT_S)

    def _send(
        self, connection: HTTPConnection, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Response:
        try:
            if connection.sock is None:
                connection.connect()
                connection.sock.settimeout(READ_TIMEOUT_S)  # type: ignore[attr-defined]  # connect() has set it
            connection.request(method, path, body=body, headers=dict(headers))
            with connection.getresponse() as answer:  # which holds the socket too, whoever closes the connection
                response = Response(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        except (OSError, HTTPException) as exc:
            connection.close()
            raise TransportError(f"{method} {self.host}: {type(exc).__name__}") from exc
        if answer.will_close or answer.status < HTTPStatus.OK:  # behind an interim answer the real one follows
            connection.close()
        else:
            self._idle.append(connection)
        return response


def _has_input(connection: HTTPConnection) -> bool:
    sock = connection.sock
    if isinstance(sock, ssl.SSLSocket) and sock.pending():
        return True  # read from the socket and decrypted already
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    return bool(poller.poll(0))
