"""What FCM's errors mean (firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode), and those of all Google APIs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from firebase_admin import exceptions  # type: ignore[import-untyped]

from functions.offline_push.providers import ALL_BUSY, TARGET_BUSY, Meaning, by_class, result, retry_after_ms
from shared.domain.pushes import Busy, Misconfigured, PushResult, Refused, Unregistered

INVALID_ARGUMENT: Final = "INVALID_ARGUMENT"
# FCM's own codes first, then what Google calls HTTP statuses. 404 NOT_FOUND is the project, not the device.
CODES: Final[Mapping[str, Meaning]] = {
    "UNREGISTERED": Unregistered,
    "SENDER_ID_MISMATCH": Misconfigured,
    "THIRD_PARTY_AUTH_ERROR": Misconfigured,
    "QUOTA_EXCEEDED": ALL_BUSY,
    "UNAVAILABLE": ALL_BUSY,
    "INTERNAL": TARGET_BUSY,
    "UNSPECIFIED_ERROR": TARGET_BUSY,
    INVALID_ARGUMENT: Refused,
    "UNAUTHENTICATED": Misconfigured,
    "PERMISSION_DENIED": Misconfigured,
    "NOT_FOUND": Misconfigured,
    "RESOURCE_EXHAUSTED": ALL_BUSY,
    "DEADLINE_EXCEEDED": TARGET_BUSY,
}
STATUSES: Final[Mapping[int, Meaning]] = {
    401: Misconfigured,
    403: Misconfigured,
    404: Misconfigured,
    408: TARGET_BUSY,
    429: ALL_BUSY,
    503: ALL_BUSY,
}
# With these it is our key that is refused, or what it may do. (The others are about the app's own keys.)
OUR_CREDENTIALS: Final = frozenset({"UNAUTHENTICATED", "PERMISSION_DENIED", "NOT_FOUND"})

_FCM_ERROR: Final = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
_BAD_REQUEST: Final = "type.googleapis.com/google.rpc.BadRequest"
_TARGET_FIELDS: Final = frozenset({"message.token", "message.fid"})
_TARGET_WORDS: Final = ("registration token", "installation id")
_CODE: Final = re.compile("[A-Z_]{1,40}")


def result_of(error: Any, *, now: int) -> PushResult:
    """The meaning of a FirebaseError. Its text may quote the message, so none of it goes into the result."""
    response = error.http_response
    if response is None:
        return Busy("Timeout" if isinstance(error, exceptions.DeadlineExceededError) else "NoConnection")
    wait = retry_after_ms(response.headers.get("Retry-After"), now=now)
    try:
        said = response.json()["error"]
        details = [detail for detail in said.get("details", ()) if isinstance(detail, Mapping)]
        code = _code(said, details)
        is_about_target = code == INVALID_ARGUMENT and _names_target(said, details)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Busy("UnreadableAnswer", wait)
    if is_about_target:
        return result(Unregistered, code)
    status = response.status_code
    meaning = CODES.get(code) or STATUSES.get(status) or by_class(status, TARGET_BUSY)
    reason = code if _CODE.fullmatch(code) else f"status_{status}"
    return result(meaning, reason, retry_after_ms=wait)


def _code(said: Mapping[str, Any], details: list[Mapping[str, Any]]) -> str:
    """FCM's own code, where there is one: it says more than Google's."""
    own = (detail.get("errorCode") for detail in details if detail.get("@type") == _FCM_ERROR)
    return str(next(own, None) or said["status"])


def _names_target(said: Mapping[str, Any], details: list[Mapping[str, Any]]) -> bool:
    """Whether it is the token that FCM can't make anything of: then it is none, and will never be one."""
    requests = [detail for detail in details if detail.get("@type") == _BAD_REQUEST]
    fields = {violation.get("field") for request in requests for violation in request.get("fieldViolations", ())}
    text = str(said.get("message", "")).lower()
    return not fields.isdisjoint(_TARGET_FIELDS) or any(words in text for words in _TARGET_WORDS)
