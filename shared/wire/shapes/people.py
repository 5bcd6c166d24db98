"""People, and what reaches them beside messages: profiles, contacts, presence, devices, notifications, reminders."""

from __future__ import annotations

from typing import Annotated, Any, Final, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from shared.domain.connections import Status
from shared.domain.contacts import ContactStatus, GroupsFrom, MailChoice, MailStopped
from shared.domain.devices import Environment, Platform
from shared.domain.notifications import NotificationKind
from shared.wire.shapes.service import AT, Place, Time, example

_PROFILE: Final[dict[str, Any]] = {
    "user_id": "alice",
    "display_name": "Alice",
    "avatar_url": "https://example.com/a.png",
    "hide_presence": False,
    "groups_from": "everyone",
    "mail": "all",
    "mail_stopped": None,
    "push": {"previews": True, "quiet_hours": {"start": "22:00", "end": "07:00", "time_zone": "Europe/Berlin"}},
}
_CONTACT: Final[dict[str, Any]] = {"user_id": "bob", "status": "accepted", "alias": "Bobby", "since": AT}
_PRESENCE: Final[dict[str, Any]] = {"user_id": "bob", "status": "offline", "last_seen": AT}
_DEVICE: Final[dict[str, Any]] = {
    "device_id": "alices-phone",
    "platform": "apns",
    "token": "c0ffee" * 10 + "c0ff",
    "environment": "production",
    "app_id": "org.example.app",
    "registered_at": AT,
}
_NOTIFICATION: Final[dict[str, Any]] = {
    "id": "order-4711",
    "kind": "system",
    "title": "Your order is on its way",
    "body": "",
    "data": {"order": "4711"},
    "created_at": AT,
    "conversation_id": None,
    "seq": None,
}
_REMINDER: Final[dict[str, Any]] = {
    "reminder_id": "5f0c1b7a9d3e4f62a8b1c0d9e7f61234",
    "conversation_id": "dm:alice:bob",
    "seq": 42,
    "at": AT,
}


class QuietHours(TypedDict):
    start: str
    end: str
    time_zone: str


class Push(TypedDict):
    previews: bool
    quiet_hours: QuietHours | None


@example(**_PROFILE)
class Profile(TypedDict):
    user_id: str
    display_name: str | None
    avatar_url: str | None
    hide_presence: bool
    groups_from: GroupsFrom
    mail: MailChoice
    mail_stopped: Annotated[MailStopped | None, Field(description="Why nothing is mailed to the address any more.")]
    push: Push


@example(**_CONTACT)
class Contact(TypedDict):
    """`since` is when it got this status."""

    user_id: str
    status: ContactStatus
    alias: str | None
    since: Time


@example(contacts=[_CONTACT])
class Contacts(TypedDict):
    contacts: list[Contact]


@example(blocks=["dave"])
class Blocks(TypedDict):
    blocks: list[str]


class Presence(TypedDict):
    """`last_seen` is null while the user is online, and where it is not told."""

    user_id: str
    status: Status
    last_seen: Time | None


@example(users=[_PRESENCE])
class Presences(TypedDict):
    users: list[Presence]


_CONNECTION = {
    "connection_id": "Qh0dIeXxIAMCJyg=",
    "device_id": "phone",
    "connected_at": AT,
    "last_heard_at": AT + 240_000,
}


@example(**_CONNECTION)
class LiveConnection(TypedDict):
    """`device_id` is as the client gave it, "" where it gave none. `connection_id` is the gateway's, as in its logs.

    `last_heard_at` is its last ping, or `connected_at` before the first one since it was opened or given a fresh token.
    """

    connection_id: str
    device_id: str
    connected_at: Time
    last_heard_at: Time


@example(connections=[_CONNECTION])
class Connections(TypedDict):
    """The oldest first."""

    connections: list[LiveConnection]


@example(**_DEVICE)
class DeviceAnswer(TypedDict):
    """Where pushes go. It has a `token`, an `installation_id` or an `endpoint`; `environment` is null but for APNs."""

    device_id: str
    platform: Platform
    token: NotRequired[str]
    installation_id: NotRequired[str]
    endpoint: NotRequired[str]
    environment: Environment | None
    app_id: str | None
    registered_at: Time


@example(
    public_key="BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8",
)
class WebKey(TypedDict):
    """What a page gives `pushManager.subscribe` as `applicationServerKey`: base64url."""

    public_key: str


@example(devices=[_DEVICE])
class Devices(TypedDict):
    devices: list[DeviceAnswer]


@example(notification_id="order-4711", users=2)
class SentNotification(TypedDict):
    """`users` is how many it is for."""

    notification_id: str
    users: Annotated[int, Field(ge=1)]


class Told(TypedDict):
    """What every notification says, in an event as in the list of them."""

    id: str
    kind: NotificationKind
    title: str
    body: str
    data: dict[str, str]
    created_at: Time


class Notification(Told):
    """Something to be told. A reminder is about a message; its app finds the words."""

    conversation_id: str | None
    seq: Place | None


@example(notifications=[_NOTIFICATION])
class Notifications(TypedDict):
    notifications: list[Notification]


@example(**_REMINDER)
class ReminderAnswer(TypedDict):
    reminder_id: str
    conversation_id: str
    seq: Place
    at: Time


@example(reminders=[_REMINDER])
class Reminders(TypedDict):
    reminders: list[ReminderAnswer]
