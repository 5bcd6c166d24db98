"""Posts to the team's endpoints: whoever names one can't reach what only we can reach, nor keep us waiting.

A name is looked up here, every address that it has is checked, and the connection goes to the one that was checked: a
name that leads elsewhere the next time gains nothing. No redirect is followed, and nothing of an answer is kept but its
status and when to come again.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import SplitResult, urlsplit

from shared.clock import SECOND_MS
from shared.domain.webhooks import MAX_RETRY_AFTER_MS, Accepted, Declined, PostResult

# A receiver takes what it is told and does the work later; Standard Webhooks advises 15 to 30 seconds at most.
TIMEOUT_S: Final = 10.0
_CONNECT_S: Final = 4.0
_ANSWER_BYTES: Final = 16_384
_HEADERS: Final = {"content-type": "application/json", "user-agent": "Parley-Webhooks/1"}
# IPv6 that carries an IPv4 address, which may be anyone's: translated, 6to4, Teredo, "compatible" and SIIT's. And what
# is nobody's though `is_global` does not know: site-local ones, and those of segment routing.
_REFUSED: Final = tuple(
    map(
        ipaddress.IPv6Network,
        (
            *("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96", "::ffff:0:0:0/96"),
            *("fec0::/10", "5f00::/16"),
        ),
    )
)


class PrivateAddressError(Exception):
    """The name leads to where an endpoint may not be."""


class HttpPoster:
    """A Poster over HTTP/1.1. It keeps its last connection: a conversation's events go to one endpoint."""

    def __init__(
        self,
        *,
        is_local: bool,
        now: Callable[[], int],
        timeout_s: float = TIMEOUT_S,
        tls: ssl.SSLContext | None = None,
        resolve: Callable[[str, int], list[str]] | None = None,
    ) -> None:
        """`is_local`: on a laptop, where the machine's own address is an endpoint's, too."""
        self._is_local = is_local
        self._now = now
        self._timeout_s = timeout_s
        self._tls = tls
        self._resolve = resolve or addresses_of
        self._kept: tuple[str, http.client.HTTPConnection] | None = None

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> PostResult:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        try:
            if self._kept is not None and self._kept[0] == origin:
                answered = self._on_kept(parts, headers, body)
                if answered is not None:
                    return answered
            self.close()
            self._kept = origin, self._connection(parts)
            return self._exchange(self._kept[1], parts, headers, body)
        except (OSError, http.client.HTTPException, PrivateAddressError, ValueError) as error:
            self.close()
            return Declined(_word(error))

    def close(self) -> None:
        """Close the connection that is kept, if any."""
        kept, self._kept = self._kept, None
        if kept is not None:
            kept[1].close()

    def _on_kept(self, parts: SplitResult, headers: Mapping[str, str], body: bytes) -> PostResult | None:
        """None where the other side has closed it meanwhile: it is posted again, over another one."""
        assert self._kept is not None  # noqa: S101  # for the type
        connection = self._kept[1]
        if connection.sock is None:
            return None
        try:
            return self._exchange(connection, parts, headers, body)
        except (ConnectionError, http.client.BadStatusLine):
            return None

    def _exchange(
        self, connection: http.client.HTTPConnection, parts: SplitResult, headers: Mapping[str, str], body: bytes
    ) -> PostResult:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        # A timeout is of each read alone: who drips an answer would be waited for as long as it likes.
        is_late = threading.Event()
        watch = threading.Timer(self._timeout_s, _hang_up, (connection, is_late))
        watch.daemon = True
        watch.start()
        try:
            connection.request("POST", path, body, {**_HEADERS, **headers})
            with connection.getresponse() as answer:
                rest = answer.read(_ANSWER_BYTES + 1)
                if answer.will_close or len(rest) > _ANSWER_BYTES:
                    connection.close()
        except (OSError, http.client.HTTPException) as error:
            if is_late.is_set():  # it was us who hung up: nothing to try another connection for
                raise TimeoutError from error
            raise
        finally:
            watch.cancel()
        if is_late.is_set():
            raise TimeoutError
        if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
            return Accepted()
        wait = _retry_after_ms(answer.headers.get("retry-after"), now=self._now())
        return Declined(str(answer.status), wait, is_gone=answer.status == HTTPStatus.GONE)

    def _connection(self, parts: SplitResult) -> http.client.HTTPConnection:
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        is_near = self._is_local and parts.scheme == "http"
        end = time.monotonic() + self._timeout_s
        addresses = _within(min(_CONNECT_S, self._timeout_s), lambda: self._resolve(host, port))
        if not addresses or not all(map(is_loopback if is_near else is_public, addresses)):
            raise PrivateAddressError
        if parts.scheme != "https":
            plain = http.client.HTTPConnection(host, port)
            plain.sock = _dialled(addresses, port, end)
            plain.sock.settimeout(self._timeout_s)
            return plain
        context = self._tls or ssl.create_default_context()
        self._tls = context
        connection = http.client.HTTPSConnection(host, port, context=context)
        dialled = _dialled(addresses, port, end)
        try:
            connection.sock = context.wrap_socket(dialled, server_hostname=host)
        except OSError:
            dialled.close()
            raise
        connection.sock.settimeout(self._timeout_s)
        return connection


def addresses_of(host: str, port: int) -> list[str]:
    """Every address of a name, IPv4 first: a function has no other way out."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in sorted(found, key=lambda one: one[0] != socket.AF_INET)]


def is_public(address: str) -> bool:
    """Whether anyone may reach it: no address of a private network, of the machine, of its credentials."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address) and (ip.ipv4_mapped or any(ip in refused for refused in _REFUSED)):
        return False
    return ip.is_global and not ip.is_multicast


def is_loopback(address: str) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def _within(timeout_s: float, resolve: Callable[[], list[str]]) -> list[str]:
    """What it finds. The system's resolver has no limit of its own: who is too late is left to itself.

    Raises whatever `resolve` raises, and gaierror where it takes longer.
    """
    found: list[list[str] | Exception] = []

    def look() -> None:
        try:
            found.append(resolve())
        except Exception as error:  # noqa: BLE001  # whatever it is, it is raised where it is waited for
            found.append(error)

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(timeout_s)
    outcome = found[0] if found else socket.gaierror("the name's addresses take too long")
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _dialled(addresses: list[str], port: int, end: float) -> socket.socket:
    """A connection to the first that takes one, until then at the latest."""
    error: OSError = TimeoutError()
    for address in addresses:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        try:
            return socket.create_connection((address, port), timeout=min(_CONNECT_S, left))
        except OSError as failed:
            error = failed
    raise error


def _hang_up(connection: http.client.HTTPConnection, is_late: threading.Event) -> None:
    is_late.set()
    sock = connection.sock
    if sock is not None:
        try:
            sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it was closed just now


def _word(error: Exception) -> str:
    """What an endpoint's health says of it, and logs may."""
    match error:
        case PrivateAddressError():
            return "private_address"
        case TimeoutError():
            return "timeout"
        case socket.gaierror() | UnicodeError():
            return "dns"
        case ssl.SSLError():
            return "tls"
        case ConnectionRefusedError():
            return "refused"
    return "no_answer"


def _retry_after_ms(value: str | None, *, now: int) -> int:
    """The header, in seconds or as an HTTP date, from `now` (ms), a day at most; 0 where there is none to be read."""
    if value is None:
        return 0
    text = value.strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:9]) * SECOND_MS, MAX_RETRY_AFTER_MS)
    try:
        at = parsedate_to_datetime(text).timestamp() * SECOND_MS
    except (ValueError, OverflowError):
        return 0
    return max(0, min(int(at) - now, MAX_RETRY_AFTER_MS))
