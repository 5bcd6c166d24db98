"""What the HTTP API answers about devices, notifications and reminders, for the OpenAPI document.

Only the document imports this.
"""

from __future__ import annotations

from typing import Annotated, Any, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from shared.domain.devices import Environment, Platform
from shared.domain.notifications import NotificationKind
from shared.wire.rest.answers import Place, Time, example

_AT = 1_795_431_200_123
_DEVICE: dict[str, Any] = {
    "device_id": "alices-phone",
    "platform": "apns",
    "token": "c0ffee" * 10 + "c0ff",
    "environment": "production",
    "app_id": "org.example.app",
    "registered_at": _AT,
}
_NOTIFICATION: dict[str, Any] = {
    "id": "order-4711",
    "kind": "system",
    "title": "Your order is on its way",
    "body": "",
    "data": {"order": "4711"},
    "created_at": _AT,
    "conversation_id": None,
    "seq": None,
}
_REMINDER: dict[str, Any] = {
    "reminder_id": "5f0c1b7a9d3e4f62a8b1c0d9e7f61234",
    "conversation_id": "dm:alice:bob",
    "seq": 42,
    "at": _AT,
}


@example(_DEVICE)
class DeviceAnswer(TypedDict):
    """Where pushes go. It has either a `token` or an `installation_id`; `environment` is null but for APNs."""

    device_id: str
    platform: Platform
    token: NotRequired[str]
    installation_id: NotRequired[str]
    environment: Environment | None
    app_id: str | None
    registered_at: Time


@example({"devices": [_DEVICE]})
class Devices(TypedDict):
    devices: list[DeviceAnswer]


@example({"notification_id": "order-4711", "users": 2})
class SentNotification(TypedDict):
    """`users` is how many it is for."""

    notification_id: str
    users: Annotated[int, Field(ge=1)]


class Notification(TypedDict):
    """Something to be told. A reminder is about a message; its app finds the words."""

    id: str
    kind: NotificationKind
    title: str
    body: str
    data: dict[str, str]
    created_at: Time
    conversation_id: str | None
    seq: Place | None


@example({"notifications": [_NOTIFICATION]})
class Notifications(TypedDict):
    notifications: list[Notification]


@example(_REMINDER)
class ReminderAnswer(TypedDict):
    reminder_id: str
    conversation_id: str
    seq: Place
    at: Time


@example({"reminders": [_REMINDER]})
class Reminders(TypedDict):
    reminders: list[ReminderAnswer]
