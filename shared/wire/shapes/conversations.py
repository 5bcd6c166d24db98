"""Conversations: the inbox, groups, their members, and how a member wants one shown."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from shared.domain.changes import History, JoinPolicy, Role
from shared.domain.members import Notify
from shared.wire.shapes.messages import MESSAGE, Message
from shared.wire.shapes.service import AT, Count, Place, Time, example

_SETTINGS: Final[dict[str, Any]] = {"muted_until": None, "notify": "all", "pinned": False, "archived": False}
_NOTHING_SAID: Final[dict[str, Any]] = {"topic": None, "avatar": None, "data": None}
_PRIVATE: Final[dict[str, Any]] = {
    "id": "dm:alice:bob",
    "type": "private",
    "name": None,
    **_NOTHING_SAID,
    "join": None,
    "history": "all",
    "head": 42,
    "last_message": MESSAGE,
    "unread": 1,
    "read_seq": 40,
    "delivered_seq": 41,
    "joined_seq": 0,
    "visible_from": 0,
    "members": ["alice", "bob"],
    "member_count": 2,
    "role": None,
    "slow_mode": 0,
    "frozen": False,
    "retention_days": None,
    **_SETTINGS,
}


@example(id="dm:alice:bob", type="private", members=["alice", "bob"])
class PrivateConversation(TypedDict):
    id: str
    type: Literal["private"]
    members: list[str]


class Description(TypedDict):
    """What a conversation says of itself beside its name."""

    topic: str | None
    avatar: str | None
    data: Annotated[dict[str, Any] | None, Field(description="What the team hangs on it.")]


@example(
    id="group:3q2eHk0T9bZxVd7a",
    type="group",
    name="Team",
    **_NOTHING_SAID,
    join="invite",
    history="all",
    members=["alice", "bob", "carol"],
    role="owner",
    head=1,
)
class GroupConversation(Description):
    id: str
    type: Literal["group"]
    join: JoinPolicy
    history: History
    name: str
    members: list[str]
    role: Role
    head: Place


@example(id="channel:7hQ2mXc0V4tBzYd1", type="channel", name="News", join="open", role="owner", head=1)
class Channel(TypedDict):
    """A channel, or a group, as who has made or joined it sees it."""

    id: str
    type: Literal["channel", "group"]
    name: str
    join: JoinPolicy
    role: Role
    head: Place


Versions = Annotated[
    dict[str, int], Field(description="With `versions=true`: of the records of the users shown, as far as one may see.")
]
CreatedConversation = PrivateConversation | GroupConversation | Channel


@example(**_SETTINGS)
class Settings(TypedDict):
    muted_until: Time | None
    notify: Notify
    pinned: bool
    archived: bool


@example(**_PRIVATE)
class Conversation(Settings, Description):
    """A conversation as its member sees it. `join` is null in private ones.

    `members` are a private conversation's two, and null in others; `role` is one's own in a group or channel that was
    asked for by its id, and null otherwise. A channel's `member_count` is an estimate, and 0 in the inbox.
    `last_message` may have other entries behind it; `head` counts those, too.
    """

    id: str
    type: Literal["private", "group", "channel"]
    name: str | None
    join: JoinPolicy | None
    history: History
    head: Place
    last_message: Message | None
    unread: Count
    read_seq: Place
    delivered_seq: Place
    joined_seq: Place
    visible_from: Place
    trimmed_below: NotRequired[Annotated[int, Field(ge=1, description="Where all there was is kept no longer.")]]
    members: list[str] | None
    member_count: Count
    role: Role | None
    slow_mode: Annotated[int, Field(ge=0, description="Seconds from one message of a plain member to the next.")]
    frozen: Annotated[bool, Field(description="Only who may `write_frozen` writes.")]
    retention_days: Annotated[int | None, Field(description="How long it is kept; null: as its kind is.")]


@example(**_PRIVATE, permissions=["send", "react", "pin"], versions={"alice": 0, "bob": AT})
class OneConversation(Conversation):
    """A conversation that was asked for by its id, and what one may do there: see "Roles and permissions"."""

    permissions: list[str]
    versions: NotRequired[Versions]


@example(conversations=[_PRIVATE], next_cursor=None)
class Inbox(TypedDict):
    conversations: list[Conversation]
    next_cursor: str | None
    versions: NotRequired[Versions]


_CURSORS: Final[dict[str, int]] = {"joined_at": AT, "read_seq": 40, "delivered_seq": 41, "visible_from": 0}


class Member(TypedDict):
    user_id: str
    role: Role
    joined_at: Time
    read_seq: Place
    delivered_seq: Place
    visible_from: Place
    data: Annotated[dict[str, Any] | None, Field(description="What the team hangs on the member.")]


@example(
    members=[
        {
            "user_id": "alice",
            "role": "owner",
            "joined_at": AT,
            "read_seq": 42,
            "delivered_seq": 42,
            "visible_from": 0,
            "data": None,
        },
        {
            "user_id": "bob",
            "role": "member",
            "joined_at": AT,
            "read_seq": 40,
            "delivered_seq": 41,
            "visible_from": 0,
            "data": {"a": 7},
        },
    ]
)
class Members(TypedDict):
    """`next_cursor` comes with a channel's, which are listed in pages; it is null at the end."""

    members: list[Member]
    next_cursor: NotRequired[str | None]
    versions: NotRequired[Versions]


@example(added=["carol"], members_count=3)
class AddedMembers(TypedDict):
    added: list[str]
    members_count: Count


@example(user_id="bob", role="admin")
class ChangedMember(TypedDict):
    """With `data` where that was named."""

    user_id: str
    role: Role
    data: NotRequired[dict[str, Any] | None]
