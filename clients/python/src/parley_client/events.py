"""What the application gets to see: typed events. `parsing.py` makes them from the frames of the server.

An `Entry` is a durable change with its place in the log of its conversation; everything else is told once and gone.
Times are milliseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Frame = Mapping[str, Any]
ConnectionState = Literal["connecting", "online", "offline", "closed"]


@dataclass(frozen=True, slots=True)
class Receipts:
    """How many of the other members have a message, and how many have read it."""

    members: int
    delivered: int
    read: int


@dataclass(frozen=True, slots=True)
class Message:
    """A message in its place of the conversation.

    `content` is None once it was deleted. One that is fetched later (a sync, the history) is as it is by then: edited,
    deleted, with its reactions (emoji → users). One that is heavier than the server lets them be today comes cut:
    `content_cut` says that `content` is only the beginning, and instead of `reactions` there are `reaction_counts`
    (emoji → how often, the commonest) and `reaction_total`; asked for alone over HTTP it has all. `status` (sent,
    delivered, read) and `receipts` come over HTTP only, with the own messages; they are no part of what is compared.
    """

    conversation_id: str
    seq: int
    sender_id: str
    content: str | None
    type: str = "text"
    created_at: int = 0
    id: str = ""
    client_message_id: str | None = None
    reply_to: int | None = None
    mentions: tuple[str, ...] = ()
    file_id: str | None = None
    data: Mapping[str, Any] | None = field(default=None, hash=False)
    attachments: tuple[Mapping[str, Any], ...] = field(default=(), hash=False)
    media: Mapping[str, Any] | None = field(default=None, hash=False, compare=False)
    forwarded: bool = False
    edited_at: int | None = None
    deleted_at: int | None = None
    reactions: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    content_cut: bool = False
    reaction_counts: Mapping[str, int] = field(default_factory=dict, hash=False)
    reaction_total: int | None = None
    status: str | None = field(default=None, compare=False)
    receipts: Receipts | None = field(default=None, compare=False)
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class MessageEdited:
    """`content` is None where a later entry has replaced it: there is nothing to show yet.

    `content_cut`: it is only the beginning, as in a message. `data`: what the message has now, where it ever had any;
    `has_data`: whether that is said.
    """

    conversation_id: str
    seq: int
    message_seq: int
    user_id: str
    content: str | None
    timestamp: int = 0
    content_cut: bool = False
    data: Mapping[str, Any] | None = field(default=None, hash=False)
    has_data: bool = False
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class MessageDeleted:
    """The content of a message is gone; its place stays."""

    conversation_id: str
    seq: int
    message_seq: int
    user_id: str
    timestamp: int = 0
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Reaction:
    """`user_id` reacted to a message, or that was taken back (`removed`).

    `removed_by`: the owner or admin of the group who took it off, where that was not the user.
    """

    conversation_id: str
    seq: int
    message_seq: int
    user_id: str
    emoji: str
    removed: bool = False
    timestamp: int = 0
    removed_by: str | None = None
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class MembersAdded:
    """`user_id` added `users`. Entry 1 of a group is its creation, by its owner, and has its name."""

    conversation_id: str
    seq: int
    user_id: str
    users: tuple[str, ...]
    name: str | None = None
    timestamp: int = 0
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class MembersRemoved:
    """`user_id` removed `users`; who leaves removes themselves."""

    conversation_id: str
    seq: int
    user_id: str
    users: tuple[str, ...]
    timestamp: int = 0
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class ConversationUpdated:
    """A new `name` (None: it stays), or new `roles` (user → role) of some members."""

    conversation_id: str
    seq: int
    user_id: str
    name: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict, hash=False)
    timestamp: int = 0
    raw: Frame = field(default_factory=dict, repr=False, compare=False)

    @property
    def pinned(self) -> int | None:
        """The message that was pinned; None where that is not what has changed."""
        return self._message("pinned")

    @property
    def unpinned(self) -> int | None:
        """The message whose pin was taken off; None where that is not what has changed."""
        return self._message("unpinned")

    def _message(self, name: str) -> int | None:
        seq = self.changes.get(name)
        return seq if isinstance(seq, int) and not isinstance(seq, bool) and seq > 0 else None

    @property
    def changes(self) -> Frame:
        """All that has changed, as it came: `topic`, `avatar`, `data`, `join`, `pinned`, `unpinned`, `members`, too."""
        found = self.raw.get("changes")
        return found if isinstance(found, Mapping) else {}


@dataclass(frozen=True, slots=True)
class LogEntry:
    """Any other durable change, in its place: of a kind that this version of the client does not know.

    Or of one that it knows, and malformed: then `type` is `malformed:` and that kind.
    """

    conversation_id: str
    seq: int
    type: str
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class ReadReceipt:
    """`user_id` has read everything up to `seq`."""

    conversation_id: str
    user_id: str
    seq: int
    timestamp: int | None = None
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Delivered:
    """Everything up to `seq` has reached a device of `user_id`."""

    conversation_id: str
    user_id: str
    seq: int
    timestamp: int | None = None
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Typing:
    """`user_id` writes in a conversation, or (`active` false) has stopped."""

    conversation_id: str
    user_id: str
    active: bool = True
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Presence:
    """`status` is online or offline. `timestamp` is None in an answer, which says how it is now."""

    user_id: str
    status: str
    last_seen: int | None = None
    timestamp: int | None = None
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class UserUpdated:
    """The record of a user whose presence is watched, or one's own, is another: `user` has it as it is now.

    Of two the greater `version` counts; 0 is a user without a record. `user` has the fields of a `User`.
    """

    user_id: str
    version: int
    user: Frame = field(default_factory=dict, hash=False)
    timestamp: int | None = None
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class JoinRequested:
    """Somebody wants to come into a group, or what has become of that: requested, accepted, declined or withdrawn.

    Those who decide on it hear it, and who asks. `by`: who has decided, or who asks.
    """

    conversation_id: str
    user_id: str
    status: str
    by: str
    timestamp: int | None = None
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class ConnectionChanged:
    """`retry_in` (seconds) comes with "offline", `reason` where there is one."""

    state: ConnectionState
    reason: str = ""
    retry_in: float | None = None


@dataclass(frozen=True, slots=True)
class SendFailed:
    """A message that is not awaited any more (of a restored state, or its `send` was cancelled) was refused.

    `content` is what it said; None where that was another message's (`forward_of`).
    """

    client_message_id: str
    conversation_id: str | None
    to: str | None
    code: str
    reason: str
    retryable: bool
    content: str | None = None


@dataclass(frozen=True, slots=True)
class MembershipLost:
    """The own user is no longer in the conversation: nothing more comes from it, unless they are added again."""

    conversation_id: str


@dataclass(frozen=True, slots=True)
class Notification:
    """Something to be told outside of conversations, until it is acknowledged. `kind` is system or reminder.

    A reminder is about a message (`conversation_id`, `seq`), which has the words. `data` is for the application.
    """

    id: str
    kind: str
    title: str
    body: str = ""
    data: Mapping[str, str] = field(default_factory=dict, hash=False)
    created_at: int = 0
    conversation_id: str | None = None
    seq: int | None = None
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class UserChanged:
    """What the user has changed of their own, on any device: an entry of their own log.

    `what` is settings, hidden, block, contact, profile or device, or another one; `value` is how it stands now.
    """

    seq: int
    what: str
    value: Frame = field(default_factory=dict, hash=False)
    timestamp: int = 0
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class UserReset:
    """Too much of the user's own log was missed, or this is its first: read how things are. It stands at `seq`."""

    seq: int


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """Something this version of the client has no type for, as it came.

    Or what it has one for, and is malformed: then `type` is `malformed:` and what it calls itself.
    """

    type: str
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


Entry = (
    Message | MessageEdited | MessageDeleted | Reaction | MembersAdded | MembersRemoved | ConversationUpdated | LogEntry
)
Event = (
    Entry
    | ReadReceipt
    | Delivered
    | Typing
    | Presence
    | UserUpdated
    | JoinRequested
    | Notification
    | ConnectionChanged
    | SendFailed
    | MembershipLost
    | UserChanged
    | UserReset
    | UnknownEvent
)


@dataclass(frozen=True, slots=True)
class Ack:
    """The server's word that a message is stored. `duplicate`: an earlier attempt had stored it already."""

    conversation_id: str
    seq: int
    message_id: str
    client_message_id: str | None
    timestamp: int
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class Changed:
    """The server's word that an edit, a deletion or a reaction is in effect.

    `seq` is the message's; `entry_seq` the log entry that says so, None where nothing had to change.
    """

    conversation_id: str
    seq: int
    entry_seq: int | None
    timestamp: int
