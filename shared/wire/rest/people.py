"""People over HTTP, and what reaches them beside messages: profiles, contacts, devices, notifications, reminders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, Field

from shared.domain.connections import Connection, Presence
from shared.domain.contacts import Contact, GroupsFrom, MailChoice, Profile
from shared.domain.devices import APNS, MAX_ENDPOINT, WEB, Device, Environment
from shared.domain.notifications import Notification, Reminder
from shared.operations.contacts import MAX_ALIAS_CHARACTERS, MAX_AVATAR_URL, MAX_DISPLAY_NAME
from shared.operations.devices import APNS_PATTERN, APP_ID_PATTERN, FCM_PATTERN, NewTarget
from shared.operations.notifications import MAX_BODY, MAX_TITLE, MAX_USERS, NOTIFICATION_ID_PATTERN, NotificationRequest
from shared.operations.tickets import Ticket
from shared.version import VERSION
from shared.wire.events import notification_body, presence_body
from shared.wire.rest.common import Milliseconds, Part, UserId, at_least_one_of, config, exactly_one_of, left_out

if TYPE_CHECKING:
    from shared.wire.shapes import people as shapes
    from shared.wire.shapes import service

_NEVER: dict[str, Any] = {"not": {}}
_P256DH = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"


class ContactRequest(BaseModel):
    """Whom to ask."""

    model_config = config({"user_id": "bob"})

    user_id: UserId


class ContactChange(Part):
    """Accept a request, give the contact another name (null takes it away), or both."""

    model_config = config({"status": "accepted"}, {"alias": "Bobby"}, **at_least_one_of("status", "alias"))

    status: Literal["accepted"] = left_out()
    alias: str | None = left_out(maxLength=MAX_ALIAS_CHARACTERS)


class QuietHoursChange(BaseModel):
    """From `start` to `end`, which may lie beyond midnight, in a time zone of the IANA database."""

    model_config = config({"start": "22:00", "end": "07:00", "time_zone": "Europe/Berlin"})

    start: str
    end: str
    time_zone: str


class PushChange(BaseModel):
    """How pushes should look and sound."""

    model_config = config({"previews": False, "quiet_hours": None})

    previews: bool | None = left_out()
    quiet_hours: QuietHoursChange | None = left_out()


class ProfileChange(BaseModel):
    """Parts of the own profile. What is left out stays as it is, null clears."""

    model_config = config(
        {"display_name": "Alice", "avatar_url": "https://example.com/a.png"},
        {
            "hide_presence": True,
            "groups_from": "contacts",
            "mail": "mentions",
            "push": {
                "previews": False,
                "quiet_hours": {"start": "22:00", "end": "07:00", "time_zone": "Europe/Berlin"},
            },
        },
    )

    display_name: str | None = left_out(maxLength=MAX_DISPLAY_NAME)
    avatar_url: str | None = left_out(maxLength=MAX_AVATAR_URL)
    hide_presence: bool | None = left_out()
    groups_from: GroupsFrom | None = left_out()
    mail: MailChoice | None = left_out()
    push: PushChange | None = left_out()


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


class WebKeys(BaseModel):
    """The keys of a browser's subscription, base64url."""

    model_config = config(
        {
            "p256dh": _P256DH,
            "auth": "BTBZMqHH6r4Tts7J_aSIgg",
        }
    )

    p256dh: str
    auth: str


class WebDevice(BaseModel):
    """A browser: what `PushSubscription.toJSON()` gives, beside the platform."""

    model_config = config(
        {
            "platform": "web",
            "endpoint": "https://updates.push.services.mozilla.com/wpush/v2/gAAAAABl",
            "keys": {
                "p256dh": _P256DH,
                "auth": "BTBZMqHH6r4Tts7J_aSIgg",
            },
        }
    )

    platform: Literal["web"]
    endpoint: Annotated[str, Field(json_schema_extra={"minLength": 1, "maxLength": MAX_ENDPOINT})]
    keys: WebKeys
    app_id: str = left_out(pattern=f"^{APP_ID_PATTERN}$")
    environment: Environment = left_out(**_NEVER)


NewDevice = Annotated[FcmDevice | ApnsDevice | WebDevice, Field(discriminator="platform")]


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


def new_target(body: FcmDevice | ApnsDevice | WebDevice) -> NewTarget:
    if isinstance(body, WebDevice):
        keys = body.keys
        return NewTarget(
            body.platform,
            app_id=body.app_id,
            environment=body.environment,
            endpoint=body.endpoint,
            p256dh=keys.p256dh,
            auth=keys.auth,
        )
    return NewTarget(body.platform, body.token, body.installation_id, body.app_id, body.environment)


def new_notification(body: NewNotification) -> NotificationRequest:
    return NotificationRequest(body.users, body.title, body.body, body.data, body.notification_id)


def health_body(now: int) -> service.Health:
    return {"status": "ok", "time": now, "version": VERSION}


def ticket_body(ticket: Ticket) -> service.Ticket:
    return {"ticket": ticket.ticket, "expires_in": ticket.expires_in}


def closed_body(closed: int) -> service.Closed:
    return {"closed": closed}


def connections_body(connections: Iterable[Connection]) -> shapes.Connections:
    return {
        "connections": [
            {
                "connection_id": one.connection_id,
                "device_id": one.device_id,
                "connected_at": one.connected_at,
                "last_heard_at": one.last_heard_at,
            }
            for one in connections
        ]
    }


def profile_body(user_id: str, profile: Profile, *, hidden: bool) -> shapes.Profile:
    """`hidden`: whether the user hides their presence, as their session says."""
    quiet = profile.quiet_hours
    hours: shapes.QuietHours | None
    hours = None if quiet is None else {"start": quiet.start, "end": quiet.end, "time_zone": quiet.time_zone}
    return {
        "user_id": user_id,
        "display_name": profile.display_name,
        "avatar_url": profile.avatar_url,
        "hide_presence": hidden,
        "groups_from": profile.groups_from,
        "mail": profile.mail,
        "mail_stopped": profile.mail_stopped,
        "push": {"previews": profile.previews, "quiet_hours": hours},
    }


def contact_body(contact: Contact) -> shapes.Contact:
    return {"user_id": contact.user_id, "status": contact.status, "alias": contact.alias, "since": contact.since}


def contacts_body(contacts: Iterable[Contact]) -> shapes.Contacts:
    return {"contacts": [contact_body(one) for one in contacts]}


def blocks_body(blocked: Iterable[str]) -> shapes.Blocks:
    return {"blocks": sorted(blocked)}


def presences_body(found: Sequence[Presence]) -> shapes.Presences:
    return {"users": [presence_body(one) for one in found]}


def device_body(device: Device) -> shapes.DeviceAnswer:
    """With one of `token`, `installation_id` and `endpoint`: how the device is reached. No keys are told."""
    target = device.target
    body: shapes.DeviceAnswer = {
        "device_id": device.device_id,
        "platform": target.platform,
        "token": target.token,
        "installation_id": target.token,
        "endpoint": target.token,
        "environment": target.environment if target.platform == APNS else None,
        "app_id": target.app_id,
        "registered_at": device.registered_at,
    }
    shown = "endpoint" if target.platform == WEB else "installation_id" if target.is_installation else "token"
    for name in {"token", "installation_id", "endpoint"} - {shown}:
        del body[name]  # type: ignore[misc]  # one of these
    return body


def web_key_body(public_key: str) -> shapes.WebKey:
    return {"public_key": public_key}


def devices_body(devices: Iterable[Device]) -> shapes.Devices:
    return {"devices": [device_body(device) for device in devices]}


def sent_body(notification_id: str, users: int) -> shapes.SentNotification:
    return {"notification_id": notification_id, "users": users}


def notifications_body(notifications: Iterable[Notification]) -> shapes.Notifications:
    return {"notifications": [_notification(one) for one in notifications]}


def _notification(one: Notification) -> shapes.Notification:
    """As in an event, but that each has all fields. Only a reminder is about a message."""
    return {"conversation_id": one.conversation_id, "seq": one.seq, **notification_body(one)}


def reminder_body(reminder: Reminder) -> shapes.ReminderAnswer:
    return {
        "reminder_id": reminder.reminder_id,
        "conversation_id": reminder.conversation_id,
        "seq": reminder.seq,
        "at": reminder.at,
    }


def reminders_body(reminders: Iterable[Reminder]) -> shapes.Reminders:
    return {"reminders": [reminder_body(reminder) for reminder in reminders]}
