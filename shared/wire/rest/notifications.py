"""Devices, notifications and reminders over HTTP: what is sent, and what is answered.

`http_notification_answers.py` describes the latter.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from shared.domain.devices import APNS, Device, Environment
from shared.domain.notifications import Notification, Reminder
from shared.operations.devices import APNS_PATTERN, APP_ID_PATTERN, FCM_PATTERN, NewTarget
from shared.operations.notifications import MAX_BODY, MAX_TITLE, MAX_USERS, NOTIFICATION_ID_PATTERN, NotificationRequest
from shared.wire.rest.requests import Milliseconds, UserId, config, exactly_one_of, left_out
from shared.wire.websocket.events import notification_body

_NEVER: dict[str, Any] = {"not": {}}


class FcmDevice(BaseModel):
    """An app that Firebase Cloud Messaging delivers to: by its registration token, or by its installation's id."""

    model_config = config(
        {"platform": "fcm", "token": "bk3RNwTe3H0:CI2k_HHwgIpoDKCIZvvDMExUdFQ3P1"},
        {"platform": "fcm", "installation_id": "cTvkMJ0rS9-aPdPBkTzC9Q", "app_id": "org.example.app"},
        **exactly_one_of("token", "installation_id"),
    )

    platform: Literal["fcm"]
    token: str = left_out(pattern=f"^{FCM_PATTERN}$")
    installation_id: str = left_out(pattern=f"^{FCM_PATTERN}$")
    app_id: str = left_out(pattern=f"^{APP_ID_PATTERN}$")
    environment: Environment = left_out(**_NEVER)


class ApnsDevice(BaseModel):
    """An app that Apple delivers to. `app_id` is its bundle id; `environment` is the one that it was built for."""

    model_config = config(
        {"platform": "apns", "token": "c0ffee" * 10 + "c0ff", "app_id": "org.example.app", "environment": "sandbox"}
    )

    platform: Literal["apns"]
    token: Annotated[str, Field(json_schema_extra={"pattern": f"^{APNS_PATTERN}$"})]
    app_id: Annotated[str, Field(json_schema_extra={"pattern": f"^{APP_ID_PATTERN}$"})]
    environment: Environment = "production"
    installation_id: str = left_out(**_NEVER)


NewDevice = Annotated[FcmDevice | ApnsDevice, Field(discriminator="platform")]


class NewNotification(BaseModel):
    """What some users are to be told. With a `notification_id` the request can be repeated safely."""

    model_config = config(
        {"users": ["alice", "bob"], "title": "Maintenance", "body": "Back at 6:00.", "data": {"url": "/status"}},
        {"users": ["alice"], "title": "Your order is on its way", "notification_id": "order-4711"},
    )

    users: Annotated[list[UserId], Field(min_length=1, max_length=MAX_USERS)]
    title: Annotated[str, Field(json_schema_extra={"minLength": 1, "maxLength": MAX_TITLE, "pattern": r"\S"})]
    body: Annotated[str, Field(json_schema_extra={"maxLength": MAX_BODY})] = ""
    data: Annotated[dict[str, str], Field(description="At most 2 KB as JSON, for the app.")] = {}
    notification_id: str = left_out(pattern=f"^{NOTIFICATION_ID_PATTERN}$")


class NewReminder(BaseModel):
    """When to be reminded: in the future, and at most a year ahead."""

    model_config = config({"at": 1795431200123})

    at: Milliseconds


def new_target(body: FcmDevice | ApnsDevice) -> NewTarget:
    return NewTarget(body.platform, body.token, body.installation_id, body.app_id, body.environment)


def new_notice(body: NewNotification) -> NotificationRequest:
    return NotificationRequest(body.users, body.title, body.body, body.data, body.notification_id)


def device_body(device: Device) -> dict[str, Any]:
    target = device.target
    return {
        "device_id": device.device_id,
        "platform": target.platform,
        "installation_id" if target.is_installation else "token": target.token,
        "environment": target.environment if target.platform == APNS else None,
        "app_id": target.app_id,
        "registered_at": device.registered_at,
    }


def devices_body(devices: Iterable[Device]) -> dict[str, Any]:
    return {"devices": [device_body(device) for device in devices]}


def notifications_body(notifications: Iterable[Notification]) -> dict[str, Any]:
    """As in events, but that every one has all fields."""
    return {
        "notifications": [
            {"conversation_id": None, "seq": None, **notification_body(notification)} for notification in notifications
        ]
    }


def reminder_body(reminder: Reminder) -> dict[str, Any]:
    return {
        "reminder_id": reminder.reminder_id,
        "conversation_id": reminder.conversation_id,
        "seq": reminder.seq,
        "at": reminder.at,
    }


def reminders_body(reminders: Iterable[Reminder]) -> dict[str, Any]:
    return {"reminders": [reminder_body(reminder) for reminder in reminders]}
