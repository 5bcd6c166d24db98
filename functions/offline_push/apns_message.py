"""A push in APNs' words."""

from __future__ import annotations

import json
from typing import Any

from functions.offline_push.fitting import fit
from functions.offline_push.providers import PAYLOAD_LIMIT
from shared.domain.pushes import Push


def path_of(push: Push) -> str:
    return f"/3/device/{push.target.token}"


def headers_of(push: Push) -> dict[str, str]:
    """All but the authorization. `apns-id` is the same for the same push, however often it is sent."""
    topic = {} if push.target.app_id is None else {"apns-topic": push.target.app_id}
    return topic | {
        "apns-id": push.push_id,
        "apns-collapse-id": push.collapse_id,
        "apns-push-type": "alert",
        "apns-priority": "10",
        "apns-expiration": str(max(push.expires_at // 1_000, 0)),
        "content-type": "application/json",
    }


def payload_of(push: Push) -> bytes:
    """The JSON, its body shortened to what APNs takes. Raises DoesNotFit, and ValueError for what is no text."""
    body = fit(push.wording.body, lambda body: len(_payload(push, body)), limit=PAYLOAD_LIMIT)
    return _payload(push, body)


def _payload(push: Push, body: str | None) -> bytes:
    wording = push.wording
    alert = {
        "title-loc-key": wording.title_key,
        "title-loc-args": list(wording.title_args) if wording.title_key is not None else None,
        "title": wording.title,
        "loc-key": wording.body_key,
        "body": body,
    }
    aps = {
        "alert": _given(alert),
        "badge": push.badge,
        "thread-id": push.thread_id,
        "sound": "default",
        "mutable-content": 1,  # lets the app's extension decrypt or replace what is shown
    }
    payload = {"aps": _given(aps), "parley": dict(push.data)}
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def _given(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
