"""Signed HTTP/1.1 over kept connections, many calls at once: what a fan-out needs, and no more."""

from __future__ import annotations

import concurrent.futures
import hmac
import select
import ssl
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final, TypeVar
from urllib.parse import quote, urlsplit

from shared.adapters.aws.trust import tls_context
from shared.config import AwsEnvironment
from shared.errors import Unavailable

# A call inside one region takes milliseconds. These bound what a hanging peer can cost, not what is usual.
CONNECT_TIMEOUT_S: Final = 1.0
READ_TIMEOUT_S: Final = 3.0
# A Lambda that slept keeps sockets that the other side has dropped without a word. One that was idle for longer is not
# used again (services close theirs after some 60 s); and from one that was kept the answer has to begin within this.
MOST_IDLE_S: Final = 20.0
KEPT_TIMEOUT_S: Final = 0.7


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes


class TransportError(Exception):
    """No usable answer: refused, reset, timed out. Whether the request took effect is not known."""


def both_clocks() -> tuple[float, float]:
    """The wall clock, and the monotonic one, which may stand still while a Lambda is frozen. In seconds."""
    return time.time(), time.monotonic()


class _Sleep:
    """When (monotonic) a kept connection was silent: what was idle then, of any pool, is not to be trusted."""

    noticed_at = float("-inf")


class Pool:
    """Connections to one endpoint, kept for the next call; as many at once as callers."""

    def __init__(
        self,
        endpoint_url: str,
        *,
        check: Callable[[], None] = lambda: None,
        clocks: Callable[[], tuple[float, float]] = both_clocks,
    ) -> None:
        """`check` raises Unavailable where the caller's time is over: then a silent connection is not replaced."""
        parts = urlsplit(endpoint_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"not an http(s) endpoint: {endpoint_url!r}")
        self.host = parts.netloc
        self.base_path = parts.path.rstrip("/")
        self._hostname, self._port = parts.hostname, parts.port
        self._tls = tls_context(parts.hostname) if parts.scheme == "https" else None
        self._check = check
        self._clocks = clocks
        self._idle: deque[_Kept] = deque()

    def request(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Send one request and read its whole answer. `path` includes the endpoint's own. Raises TransportError.

        A kept connection that is closed under the request, or silent, is replaced once; where it was silent, so are all
        that were idle beside it, of every pool. The request may have been carried out before that, so callers send only
        what may be carried out twice: reads, and writes that recognise themselves.
        """
        connection = self._kept()
        if connection is None:
            return self._send(self._connect(), method, path, headers, body)
        try:
            return self._send(connection, method, path, headers, body)
        except TransportError as exc:
            if isinstance(exc.__cause__, TimeoutError):
                _Sleep.noticed_at = self._clocks()[1] - KEPT_TIMEOUT_S
                self._drop_idle()
                if not self._has_time():
                    raise
        return self._send(self._connect(), method, path, headers, body)

    def _has_time(self) -> bool:
        try:
            self._check()
        except Unavailable:
            return False
        return True

    def _kept(self) -> HTTPConnection | None:
        """A kept connection that is still silent: input is the peer's goodbye, or would pass for the next answer."""
        while self._idle:
            try:
                kept = self._idle.pop()
            except IndexError:  # another thread took the last one
                break
            if not self._is_fresh(kept):  # and those below have been idle for longer
                kept.close()
                self._drop_idle()
            elif not _has_input(kept.connection):
                return kept.connection
            else:
                kept.close()
        return None

    def _is_fresh(self, kept: _Kept) -> bool:
        wall, monotonic = self._clocks()
        is_recent = abs(wall - kept.wall) <= MOST_IDLE_S and monotonic - kept.monotonic <= MOST_IDLE_S
        return is_recent and kept.monotonic >= _Sleep.noticed_at

    def _drop_idle(self) -> None:
        while self._idle:
            try:
                self._idle.pop().close()
            except IndexError:  # as above
                break

    def _connect(self) -> HTTPConnection:
        if self._tls is not None:
            return HTTPSConnection(self._hostname, self._port, timeout=CONNECT_TIMEOUT_S, context=self._tls)
        return HTTPConnection(self._hostname, self._port, timeout=CONNECT_TIMEOUT_S)

    def _send(
        self, connection: HTTPConnection, method: str, path: str, headers: Mapping[str, str], body: bytes
    ) -> Response:
        is_kept = connection.sock is not None
        try:
            if not is_kept:
                connection.connect()
            connection.sock.settimeout(KEPT_TIMEOUT_S if is_kept else READ_TIMEOUT_S)
            connection.request(method, path, body=body, headers=dict(headers))
            with connection.getresponse() as answer:  # which holds the socket too, whoever closes the connection
                if is_kept and connection.sock is not None:
                    connection.sock.settimeout(READ_TIMEOUT_S)  # it is there: the rest may take its time
                response = Response(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        except (OSError, HTTPException) as exc:
            connection.close()
            raise TransportError(f"{method} {self.host}: {type(exc).__name__}") from exc
        if answer.will_close or answer.status < HTTPStatus.OK:  # behind an interim answer the real one follows
            connection.close()
        else:
            self._idle.append(_Kept(connection, *self._clocks()))
        return response


class _Kept:
    """A connection that is not in use, and since when, by both clocks."""

    __slots__ = ("connection", "monotonic", "wall")

    def __init__(self, connection: HTTPConnection, wall: float, monotonic: float) -> None:
        self.connection, self.wall, self.monotonic = connection, wall, monotonic

    def close(self) -> None:
        self.connection.close()


def _has_input(connection: HTTPConnection) -> bool:
    sock = connection.sock
    if isinstance(sock, ssl.SSLSocket) and sock.pending():
        return True  # read from the socket and decrypted already
    poller = select.poll()
    poller.register(sock, select.POLLIN)
    return bool(poller.poll(0))


_ALGORITHM: Final = "AWS4-HMAC-SHA256"


class Signer:
    """Signature Version 4 of one service in one region, with one set of credentials, as the Lambda runtime gives them.

    Importing botocore costs several times what the rest of a function's start does, and each of its calls about four
    times the CPU of this (docs/adr/0005-transport.md); a test holds every signature to botocore's own.
    """

    def __init__(self, *, service: str, region: str, access_key: str, secret_key: str, session_token: str = "") -> None:
        self._service = service
        self._region = region
        self._access_key = access_key
        self._secret_key = secret_key
        self._session_token = session_token
        self._key_of_day = ("", b"")

    def sign(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, *, timestamp: str
    ) -> dict[str, str]:
        """The headers to send: those given (`host` among them) plus date, token and signature.

        `path` is as it goes over the wire, escaped once, and has no query. `timestamp` is UTC, `YYYYMMDDTHHMMSSZ`.
        """
        signed = {name.lower(): value for name, value in headers.items()}
        signed["x-amz-date"] = timestamp
        if self._session_token:
            signed["x-amz-security-token"] = self._session_token
        names = sorted(signed)
        request = (
            method,
            quote(path, safe="/-_.~"),  # the escaped once more, as all services but S3 want it
            "",
            *(f"{name}:{' '.join(signed[name].split())}" for name in names),
            "",
            ";".join(names),
            sha256(body).hexdigest(),
        )
        scope = f"{timestamp[:8]}/{self._region}/{self._service}/aws4_request"
        digest = sha256("\n".join(request).encode()).hexdigest()
        text = f"{_ALGORITHM}\n{timestamp}\n{scope}\n{digest}"
        signature = hmac.new(self._key(timestamp[:8]), text.encode(), sha256).hexdigest()
        credential = f"Credential={self._access_key}/{scope}"
        signed["authorization"] = f"{_ALGORITHM} {credential}, SignedHeaders={';'.join(names)}, Signature={signature}"
        return signed

    def _key(self, day: str) -> bytes:
        """The signing key holds for a day, and takes four of the five digests of a signature."""
        if self._key_of_day[0] != day:
            key = f"AWS4{self._secret_key}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = hmac.new(key, part.encode(), sha256).digest()
            self._key_of_day = (day, key)
        return self._key_of_day[1]


def signer_for(service: str, environment: AwsEnvironment) -> Signer:
    """Signs with what the runtime provides."""
    return Signer(
        service=service,
        region=environment.region,
        access_key=environment.access_key,
        secret_key=environment.secret_key,
        session_token=environment.session_token,
    )


T = TypeVar("T")
R = TypeVar("R")


class ThreadedMap:
    """Runs a function over many items, up to `width` at a time, on threads that start when needed, and are kept."""

    def __init__(self, width: int) -> None:
        self._threads = concurrent.futures.ThreadPoolExecutor(width)  # loaded where it is used

    def __call__(self, function: Callable[[T], R], items: Iterable[T], /) -> Iterable[R]:
        everything = list(items)
        if len(everything) == 1:  # the usual case by far: one recipient, one device
            return [function(everything[0])]
        return list(self._threads.map(function, everything))
