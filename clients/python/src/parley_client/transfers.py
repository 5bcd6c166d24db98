"""Bytes to and from the storage: a form, or a link, that says all there is to say. No token ever goes there.

They block, and run in threads (see `background.py`).
"""

from __future__ import annotations

import http.client
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, Final
from urllib.parse import urlsplit

from parley_client.background import Transfer
from parley_client.errors import ParleyError
from parley_client.rest import NoRedirects, is_loopback
from parley_client.sources import CHUNK, Form, Source, chunks

_SILENCE_S: Final = 60.0  # without a byte, either way
_CODE: Final = re.compile(rb"<Code>([A-Za-z.]{1,64})</Code>")
_MAX_ERROR: Final = 16_384
# What the storage says → the code, and whether the same again may go through.
_REFUSALS: Final = {
    "EntityTooLarge": ("too_large", False),
    "EntityTooSmall": ("bad_request", False),
    "NoSuchKey": ("not_found", False),
    "RequestTimeout": ("unreachable", True),
    "SlowDown": ("unavailable", True),
}
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_FAULT: Final = 500


def send(url: str, form: Form, source: Source, transfer: Transfer) -> None:
    """POST the form with the bytes in it. Raises ParleyError."""
    headers = {"Content-Type": form.content_type, "Content-Length": str(form.length(source.size))}
    request = urllib.request.Request(url, _body(form, source, transfer), headers, method="POST")  # noqa: S310  # see check_storage_url
    with _Answer(request, transfer):
        transfer.moved(source.size, source.size)


def fetch(url: str, to: BinaryIO, size: int | None, transfer: Transfer) -> None:
    """GET the bytes, `size` of them where that is known. Raises ParleyError, and OSError of the file."""
    with _Answer(urllib.request.Request(url), transfer) as response:  # noqa: S310  # see check_storage_url
        stated = response.headers.get("Content-Length", "")
        total = size if size is not None else int(stated) if stated.isdecimal() else None
        done = 0
        transfer.moved(done, total or done)
        while chunk := _read(response, transfer):
            done += len(chunk)
            if total is not None and done > total:
                break
            to.write(chunk)
            transfer.moved(done, total or done)
    if total is not None and done != total:
        raise ParleyError("unreachable", "What came is not as long as the file", retryable=True)


def check_storage_url(url: str, *, secure: bool) -> str:
    """Raises ParleyError for what no storage has as its address; with `secure` it has to be HTTPS."""
    if urlsplit(url).scheme not in (("https",) if secure else ("http", "https")):
        raise ParleyError("internal", "The server gave an address that is none of a storage")
    return url


def _body(form: Form, source: Source, transfer: Transfer) -> Iterator[bytes]:
    transfer.moved(0, source.size)
    yield form.before
    sent = 0
    for chunk in chunks(source):
        yield chunk
        sent += len(chunk)
        if sent < source.size:  # all of it counts as sent once the storage says so
            transfer.moved(sent, source.size)
    yield form.after


def _read(response: http.client.HTTPResponse, transfer: Transfer) -> bytes:
    try:
        return response.read1(CHUNK)
    except (OSError, http.client.HTTPException) as exc:
        transfer.check()
        raise _unreachable(exc) from None


@dataclass(slots=True)
class _Answer:
    """The storage's answer to a request, where that is not a refusal."""

    request: urllib.request.Request
    transfer: Transfer
    _response: http.client.HTTPResponse | None = None

    def __enter__(self) -> http.client.HTTPResponse:
        self.transfer.check()
        try:
            self._response = _opener(self.request.full_url, self.transfer).open(self.request, timeout=_SILENCE_S)
        except urllib.error.HTTPError as refusal:
            with refusal:
                body = _beginning(refusal)
            # Nothing of an address with a signature in it goes into what is raised.
            raise refused(refusal.code, body) from None
        except (OSError, http.client.HTTPException, ValueError) as exc:
            self.transfer.check()
            raise _unreachable(exc) from None
        return self._response

    def __exit__(self, *_: object) -> None:
        if self._response is not None:
            self._response.close()


def refused(status: int, body: bytes) -> ParleyError:
    """What the storage's refusal means. `expired`: the whole call can be made again, with a new form or link."""
    found = _CODE.search(body)
    said = found.group(1).decode() if found else ""
    if said in _REFUSALS:
        code, retryable = _REFUSALS[said]
    elif status == _FORBIDDEN:
        code, retryable = ("expired", True) if b"expired" in body.lower() else ("forbidden", False)
    elif status == _NOT_FOUND:
        code, retryable = "not_found", False
    elif status >= _FAULT:
        code, retryable = "unavailable", True
    else:
        code, retryable = "bad_request", False
    what = f"The storage answered with status {status}" + (f", {said}" if said else "")
    return ParleyError(code, what, retryable=retryable, status=status)


def _unreachable(exc: Exception) -> ParleyError:
    """Of an OSError what it says; anything else may quote the address."""
    reason = getattr(exc, "reason", exc)
    said = f": {reason}" if isinstance(reason, OSError) else ""
    return ParleyError("unreachable", f"The storage did not answer{said}", retryable=True)


def _beginning(response: urllib.error.HTTPError) -> bytes:
    try:
        return response.read(_MAX_ERROR)
    except (OSError, http.client.HTTPException):
        return b""


def _opener(url: str, transfer: Transfer) -> urllib.request.OpenerDirector:
    proxies = [urllib.request.ProxyHandler({})] if is_loopback(url) else []
    return urllib.request.build_opener(NoRedirects, _Plain(transfer), _Secure(transfer), *proxies)


class _Plain(urllib.request.HTTPHandler):
    def __init__(self, transfer: Transfer) -> None:
        super().__init__()
        self._transfer = transfer

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_connection(http.client.HTTPConnection, self._transfer), req)


class _Secure(urllib.request.HTTPSHandler):
    def __init__(self, transfer: Transfer) -> None:
        super().__init__()
        self._transfer = transfer

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        make = _connection(http.client.HTTPSConnection, self._transfer)
        return self.do_open(make, req, context=ssl.create_default_context())


def _connection(kind: type[http.client.HTTPConnection], transfer: Transfer) -> Callable[..., Any]:
    """A connection that can be stopped, and that listens where it can't speak any more."""

    class Connection(kind):  # type: ignore[valid-type, misc]
        def connect(self) -> None:
            super().connect()
            transfer.connected(self.sock)

        def request(self, *args: Any, **kwargs: Any) -> None:
            # Who refuses a large body may hang up before its end, and has said why.
            with suppress(BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
                super().request(*args, **kwargs)
            transfer.check()

    return Connection
