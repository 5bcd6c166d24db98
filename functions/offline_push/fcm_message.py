"""A push in FCM's words, for Android and for iOS apps that get theirs through Firebase."""

from __future__ import annotations

import json
from typing import Any, Final

from firebase_admin import messaging  # type: ignore[import-untyped]

from functions.offline_push.fitting import fit
from functions.offline_push.providers import PAYLOAD_LIMIT
from shared.domain.pushes import Push

# FCM keeps a message for four weeks at most, and refuses more.
_LONGEST_TTL_S: Final = 28 * 24 * 60 * 60
_TARGETS: Final = frozenset({"token", "fid"})


def message_for(push: Push, *, now: int) -> Any:
    """The message, its body shortened to what FCM takes. Raises DoesNotFit, and ValueError for what is malformed.

    All but the target counts, although FCM looks at what reaches one device: so it holds however FCM counts.
    """
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
