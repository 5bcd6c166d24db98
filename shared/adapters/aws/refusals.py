"""What a refused call was refused for: the code that names it, and the class by which it is counted and alarmed about.

Loaded with the first refusal. Codes, and parts of a known form, are all that is told of an answer: a service's text may
quote what was sent to it.
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from shared.adapters.aws.errors import ServiceError
from shared.errors import ParleyError
from shared.observability import refused

DENIED: Final = "denied"
"""Permissions, keys (KMS), credentials, signatures: it stays so until something is changed."""
THROTTLED: Final = "throttled"
"""Too much at once, of us or of others."""
REFUSED: Final = "refused"
"""The request itself: malformed, too large, or for something that is not there."""
FAILED: Final = "failed"
"""The service's own trouble (5xx)."""
UNREACHABLE: Final = "unreachable"
"""No usable answer: TLS, DNS, timeouts, connections that are refused or lost."""
CLASSES: Final = (DENIED, THROTTLED, REFUSED, FAILED, UNREACHABLE)

_DENIED: Final = re.compile(
    r"AccessDenied|NotAuthorized|Unauthorized|Forbidden|^KMS|^Kms|DecryptionFailure|AccessKey|Signature|ExpiredToken"
    r"|UnrecognizedClient|InvalidClientTokenId|MissingAuthenticationToken|RequestExpired|OptInRequired"
)
_THROTTLED: Final = re.compile(
    r"Thrott|LimitExceeded|ThroughputExceeded|TooManyRequests|SlowDown|Transaction(Conflict|InPr)|Unprocessed"
)
# AWS's own words for a refused permission; nothing in them is a client's.
_ACTION: Final = re.compile(r"not authorized to perform: ([a-z0-9-]{1,40}:[A-Za-z]{1,60})")
_RESOURCE: Final = re.compile(r"on resource: (arn:[A-Za-z0-9:/_.@=*$%+-]{1,300})")
_KEY: Final = re.compile(r"\bKMS\b|\bkms:", re.ASCII)
_CODE: Final = re.compile(r"[A-Za-z0-9._-]{1,80}")


def tell(call: str, error: Exception, *, attempts: int = 1, times: int = 1, counts: bool = True, **ids: object) -> None:
    """Write the one line of a refused call, and count it. `times`: so many calls met the same side by side."""
    many: dict[str, Any] = {"times": times, "counts": counts, "attempts": attempts, **ids}
    if isinstance(error, ServiceError):
        code = error.code if _CODE.fullmatch(error.code) else "unreadable"
        fields: dict[str, Any] = {"status": error.status, "aws_request_id": error.request_id, **_denied(error)}
        refused(error.call or call, code=code, kind=class_of(error), **fields, **many)
    else:
        code, detail = transport_code(error), _tls_detail(error)
        refused(call, code=code, kind=UNREACHABLE, detail=detail, **many)
    error.is_told = True  # type: ignore[attr-defined]  # who catches it later tells nothing


def tell_of_posts(call: str, failed: Mapping[str, Exception]) -> None:
    """One line for each cause that calls about connections met, side by side, with a connection that met it.

    A 429 is counted as a failed post alone, for its client may read too slowly; so is one that there was no time for.
    """
    causes: dict[str, list[str]] = {}
    for connection_id, error in failed.items():
        code = error.code if isinstance(error, ServiceError) else transport_code(error)
        causes.setdefault(code, []).append(connection_id)
    for connections in causes.values():
        error = failed[connections[0]]
        is_ours = not isinstance(error, ParleyError) and getattr(error, "status", 0) != HTTPStatus.TOO_MANY_REQUESTS
        tell(call, error, attempts=0, times=len(connections), counts=is_ours, connection_id=connections[0])


def class_of(error: ServiceError) -> str:
    """One of `CLASSES`."""
    if _THROTTLED.search(error.code) or error.status == HTTPStatus.TOO_MANY_REQUESTS or error.is_contention:
        return THROTTLED
    if _DENIED.search(error.code) or error.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return DENIED
    return FAILED if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR else REFUSED


def transport_code(error: BaseException) -> str:
    """What the way to a service met, in one word whatever library met it."""
    if isinstance(error, ParleyError):
        return "OutOfTime"  # of the invocation, before there was any answer
    chain = list(_chain(error))
    for code, is_met in _TRANSPORT:
        if any(map(is_met, chain)):
            return code
    return "ConnectionLost"


def _is_tls(error: BaseException) -> bool:
    """Apart from a peer that hung up, which TLS reports as well."""
    return isinstance(error, ssl.SSLError) and not isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)


_TRANSPORT: Final[Sequence[tuple[str, Callable[[BaseException], bool]]]] = (
    ("DnsError", lambda one: isinstance(one, socket.gaierror)),
    ("Timeout", lambda one: isinstance(one, TimeoutError) or "Timeout" in type(one).__name__),
    ("TlsError", _is_tls),
    ("ConnectionRefused", lambda one: isinstance(one, ConnectionRefusedError)),
    ("UnreadableAnswer", lambda one: isinstance(one, ValueError) or "Parser" in type(one).__name__),
)


def _tls_detail(error: BaseException) -> str:
    """Why a peer's certificate was not good enough: OpenSSL's own words, and its name of the error."""
    for one in _chain(error):
        if isinstance(one, ssl.SSLCertVerificationError):
            return str(getattr(one, "verify_message", ""))
        if isinstance(one, ssl.SSLError) and getattr(one, "reason", None):
            return str(one.reason)
    return ""


def _denied(error: ServiceError) -> Mapping[str, object]:
    """Which action on what was not allowed, where AWS says so, and whether it is about a key."""
    text = error.text
    action, resource = _ACTION.search(text), _RESOURCE.search(text)
    return {
        "action": action and action[1],
        "resource": resource and resource[1],
        "about": "KMS" if _KEY.search(f"{error.code} {text}") or error.code.upper().startswith("KMS") else None,
    }


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and all that it came from: libraries keep that in a cause, in their arguments, or by a name."""
    waiting, seen = [error], set()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        held = getattr(one, "kwargs", None)
        named = held.values() if isinstance(held, Mapping) else ()
        group = getattr(one, "exceptions", ())  # of the attempts at several addresses
        found = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args, *named, *group)
        waiting += [other for other in found if isinstance(other, BaseException)]
