"""What the HTTP API answers with, typed. Each has the JSON that it was made from in `raw`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from parley_client.answers import understood
from parley_client.events import Frame, Message
from parley_client.parsing import as_message


@dataclass(frozen=True, slots=True)
class History:
    """Messages, and whether there are more in the direction that was read."""

    messages: tuple[Message, ...]
    has_more: bool


@dataclass(frozen=True, slots=True)
class Settled:
    """What a user has set for a conversation of theirs. `notify` is all, mentions or none; `muted_until` is ms."""

    muted_until: int | None = None
    notify: str = "all"
    pinned: bool = False
    archived: bool = False
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation as its member sees it. `head` is 0 while nothing has been said.

    `members` are those of a private conversation; a group has its `member_count`, the own `role` in it, and the entry
    with which the user (last) became a member. `permissions`: what that role may; None in an inbox, where one is not
    told. `slow_mode`: seconds between two messages of a member. `retention_days`: its own rule; None: the deployment's.
    """

    id: str
    type: str
    head: int
    unread: int
    read_seq: int
    name: str | None = None
    members: tuple[str, ...] = ()
    last_message: Message | None = None
    delivered_seq: int = 0
    joined_seq: int = 0
    member_count: int = 0
    role: str | None = None
    topic: str | None = None
    avatar: str | None = None
    data: Frame | None = field(default=None, hash=False)
    join: str | None = None
    history: str = "all"
    slow_mode: int = 0
    frozen: bool = False
    retention_days: int | None = None
    permissions: frozenset[str] | None = None
    settings: Settled = field(default_factory=Settled)
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class InboxPage:
    """Conversations, newest first. `next_cursor` gives the next page; None at the end.

    `versions`, where they were asked for, are those of the records of the users shown; 0 for who has none.
    """

    conversations: tuple[Summary, ...]
    next_cursor: str | None
    versions: Mapping[str, int] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Group:
    """A group that was just created (or that an earlier attempt with the same id had created)."""

    id: str
    name: str
    members: tuple[str, ...]
    role: str
    head: int
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Member:
    """Who is in a conversation, since when, and how far they have come. Times are milliseconds since the epoch."""

    user_id: str
    role: str
    joined_at: int
    read_seq: int
    delivered_seq: int
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Added:
    """`users` are those who were not members before."""

    users: tuple[str, ...]
    members_count: int
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """Times of day as "22:00", in a time zone as "Europe/Berlin": no push between them."""

    start: str
    end: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class Profile:
    """The own profile. `previews`: pushes show what a message says. `mail`: all, mentions or off."""

    user_id: str
    display_name: str | None = None
    avatar_url: str | None = None
    hide_presence: bool = False
    groups_from: str = "everyone"
    mail: str = "off"
    previews: bool = True
    quiet_hours: QuietHours | None = None
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Contact:
    """`status`: requested (by the own user), incoming (a request to them) or accepted. `alias` is for the own eyes."""

    user_id: str
    status: str
    alias: str | None = None
    since: int = 0
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class File:
    """An uploaded image or file. `status` is pending, ready, or rejected, for which `reason` says why.

    `url` and `thumbnail_url` (of images) are good for `expires_in` seconds, for every holder: they are secrets, and
    not shown. `width` and `height` are those of an image, in pixels.
    """

    id: str
    kind: str
    name: str
    content_type: str
    size: int
    status: str
    reason: str | None = None
    width: int | None = None
    height: int | None = None
    url: str | None = field(default=None, repr=False)
    thumbnail_url: str | None = field(default=None, repr=False)
    expires_in: int | None = None
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Device:
    """Where pushes go. `token` or `installation_id` is the push service's name for it; `environment` is APNs'."""

    device_id: str
    platform: str
    token: str | None = field(default=None, repr=False)
    installation_id: str | None = field(default=None, repr=False)
    environment: str | None = None
    app_id: str | None = None
    registered_at: int = 0
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Notified:
    """A notification as it was sent: its id, and how many users it is for."""

    notification_id: str
    users: int


@dataclass(frozen=True, slots=True)
class Reminder:
    """At `at` (ms) the user is told of the message again."""

    id: str
    conversation_id: str
    seq: int
    at: int
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@understood
def as_history(body: Frame) -> History:
    return History(tuple(as_message(each) for each in body["messages"]), body.get("has_more") is True)


def as_settled(body: Frame) -> Settled:
    return Settled(
        muted_until=body.get("muted_until"),
        notify=str(body.get("notify") or "all"),
        pinned=body.get("pinned") is True,
        archived=body.get("archived") is True,
        raw=body,
    )


@understood
def as_summary(body: Frame) -> Summary:
    last, members, permissions = body.get("last_message"), body.get("members") or (), body.get("permissions")
    return Summary(
        id=str(body["id"]),
        type=str(body.get("type", "")),
        head=_count(body, "head"),
        unread=_count(body, "unread"),
        read_seq=_count(body, "read_seq"),
        name=body.get("name"),
        members=tuple(map(str, members)),
        last_message=as_message(last) if isinstance(last, Mapping) else None,
        delivered_seq=_count(body, "delivered_seq"),
        joined_seq=_count(body, "joined_seq"),
        member_count=_count(body, "member_count") or len(members),
        role=body.get("role"),
        topic=body.get("topic"),
        avatar=body.get("avatar"),
        data=body.get("data"),
        join=body.get("join"),
        history=str(body.get("history") or "all"),
        slow_mode=_count(body, "slow_mode"),
        frozen=body.get("frozen") is True,
        retention_days=_count(body, "retention_days") or None,
        permissions=None if permissions is None else frozenset(map(str, permissions)),
        settings=as_settled(body),
        raw=body,
    )


@understood
def as_inbox(body: Frame) -> InboxPage:
    found = tuple(as_summary(each) for each in body["conversations"])
    return InboxPage(found, body.get("next_cursor"), as_versions(body))


@understood
def as_versions(body: Frame) -> Mapping[str, int]:
    """Of users' records, as a server says them that knows of them."""
    return {str(user): int(version) for user, version in (body.get("versions") or {}).items()}


@understood
def as_group(body: Frame) -> Group:
    members = tuple(map(str, body.get("members") or ()))
    name, role = str(body.get("name") or ""), str(body.get("role") or "")
    return Group(str(body["id"]), name, members, role, _count(body, "head"), body)


@understood
def as_member(body: Frame) -> Member:
    user_id, role = str(body["user_id"]), str(body.get("role") or "member")
    return Member(
        user_id, role, _count(body, "joined_at"), _count(body, "read_seq"), _count(body, "delivered_seq"), body
    )


@understood
def as_added(body: Frame) -> Added:
    return Added(tuple(map(str, body["added"])), _count(body, "members_count"), body)


@understood
def as_profile(body: Frame) -> Profile:
    push: Any = body.get("push") or {}
    quiet = push.get("quiet_hours")
    return Profile(
        user_id=str(body["user_id"]),
        display_name=body.get("display_name"),
        avatar_url=body.get("avatar_url"),
        hide_presence=body.get("hide_presence") is True,
        groups_from=body.get("groups_from") or "everyone",
        mail=str(body.get("mail") or "off"),
        previews=push.get("previews") is not False,
        quiet_hours=QuietHours(quiet["start"], quiet["end"], quiet["time_zone"]) if quiet else None,
        raw=body,
    )


@understood
def as_contact(body: Frame) -> Contact:
    return Contact(str(body["user_id"]), str(body["status"]), body.get("alias"), _count(body, "since"), body)


@understood
def as_file(body: Frame) -> File:
    optional = ("reason", "width", "height", "url", "thumbnail_url", "expires_in")
    return File(
        id=str(body["file_id"]),
        kind=str(body.get("kind", "file")),
        name=str(body.get("name", "")),
        content_type=str(body.get("content_type", "")),
        size=_count(body, "size"),
        status=str(body["status"]),
        **{name: body.get(name) for name in optional},
        raw=body,
    )


@understood
def as_device(body: Frame) -> Device:
    optional = ("token", "installation_id", "environment", "app_id")
    return Device(
        device_id=str(body["device_id"]),
        platform=str(body["platform"]),
        **{name: body.get(name) for name in optional},
        registered_at=_count(body, "registered_at"),
        raw=body,
    )


@understood
def as_notified(body: Frame) -> Notified:
    return Notified(str(body["notification_id"]), _count(body, "users"))


@understood
def as_reminder(body: Frame) -> Reminder:
    return Reminder(str(body["reminder_id"]), str(body["conversation_id"]), int(body["seq"]), int(body["at"]), body)


def _count(body: Frame, name: str) -> int:
    return int(body.get(name) or 0)
