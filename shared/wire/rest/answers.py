"""What the HTTP API answers, for the OpenAPI document: shapes with examples. Only the document imports this.

`http.py` makes the bodies; a test holds every answer to the shape that stands here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, NotRequired, TypeVar

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from shared.domain.changes import Role
from shared.domain.connections import Status
from shared.domain.contacts import ContactStatus, GroupsFrom

T = TypeVar("T", bound=type)

Count = Annotated[int, Field(ge=0)]
Place = Annotated[int, Field(ge=0, description="A place of the log: a `seq`, or 0 for before the first.")]
Time = Annotated[int, Field(ge=0, description="Milliseconds since the epoch.")]
Kind = Literal["text", "image", "file"]
Progress = Literal["sent", "delivered", "read"]
Notify = Literal["all", "mentions", "none"]

_AT = 1_795_431_200_123
_MESSAGE: dict[str, Any] = {
    "id": "dm:alice:bob/42",
    "conversation_id": "dm:alice:bob",
    "seq": 42,
    "sender_id": "alice",
    "content": "hi",
    "type": "text",
    "created_at": _AT,
    "client_message_id": "0d9f5c1e",
}
_SETTINGS: dict[str, Any] = {"muted_until": None, "notify": "all", "pinned": False, "archived": False}
_PRIVATE: dict[str, Any] = {
    "id": "dm:alice:bob",
    "type": "private",
    "name": None,
    "head": 42,
    "last_message": _MESSAGE,
    "unread": 1,
    "read_seq": 40,
    "delivered_seq": 41,
    "joined_seq": 0,
    "members": ["alice", "bob"],
    "member_count": 2,
    "role": None,
    **_SETTINGS,
}
_PROFILE: dict[str, Any] = {
    "user_id": "alice",
    "display_name": "Alice",
    "avatar_url": "https://example.com/a.png",
    "hide_presence": False,
    "groups_from": "everyone",
    "push": {
        "previews": True,
        "quiet_hours": {"start": "22:00", "end": "07:00", "time_zone": "Europe/Berlin"},
    },
}
_CONTACT: dict[str, Any] = {"user_id": "bob", "status": "accepted", "alias": "Bobby", "since": _AT}
_PRESENCE: dict[str, Any] = {"user_id": "bob", "status": "offline", "last_seen": _AT}
_ACK: dict[str, Any] = {"conversation_id": "dm:alice:bob", "seq": 42}
Code = Literal[
    "bad_request",
    "blocked",
    "conflict",
    "forbidden",
    "internal",
    "not_a_member",
    "not_found",
    "rate_limited",
    "sync_required",
    "token_expired",
    "too_large",
    "unauthenticated",
    "unavailable",
    "unknown_type",
]


def example(value: dict[str, Any]) -> Callable[[T], T]:
    """A shape with an example of it."""
    return with_config(ConfigDict(json_schema_extra={"examples": [value]}))


@example({"status": "ok", "time": _AT})
class Health(TypedDict):
    status: Literal["ok"]
    time: Time


@example({"ticket": "q2Xv0J5b3kRk1m7c9Tz4wYtNf8LhPdSaEuGiBoVxCnM", "expires_in": 30})
class Ticket(TypedDict):
    """Good for one handshake, within `expires_in` seconds."""

    ticket: str
    expires_in: Count


class QuietHours(TypedDict):
    start: str
    end: str
    time_zone: str


class Push(TypedDict):
    previews: bool
    quiet_hours: QuietHours | None


@example(_PROFILE)
class Profile(TypedDict):
    user_id: str
    display_name: str | None
    avatar_url: str | None
    hide_presence: bool
    groups_from: GroupsFrom
    push: Push


@example({"id": "dm:alice:bob", "type": "private", "members": ["alice", "bob"]})
class PrivateConversation(TypedDict):
    id: str
    type: Literal["private"]
    members: list[str]


@example(
    {
        "id": "group:3q2eHk0T9bZxVd7a",
        "type": "group",
        "name": "Team",
        "members": ["alice", "bob", "carol"],
        "role": "owner",
        "head": 1,
    }
)
class GroupConversation(TypedDict):
    id: str
    type: Literal["group"]
    name: str
    members: list[str]
    role: Role
    head: Place


CreatedConversation = PrivateConversation | GroupConversation


@example(_MESSAGE)
class Message(TypedDict):
    """A message as it is now. Once it is deleted, `content` is null and much of the rest is gone."""

    id: str
    conversation_id: str
    seq: Place
    sender_id: str
    content: str | None
    type: Kind
    created_at: Time
    client_message_id: NotRequired[str]
    reply_to: NotRequired[Place]
    mentions: NotRequired[list[str]]
    file_id: NotRequired[str]
    forwarded: NotRequired[Literal[True]]
    edited_at: NotRequired[Time]
    deleted_at: NotRequired[Time]
    reactions: NotRequired[Annotated[dict[str, list[str]], Field(description="Each emoji with its users, sorted.")]]
    reactions_cut: NotRequired[Literal[True]]
    reaction_counts: NotRequired[
        Annotated[dict[str, int], Field(description="With `reactions_cut`: the commonest emoji, and how often.")]
    ]
    reaction_total: NotRequired[Annotated[int, Field(description="With `reactions_cut`: all of them.")]]
    content_cut: NotRequired[
        Annotated[Literal[True], Field(description="There is more: the message's own GET has all.")]
    ]


class Receipts(TypedDict):
    """How many of the other members have got, and have read, a message."""

    members: Count
    delivered: Count
    read: Count


@example({**_MESSAGE, "status": "delivered"})
class ListedMessage(Message):
    """`status` comes with one's own messages in private conversations."""

    status: NotRequired[Progress]


@example({**_MESSAGE, "status": "read"})
class SingleMessage(Message):
    """`status` comes with one's own messages, and with those of them that are in groups `receipts`."""

    status: NotRequired[Progress]
    receipts: NotRequired[Receipts]


@example({"messages": [{**_MESSAGE, "status": "delivered"}], "has_more": True})
class History(TypedDict):
    messages: list[ListedMessage]
    has_more: bool


@example(_SETTINGS)
class Settings(TypedDict):
    muted_until: Time | None
    notify: Notify
    pinned: bool
    archived: bool


@example(_PRIVATE)
class Conversation(Settings):
    """A conversation as its member sees it.

    `members` are a private conversation's two, and null in a group; `role` is one's own in a group that was asked for
    by its id, and null otherwise. `last_message` may have other entries behind it; `head` counts those, too.
    """

    id: str
    type: Literal["private", "group"]
    name: str | None
    head: Place
    last_message: Message | None
    unread: Count
    read_seq: Place
    delivered_seq: Place
    joined_seq: Place
    members: list[str] | None
    member_count: Count
    role: Role | None


@example({"conversations": [_PRIVATE], "next_cursor": None})
class Inbox(TypedDict):
    conversations: list[Conversation]
    next_cursor: str | None


class Member(TypedDict):
    user_id: str
    role: Role
    joined_at: Time
    read_seq: Place
    delivered_seq: Place


@example(
    {
        "members": [
            {"user_id": "alice", "role": "owner", "joined_at": _AT, "read_seq": 42, "delivered_seq": 42},
            {"user_id": "bob", "role": "member", "joined_at": _AT, "read_seq": 40, "delivered_seq": 41},
        ]
    }
)
class Members(TypedDict):
    members: list[Member]


@example({"added": ["carol"], "members_count": 3})
class AddedMembers(TypedDict):
    added: list[str]
    members_count: Count


@example({"user_id": "bob", "role": "admin"})
class GrantedRole(TypedDict):
    user_id: str
    role: Role


@example(
    {
        "type": "message",
        **_ACK,
        "message_id": "dm:alice:bob/42",
        "client_message_id": "0d9f5c1e",
        "timestamp": _AT,
        "duplicate": False,
    }
)
class SentMessage(TypedDict):
    """`duplicate`: it was stored by an earlier request."""

    type: Literal["message"]
    conversation_id: str
    seq: Place
    message_id: str
    client_message_id: NotRequired[str]
    timestamp: Time
    duplicate: bool


class _Changed(TypedDict):
    """`seq` is the message's; `entry_seq` is the change's own place in the log, null where it was so already."""

    conversation_id: str
    seq: Place
    entry_seq: Place | None
    timestamp: Time


@example({"type": "edit", **_ACK, "entry_seq": 43, "timestamp": _AT})
class EditedMessage(_Changed):
    type: Literal["edit"]


@example({"type": "delete", **_ACK, "entry_seq": 43, "timestamp": _AT})
class DeletedMessage(_Changed):
    type: Literal["delete"]


@example({"type": "react", **_ACK, "entry_seq": 43, "timestamp": _AT, "emoji": "👍", "removed": False})
class Reaction(_Changed):
    type: Literal["react"]
    emoji: str
    removed: bool
    user_id: NotRequired[Annotated[str, Field(description="Whose reaction it was, where the request said so.")]]


@example({"type": "read", **_ACK})
class ReadCursor(TypedDict):
    """`seq` is where the cursor stands now."""

    type: Literal["read"]
    conversation_id: str
    seq: Place


@example(_CONTACT)
class Contact(TypedDict):
    """`since` is when it got this status."""

    user_id: str
    status: ContactStatus
    alias: str | None
    since: Time


@example({"contacts": [_CONTACT]})
class Contacts(TypedDict):
    contacts: list[Contact]


@example({"blocks": ["dave"]})
class Blocks(TypedDict):
    blocks: list[str]


class Presence(TypedDict):
    """`last_seen` is null while the user is online, and where it is not told."""

    user_id: str
    status: Status
    last_seen: Time | None


@example({"users": [_PRESENCE]})
class Presences(TypedDict):
    users: list[Presence]


@example({"closed": 2})
class Closed(TypedDict):
    """How many connections were live."""

    closed: Count


@example({"openapi": "3.1.0", "info": {"title": "Parley", "version": "1"}, "paths": {}})
class Document(TypedDict):
    """An OpenAPI document."""

    openapi: str
    info: dict[str, Any]
    servers: NotRequired[list[dict[str, Any]]]
    tags: NotRequired[list[dict[str, Any]]]
    security: NotRequired[list[dict[str, list[str]]]]
    paths: dict[str, Any]
    components: NotRequired[dict[str, Any]]


class Error(TypedDict):
    """`code` is for programs, and stable; `error` is for people. `retry_after_ms` says how long to wait, if at all."""

    error: str
    code: Code
    retryable: bool
    request_id: str
    retry_after_ms: NotRequired[Count]
