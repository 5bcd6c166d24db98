"""HTTP/1.1 over kept connections, by hand: what calls to AWS need, strict about it, and no more."""

from __future__ import annotations

import math
import re
import select
import ssl
import time
from collections import deque
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from shared.adapters.aws.dialling import Connection, addresses_of
from shared.adapters.aws.trust import tls_context
from shared.errors import Unavailable

if TYPE_CHECKING:
    from shared.adapters.aws.chunks import Chunks

# A call inside one region takes milliseconds. These bound what a hanging peer can cost, not what is usual: a connection
# with its TLS, and an exchange over it, however slowly the peer talks.
CONNECT_TIMEOUT_S: Final = 1.0
READ_TIMEOUT_S: Final = 3.0
# A Lambda that slept keeps sockets that the other side has dropped without a word. One that was idle for longer is not
# used again (services close theirs after some 60 s); and from one that was kept the answer has to begin within this.
MOST_IDLE_S: Final = 20.0
KEPT_TIMEOUT_S: Final = 0.7

# AWS's heads have some 400 bytes. Its longest answer is 16 MB of items, as JSON.
MOST_HEAD: Final = 32_768
MOST_FIELDS: Final = 100
MOST_BODY: Final = 64 * 1024 * 1024
_AT_ONCE: Final = 65_536

_NAME: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]++"
_TEXT: Final = r"[\t -~\x80-\xff]*+"
_FIRST: Final = re.compile(r"[A-Z]+ [!-~]+ HTTP/1\.1")
_NAME_ALONE: Final = re.compile(_NAME)
_LENGTH: Final = b"accept-encoding: identity\r\ncontent-length: "
_NO_CONTROLS: Final = bytes([*b"\t", *range(0x20, 0x7F), *range(0x80, 0x100)])
_HEAD: Final = re.compile(rf"HTTP/1\.([01]) ([1-9][0-9]{{2}})(?: {_TEXT})?+\r\n((?:{_NAME}:{_TEXT}\r\n)*+)\r\n")
_FIELD: Final = re.compile(r"([^:]+):[\t ]*(.*?)[\t ]*\r\n")
_FRAMING: Final = re.compile(r"\n(content-length|transfer-encoding|connection):[\t ]*(.*?)[\t ]*(?=\r)")
_BEGINNING: Final = b"HTTP/1."
_END: Final = b"\r\n\r\n"
_BODILESS: Final = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_TO_THE_END: Final = -1  # of the connection
_TWO_IN_ONE: Final = "a request that can't be written as one"


class Response:
    """An answer. Its headers' names are in lower case, and what one of them says twice stands there with a comma."""

    __slots__ = ("_headers", "body", "status")

    def __init__(self, status: int, headers: Mapping[str, str] | str, body: bytes) -> None:
        """`headers` may be the lines that `_HEAD` takes for them: most are never looked at."""
        self.status, self._headers, self.body = status, headers, body

    @property
    def headers(self) -> Mapping[str, str]:
        if isinstance(self._headers, str):
            self._headers = _read(_FIELD, self._headers)
        return self._headers


class TransportError(Exception):
    """No usable answer: refused, reset, timed out. Whether the request took effect is not known."""


class Malformed(ValueError):
    """It is no HTTP/1.1 that can be an answer here, or longer than anything that AWS says."""


class Headers(dict[str, str]):
    """Headers of a request that are written already: `lines`, which are made of them unless whoever knows them has."""

    __slots__ = ("lines",)

    def __init__(self, headers: Mapping[str, str], lines: bytes | None = None) -> None:
        super().__init__(headers)
        self.lines = header_lines(headers) if lines is None else lines


def header_lines(headers: Mapping[str, str]) -> bytes:
    """As they go over the wire. Raises ValueError where one would pass for more than it is."""
    try:
        lines = "".join([f"{name}: {value}\r\n" for name, value in headers.items()]).encode("latin-1")
    except UnicodeEncodeError as exc:
        raise ValueError(_TWO_IN_ONE) from exc
    # No controls, and as many line ends as there are lines: none of them is two, or a part of one.
    is_plain = lines.translate(None, _NO_CONTROLS) == b"\r\n" * len(headers)
    if not is_plain or not all(map(_NAME_ALONE.fullmatch, headers)):
        raise ValueError(_TWO_IN_ONE)
    return lines


class Answer:
    """One answer out of bytes that come in whatever pieces, without I/O.

    `has_begun`: some of it is there. `is_last`: no other can follow on its connection. Interim answers are passed over.
    """

    response: Response

    def __init__(self, *, is_bodiless: bool = False) -> None:
        """`is_bodiless`: it answers HEAD, and ends with its head whatever that says."""
        self._head = b""  # as far as it has come
        self._heads = self._status = 0
        self._is_bodiless = is_bodiless
        self._body = bytearray()
        self._chunks: Chunks | None = None
        self.has_begun = self.is_last = False

    def feed(self, data: bytes) -> bool:
        """Take what has come: nothing, where the connection has ended. Whether the answer is whole.

        Raises Malformed, and ConnectionError where it is cut off.
        """
        if not data:
            return self._cut_off()
        self.has_begun = True
        while not self._status:
            rest = self._behind_head(self._head + data)
            if rest is None:
                return False
            self._head, data = b"", rest
        if self._chunks is not None:
            return self._take_chunks(self._chunks, data)
        length = self._body_length
        if not self._body and 0 <= length <= len(data):  # as good as always
            return self._whole(data[:length], len(data) - length)
        self._body += data
        if length == _TO_THE_END:
            if len(self._body) > MOST_BODY:
                raise Malformed("too long a body")
            return False
        return len(self._body) >= length and self._whole(bytes(self._body[:length]), len(self._body) - length)

    def _cut_off(self) -> bool:
        if self._status and self._chunks is None and self._body_length == _TO_THE_END:
            return self._whole(bytes(self._body), 0)
        raise ConnectionResetError("the peer hung up before its answer was whole")

    def _whole(self, body: bytes, over: int) -> bool:
        """`over`: bytes that nobody has asked for."""
        self.is_last = self.is_last or over > 0
        self.response = Response(self._status, self._headers, body)
        return True

    def _take_chunks(self, chunks: Chunks, data: bytes) -> bool:
        try:
            over = chunks.take(data)
        except ValueError as exc:
            raise Malformed(str(exc)) from exc
        return over is not None and self._whole(bytes(chunks.body), over)

    def _behind_head(self, data: bytes) -> bytes | None:
        """Read a head off, if it is there to its end: what is behind it. An interim one is dropped."""
        end = data.find(_END)
        if self._heads + (len(data) if end < 0 else end) > MOST_HEAD:
            raise Malformed("too long a head")
        if end < 0:
            if not data.startswith(_BEGINNING[: len(data)]):
                raise Malformed("no HTTP/1")
            self._head = data
            return None
        end += len(_END)
        head = data[:end].decode("latin-1")
        said = _HEAD.fullmatch(head)
        if said is None:
            raise Malformed("no head")
        status = int(said[2])
        if status >= HTTPStatus.OK:
            if said[3].count("\n") > MOST_FIELDS:
                raise Malformed("too many headers")
            self._status, self._headers = status, said[3]
            self._frame(_read(_FRAMING, head.lower()), is_old=said[1] == "0")
        elif status == HTTPStatus.SWITCHING_PROTOCOLS:
            raise Malformed("a switch of protocols")
        self._heads += end
        return data[end:]

    def _frame(self, headers: Mapping[str, str], *, is_old: bool) -> None:
        """How the body ends, and whether another answer can follow it on this connection."""
        length, coding = headers.get("content-length"), headers.get("transfer-encoding")
        if coding is not None and (coding != "chunked" or length is not None or is_old):
            raise Malformed("a body framed in an unknown way")
        size = _TO_THE_END if length is None else _size(length)
        if self._is_bodiless or self._status in _BODILESS:
            size = 0
        elif coding is not None:
            from shared.adapters.aws.chunks import Chunks  # noqa: PLC0415  # loaded by the first such answer

            self._chunks, size = Chunks(MOST_BODY), 0
        self._body_length = size
        self.is_last = is_old or size == _TO_THE_END or "close" in headers.get("connection", "")


def _read(fields: re.Pattern[str], lines: str) -> dict[str, str]:
    """The headers that the pattern finds."""
    headers: dict[str, str] = {}
    for name, value in fields.findall(lines):
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return headers


def _size(said: str) -> int:
    """Of a body, by its Content-Length, which may be there twice if it says the same."""
    one = said
    if not said.isdecimal():
        one, *others = map(str.strip, said.split(","))
        if not one.isdecimal() or any(other != one for other in others):
            raise Malformed("no length")
    if len(one) > len(str(MOST_BODY)) or int(one) > MOST_BODY:
        raise Malformed("too long a body")
    return int(one)


class Exchange:
    """A request on its way over a connection, and its answer on the way back, without waiting.

    `due` is when it has taken too long since it `began`, by the monotonic clock; `wants` are the events that it goes on
    with. `is_kept`: the connection was there before. `failed` is why it has come to nothing.
    """

    def __init__(self, connection: Connection, data: bytes, *, until: float, is_bodiless: bool = False) -> None:
        """`until`: when whoever waits for it goes on without it."""
        self._data = data
        self._sent = 0
        self._until = until
        self.connection = connection
        self.is_kept = connection.is_ready
        self.answer = Answer(is_bodiless=is_bodiless)
        self.wants = select.POLLOUT
        self.failed: Exception | None = None
        self.began = time.monotonic()
        self._begin(self.began)

    def _begin(self, now: float) -> None:
        """Its time counts from here: of a new connection only once that is there."""
        if not self.connection.is_ready:
            self.due = min(self._until, self.connection.due)
            return
        self.began = now
        self._until = min(self._until, now + READ_TIMEOUT_S)
        self.due = min(self._until, now + KEPT_TIMEOUT_S) if self.is_kept else self._until

    def advance(self) -> bool:
        """Do what can be done now. Whether it has come to its end: the answer is whole, or it has failed."""
        try:
            return self._step()
        except ssl.SSLWantReadError:
            self.wants = select.POLLIN
        except ssl.SSLWantWriteError:
            self.wants = select.POLLOUT
        except BlockingIOError:
            pass  # as before
        except (OSError, Malformed) as exc:
            self.failed = exc
        return self.failed is not None

    def expire(self) -> bool:
        """It is due. Whether that is its end: there may be another address to connect to."""
        try:
            if self.connection.is_ready or self.due >= self._until:
                raise TimeoutError("no answer")
            self.connection.expire()
        except OSError as exc:
            self.failed = exc
            return True
        self.wants = select.POLLOUT
        self.due = min(self._until, self.connection.due)
        return False

    @property
    def is_silent(self) -> bool:
        """Whether the peer has not said a word over a connection that was kept: it may be gone since long ago."""
        waited_s = time.monotonic() - self.began
        return self.is_kept and isinstance(self.failed, TimeoutError) and waited_s >= KEPT_TIMEOUT_S

    def _step(self) -> bool:
        if not self.connection.is_ready:
            self.wants = self.connection.advance()
            self._begin(time.monotonic())
            if self.wants:
                return False
        sock = self.connection.sock
        if self._sent < len(self._data):
            self._sent += sock.send(memoryview(self._data)[self._sent :] if self._sent else self._data)
            self.wants = select.POLLOUT if self._sent < len(self._data) else select.POLLIN
            return False
        while True:
            is_whole = self.answer.feed(sock.recv(_AT_ONCE))
            self.due = self._until  # it is there: the rest may take its time
            if is_whole or not (isinstance(sock, ssl.SSLSocket) and sock.pending()):
                return is_whole


class Underway:
    """Exchanges that go on side by side, on one thread."""

    def __init__(self) -> None:
        self._poller = select.poll()
        self._by_socket: dict[int, Exchange] = {}
        self._due = math.inf  # none is due before
        self.moved_at = time.monotonic()

    def add(self, exchange: Exchange) -> bool:
        """Set out with it, as far as that goes without waiting. False where it has come to its end at once."""
        if exchange.advance():
            return False
        self._watch(exchange)
        return True

    def wait(self, until: float) -> list[Exchange]:
        """Go on with whatever can, waiting until then at most: those that have come to their end.

        `moved_at` is when one of them was a step further: connected, answered to, or at its end. Dripping is none.
        """
        if not self._by_socket and until == math.inf:
            return []
        left = min(until, self._due) - time.monotonic()
        ended = [one for fd, _ in self._poller.poll(max(0.0, left * 1_000)) if (one := self._advanced(fd)) is not None]
        now = time.monotonic()
        if now >= self._due:
            ended += [one for fd, one in list(self._by_socket.items()) if self._is_over(fd, one, now)]
            self._due = min((one.due for one in self._by_socket.values()), default=math.inf)
        return ended

    def hasten(self, longest_s: float) -> None:
        """Whatever has been under way for that long is due."""
        now = time.monotonic()
        for one in self._by_socket.values():
            if now - one.began >= longest_s:
                one.due = self._due = now

    def _watch(self, exchange: Exchange) -> None:
        fd = exchange.connection.sock.fileno()
        self._by_socket[fd] = exchange
        self._poller.register(fd, exchange.wants)
        self._due = min(self._due, exchange.due)

    def _forget(self, fd: int) -> None:
        del self._by_socket[fd]
        self._poller.unregister(fd)

    def _advanced(self, fd: int) -> Exchange | None:
        """None while it goes on."""
        exchange = self._by_socket[fd]
        wants, is_ready = exchange.wants, exchange.connection.is_ready
        if not exchange.answer.has_begun:
            self.moved_at = time.monotonic()
        if exchange.advance():
            self._forget(fd)
            return exchange
        if wants != exchange.wants or not is_ready:  # until it is, its socket may be another one, too
            self._forget(fd)
            self._watch(exchange)
        return None

    def _is_over(self, fd: int, exchange: Exchange, now: float) -> bool:
        if exchange.due > now:
            return False
        is_over = exchange.expire()
        self._forget(fd)
        if not is_over:
            self._watch(exchange)
        return is_over


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
        self._tls = tls_context(parts.hostname) if parts.scheme == "https" else None
        self._address = parts.hostname, parts.port or (443 if self._tls else 80)
        self._check = check
        self._clocks = clocks
        self._idle: deque[Connection] = deque()

    def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes, *, until: float = math.inf
    ) -> Response:
        """Send one request and read its whole answer. `path` includes the endpoint's own. Raises TransportError.

        A kept connection that is closed under the request, or silent, is replaced once; where it was silent, so are all
        that were idle beside it, of every pool. The request may have been carried out before that, so callers send only
        what may be carried out twice: reads, and writes that recognise themselves. By the monotonic clock's `until` it
        is over, whatever the peer does.
        """
        data = self.written(method, path, headers, body)
        exchange = self.exchange(data, until=until, is_bodiless=method == "HEAD")
        try:
            return self.response(_waited_for(exchange))
        except TransportError:
            if not self.is_replaceable(exchange):
                raise
        exchange = self.exchange(data, until=until, is_bodiless=method == "HEAD", is_kept=False)
        return self.response(_waited_for(exchange))

    def exchange(self, data: bytes, *, until: float, is_bodiless: bool = False, is_kept: bool = True) -> Exchange:
        """One to go on with, over a connection that was kept, if there is one. Raises TransportError.

        Whoever takes it gives it back by `response`.
        """
        try:
            connection = (self._kept() if is_kept else None) or self._connect()
        except OSError as exc:
            raise self._error(exc) from exc
        return Exchange(connection, data, until=until, is_bodiless=is_bodiless)

    def response(self, exchange: Exchange) -> Response:
        """What an exchange has come to, its connection kept if it can be. Raises TransportError."""
        connection = exchange.connection
        if exchange.failed is not None:
            connection.close()
            if exchange.is_silent:
                _Sleep.noticed_at = self._clocks()[1] - (time.monotonic() - exchange.began)
                self._drop_stale()
            raise self._error(exchange.failed) from exchange.failed
        if exchange.answer.is_last:
            connection.close()
        else:
            connection.wall, connection.monotonic = self._clocks()
            self._idle.append(connection)
        return exchange.answer.response

    def is_replaceable(self, exchange: Exchange) -> bool:
        """Whether one that has failed goes out once more over a new connection: the kept one was the trouble."""
        return exchange.is_kept and not (isinstance(exchange.failed, TimeoutError) and not self._has_time())

    def _error(self, exc: Exception) -> TransportError:
        return TransportError(f"{self.host}: {type(exc).__name__}")

    def written(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
        """As it goes over the wire, in one piece. Raises ValueError where a part would pass for more than it is."""
        first = f"{method} {path} HTTP/1.1"
        if _FIRST.fullmatch(first) is None:
            raise ValueError(_TWO_IN_ONE)
        checked = headers if isinstance(headers, Headers) else Headers(headers)
        host = b"" if "host" in headers else header_lines({"host": self.host})
        return b"%b\r\n%b%b%b%d\r\n\r\n%b" % (first.encode(), checked.lines, host, _LENGTH, len(body), body)

    def _has_time(self) -> bool:
        try:
            self._check()
        except Unavailable:
            return False
        return True

    def _kept(self) -> Connection | None:
        """A kept connection that is still silent: input is the peer's goodbye, or would pass for the next answer."""
        while self._idle:
            try:
                kept = self._idle.pop()
            except IndexError:  # another thread took the last one
                break
            if not self._is_fresh(kept):  # and those below have been idle for longer
                kept.close()
                self._drop_idle()
            elif not _has_input(kept):
                return kept
            else:
                kept.close()
        return None

    def _is_fresh(self, kept: Connection) -> bool:
        wall, monotonic = self._clocks()
        is_recent = abs(wall - kept.wall) <= MOST_IDLE_S and monotonic - kept.monotonic <= MOST_IDLE_S
        return is_recent and kept.monotonic >= _Sleep.noticed_at

    def _drop_idle(self) -> None:
        while self._idle:
            try:
                self._idle.pop().close()
            except IndexError:  # as above
                break

    def _drop_stale(self) -> None:
        """Those that were idle while another one was silent: the ones used since then are at the other end."""
        while self._idle:
            try:
                oldest = self._idle.popleft()
            except IndexError:  # as above
                break
            if self._is_fresh(oldest):
                self._idle.appendleft(oldest)
                break
            oldest.close()

    def _connect(self) -> Connection:
        """One that is yet to be dialled. Raises OSError where the host's name stands for nothing."""
        host, port = self._address
        return Connection(addresses_of(host, port), host, self._tls, dialled_by=time.monotonic() + CONNECT_TIMEOUT_S)


def _waited_for(exchange: Exchange) -> Exchange:
    """The same, when it has come to its end."""
    while not exchange.advance():
        while True:
            left = exchange.due - time.monotonic()
            if left > 0 and _can_go_on(exchange, left * 1_000):
                break
            if exchange.expire():
                return exchange
    return exchange


def _can_go_on(exchange: Exchange, wait_ms: float) -> bool:
    """Whether it can within that time."""
    if exchange.wants == select.POLLIN and exchange.connection.is_ready:  # as good as always
        return _is_heard(exchange.connection, wait_ms)
    poller = select.poll()
    poller.register(exchange.connection.sock, exchange.wants)
    return bool(poller.poll(wait_ms))


def _has_input(connection: Connection) -> bool:
    sock = connection.sock
    if isinstance(sock, ssl.SSLSocket) and sock.pending():
        return True  # read from the socket and decrypted already
    return _is_heard(connection, 0)


def _is_heard(connection: Connection, wait_ms: float) -> bool:
    """Whether something comes in over one that is ready, or its peer hangs up, within that time."""
    if connection.reader is None:
        connection.reader = select.poll()
        connection.reader.register(connection.sock, select.POLLIN)
    return bool(connection.reader.poll(wait_ms))
