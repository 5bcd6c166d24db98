"""Hands pushes to Firebase Cloud Messaging, with Google's own library."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from firebase_admin import exceptions, messaging  # type: ignore[import-untyped]

from functions.offline_push import providers
from functions.offline_push.fcm.firebase import Project, TokenRefused, TokenUnavailable
from functions.offline_push.providers import ALL_BUSY, TARGET_BUSY, Meaning
from shared.clock import now_ms
from shared.domain.pushes import Busy, Misconfigured, Push, PushResult, Refused, Sent, Unregistered

# What FCM's errors mean (firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode), and those of all Google APIs.
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
    **dict.fromkeys((401, 403, 404), Misconfigured),
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

_TARGETS: Final = frozenset({"token", "fid"})
TOKEN_REFUSED: Final = "AccessTokenRefused"  # noqa: S105  # it names an outcome


class FcmGateway:
    """A PushGateway for the devices of one Firebase project, over connections that are kept."""

    def __init__(
        self,
        secret: Callable[[], str],
        *,
        endpoint: str,
        ca_file: str,
        now: Callable[[], int] = now_ms,
        timeouts: providers.Timeouts | None = None,
    ) -> None:
        """`secret` gives the service account's key as Google does, in JSON. Nothing is read before the first push.

        `endpoint` (https://host:port) stands in for FCM, and `ca_file` names who vouches for it; both are empty in AWS.
        """
        self._now = now
        self._endpoint, self._ca_file, self._timeouts = endpoint, ca_file, timeouts or providers.Timeouts()
        self._made: list[Project] = []
        self._projects = providers.Credentials(secret, self._project, now=now)

    def push(self, push: Push) -> PushResult:
        """As the port has it. A 401 costs one more access token and one more try."""
        return providers.hand_over(
            push,
            credentials=self._projects,
            encode=lambda push: message_for(push, now=self._now()),
            send=self._send,
            refused={TOKEN_REFUSED, *OUR_CREDENTIALS},
        )

    def close(self) -> None:
        """Close the connections. There are no pushes afterwards."""
        while self._made:
            self._made.pop().close()

    def _project(self, secret: str) -> Project:
        try:
            account = json.loads(secret)
            project = Project(account, endpoint=self._endpoint, ca_file=self._ca_file, timeouts=self._timeouts)
        except (TypeError, AttributeError, KeyError) as exc:  # JSON, but of another form
            raise ValueError("not a service account's key") from exc
        self._made.append(project)  # one that it replaces may still be sending
        return project

    def _send(self, _: Push, message: Any, project: Project) -> PushResult:
        try:
            return self._hand_over(project, message)
        except Exception as error:  # noqa: BLE001  # an answer of an unknown form trips the library in any of its parts
            return providers.unexpected(error)

    def _hand_over(self, project: Project, message: Any) -> PushResult:
        try:
            project.send(message)
        except exceptions.FirebaseError as error:
            return result_of(error, now=self._now())
        except TokenRefused:
            return Misconfigured(TOKEN_REFUSED)
        except TokenUnavailable as error:
            reason = f"AccessToken{providers.no_answer(error, 'Unavailable')}"
            return Busy(reason, providers.retry_after_ms(error.retry_after, now=self._now()))
        return Sent()


def message_for(push: Push, *, now: int) -> Any:
    """The message, its body shortened to fit, without its target. Raises DoesNotFit, ValueError (malformed)."""
    size = lambda body: _size(_message(push, body, now))  # noqa: E731
    return _message(push, providers.fit(push.wording.body, size, limit=providers.PAYLOAD_LIMIT), now)


def _size(message: Any) -> int:
    """Bytes. Encoding it as a string is the library's public way to have it checked."""
    fields = {name: value for name, value in json.loads(str(message)).items() if name not in _TARGETS}
    return len(json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode())


def _message(push: Push, body: str | None, now: int) -> Any:
    android, apns = _silent(push, now) if push.withdraws else (_android(push, body, now), _apns(push, body))
    token = push.target.token
    message = messaging.Message(data=dict(push.data), android=android, apns=apns, fid=token)
    if not push.target.is_installation:
        # Deprecated as an argument, with a warning for each push, but apps have registration tokens for years to come.
        message.fid, message.token = None, push.target.token
    return message


def _shown(push: Push, body: str | None) -> dict[str, Any]:
    title, args = push.wording.title, _arguments(push)
    return {"title": title, "title_loc_key": push.wording.title_key, "title_loc_args": args, "body": body}


def _android(push: Push, body: str | None, now: int) -> Any:
    return messaging.AndroidConfig(
        collapse_key=push.collapse_id,
        priority="high",
        ttl=providers.ttl_s(push.expires_at, now=now),
        notification=messaging.AndroidNotification(
            **_shown(push, body),
            body_loc_key=push.wording.body_key,
            tag=push.collapse_id,  # a newer one takes its place on screen
            notification_count=max(push.unread, 1),
        ),
    )


def _silent(push: Push, now: int) -> tuple[Any, Any]:
    """Data alone. Google lowers the priority of apps whose urgent messages show nothing, so it is not urgent."""
    ttl = providers.ttl_s(push.expires_at, now=now)
    android = messaging.AndroidConfig(collapse_key=push.collapse_id, priority="normal", ttl=ttl)
    headers = {
        "apns-collapse-id": push.collapse_id,
        "apns-expiration": str(max(push.expires_at // 1_000, 0)),
        "apns-push-type": "background" if push.badge is None else "alert",
        "apns-priority": "5",
    }
    aps = messaging.Aps(badge=push.badge, content_available=True)
    return android, messaging.APNSConfig(headers=headers, payload=messaging.APNSPayload(aps))


def _apns(push: Push, body: str | None) -> Any:
    alert = messaging.ApsAlert(**_shown(push, body), loc_key=push.wording.body_key)
    aps = messaging.Aps(alert=alert, badge=push.badge, sound="default", thread_id=push.thread_id, mutable_content=True)
    headers = {"apns-collapse-id": push.collapse_id, "apns-expiration": str(max(push.expires_at // 1_000, 0))}
    return messaging.APNSConfig(headers=headers, payload=messaging.APNSPayload(aps))


def _arguments(push: Push) -> list[str] | None:
    """The library refuses arguments without the key of a text to put them in."""
    return list(push.wording.title_args) if push.wording.title_key is not None else None


def result_of(error: Any, *, now: int) -> PushResult:
    """The meaning of a FirebaseError. Its text may quote the message, so none of it goes into the result."""
    response = error.http_response
    if response is None:
        is_late = isinstance(error, exceptions.DeadlineExceededError)
        return Busy("Timeout" if is_late else providers.no_answer(error, "NoConnection"))
    wait = providers.retry_after_ms(response.headers.get("Retry-After"), now=now)
    try:
        said = response.json()["error"]
        details = [detail for detail in said.get("details", ()) if isinstance(detail, Mapping)]
        code = _code(said, details)
        is_about_target = code == INVALID_ARGUMENT and _names_target(said, details)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Busy("UnreadableAnswer", wait)
    if is_about_target:
        return providers.result(Unregistered, code)
    status = response.status_code
    meaning = CODES.get(code) or STATUSES.get(status) or providers.by_class(status, TARGET_BUSY)
    reason = code if _CODE.fullmatch(code) else f"status_{status}"
    return providers.result(meaning, reason, retry_after_ms=wait)


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
