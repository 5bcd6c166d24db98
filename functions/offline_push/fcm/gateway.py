"""Hands pushes to Firebase Cloud Messaging, with Google's own library."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from firebase_admin import messaging  # type: ignore[import-untyped]
from firebase_admin.exceptions import FirebaseError  # type: ignore[import-untyped]

from functions.offline_push.fcm.answers import OUR_CREDENTIALS, result_of
from functions.offline_push.fcm.firebase import Project, TokenRefused, TokenUnavailable
from functions.offline_push.providers import (
    PAYLOAD_LIMIT,
    Credentials,
    Timeouts,
    fit,
    hand_over,
    retry_after_ms,
    unexpected,
)
from shared.clock import now_ms
from shared.domain.pushes import Busy, Misconfigured, Push, PushResult, Sent

# FCM keeps a message for four weeks at most, and refuses more.
_LONGEST_TTL_S: Final = 28 * 24 * 60 * 60
_TARGETS: Final = frozenset({"token", "fid"})
TOKEN_REFUSED: Final = "AccessTokenRefused"  # noqa: S105  # it names an outcome
TOKEN_UNAVAILABLE: Final = "AccessTokenUnavailable"  # noqa: S105  # as above


class FcmGateway:
    """A PushGateway for the devices of one Firebase project, over connections that are kept."""

    def __init__(
        self,
        secret: Callable[[], str],
        *,
        endpoint: str,
        ca_file: str,
        now: Callable[[], int] = now_ms,
        timeouts: Timeouts | None = None,
    ) -> None:
        """`secret` gives the service account's key as Google does, in JSON. Nothing is read before the first push.

        `endpoint` (https://host:port) stands in for FCM, and `ca_file` names who vouches for it; both are empty in AWS.
        """
        self._now = now
        self._endpoint, self._ca_file, self._timeouts = endpoint, ca_file, timeouts or Timeouts()
        self._made: list[Project] = []
        self._projects = Credentials(secret, self._project, now=now)

    def push(self, push: Push) -> PushResult:
        """As the port has it. A 401 costs one more access token and one more try."""
        return hand_over(
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
            return unexpected(error)

    def _hand_over(self, project: Project, message: Any) -> PushResult:
        try:
            project.send(message)
        except FirebaseError as error:
            return result_of(error, now=self._now())
        except TokenRefused:
            return Misconfigured(TOKEN_REFUSED)
        except TokenUnavailable as error:
            return Busy(TOKEN_UNAVAILABLE, retry_after_ms(error.retry_after, now=self._now()))
        return Sent()


def message_for(push: Push, *, now: int) -> Any:
    """The message, its body shortened to fit, without its target. Raises DoesNotFit, ValueError (malformed)."""
    body = fit(push.wording.body, lambda body: _size(_message(push, body, now)), limit=PAYLOAD_LIMIT)
    return _message(push, body, now)


def _size(message: Any) -> int:
    """Bytes. Encoding it as a string is the library's public way to have it checked."""
    fields = {name: value for name, value in json.loads(str(message)).items() if name not in _TARGETS}
    return len(json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode())


def _message(push: Push, body: str | None, now: int) -> Any:
    message = messaging.Message(
        data=dict(push.data), android=_android(push, body, now), apns=_apns(push, body), fid=push.target.token
    )
    if not push.target.is_installation:
        # Deprecated as an argument, with a warning for each push, but apps have registration tokens for years to come.
        message.fid, message.token = None, push.target.token
    return message


def _android(push: Push, body: str | None, now: int) -> Any:
    wording = push.wording
    return messaging.AndroidConfig(
        collapse_key=push.collapse_id,
        priority="high",
        ttl=min(max((push.expires_at - now) // 1_000, 0), _LONGEST_TTL_S),
        notification=messaging.AndroidNotification(
            title=wording.title,
            title_loc_key=wording.title_key,
            title_loc_args=_arguments(push),
            body=body,
            body_loc_key=wording.body_key,
            tag=push.collapse_id,  # a newer one takes its place on screen
            notification_count=max(push.unread, 1),
        ),
    )


def _apns(push: Push, body: str | None) -> Any:
    wording = push.wording
    alert = messaging.ApsAlert(
        title=wording.title,
        title_loc_key=wording.title_key,
        title_loc_args=_arguments(push),
        body=body,
        loc_key=wording.body_key,
    )
    aps = messaging.Aps(alert=alert, badge=push.badge, sound="default", thread_id=push.thread_id, mutable_content=True)
    headers = {"apns-collapse-id": push.collapse_id, "apns-expiration": str(max(push.expires_at // 1_000, 0))}
    return messaging.APNSConfig(headers=headers, payload=messaging.APNSPayload(aps))


def _arguments(push: Push) -> list[str] | None:
    """The library refuses arguments without the key of a text to put them in."""
    return list(push.wording.title_args) if push.wording.title_key is not None else None
