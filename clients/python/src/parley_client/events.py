"""What the application gets to see: typed events, made from the frames of the server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Frame = Mapping[str, Any]
ConnectionState = Literal["connecting", "online", "offline", "closed"]


@dataclass(frozen=True, slots=True)
class Message:
    """A message in its place of the conversation. `content` is None once it was deleted. Time is milliseconds."""

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
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """Any other durable change of a conversation (an edit, a new member …), in its place among the messages."""

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
    conversation_id: str
    user_id: str
    active: bool = True
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Presence:
    user_id: str
    status: str
    last_seen: int | None = None
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class ConnectionChanged:
    """`retry_in` (seconds) comes with "offline", `reason` where there is one."""

    state: ConnectionState
    reason: str = ""
    retry_in: float | None = None


@dataclass(frozen=True, slots=True)
class SendFailed:
    """A message that nobody awaits any more (of a restored state, or its `send` was cancelled) was refused."""

    client_message_id: str
    conversation_id: str | None
    to: str | None
    code: str
    reason: str
    retryable: bool


@dataclass(frozen=True, slots=True)
class MembershipLost:
    """The own user is no longer in the conversation: nothing more comes from it, unless they are added again."""

    conversation_id: str


@dataclass(frozen=True, slots=True)
class UnknownEvent:
    """Something this version of the client has no type for. It is handed on as it came."""

    type: str
    raw: Frame = field(default_factory=dict, repr=False, compare=False)


Entry = Message | LogEntry
Event = (
    Message
    | LogEntry
    | ReadReceipt
    | Delivered
    | Typing
    | Presence
    | ConnectionChanged
    | SendFailed
    | MembershipLost
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


# Receipts have a `seq` that is a cursor, not a place in the log. Everything else that has one is an entry.
_CURSORS: Final = frozenset({"read", "delivered"})


def is_seq(value: object) -> bool:
    """A place in a log: 1, 2, 3 … (JSON's true is an int to Python, and no place)."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def as_entry(frame: Frame) -> Entry | None:
    """The log entry that this frame is, or None: ephemeral, or malformed."""
    body = frame.get("message")
    inner: Frame = body if isinstance(body, Mapping) else {}
    kind = frame.get("type")
    conversation_id = frame.get("conversation_id", inner.get("conversation_id"))
    seq = frame.get("seq", inner.get("seq"))
    if not isinstance(kind, str) or kind in _CURSORS or not isinstance(conversation_id, str) or not is_seq(seq):
        return None
    assert isinstance(seq, int)  # noqa: S101  # is_seq, for the type checker
    if kind == "new_message":
        return as_message(inner, conversation_id=conversation_id, seq=seq) if inner else None
    return LogEntry(conversation_id, seq, kind, frame)


def as_message(body: Frame, *, conversation_id: str | None = None, seq: int | None = None) -> Message:
    """A message object of the protocol (in an event, or from the history)."""
    content, sent_as, reply_to = body.get("content"), body.get("client_message_id"), body.get("reply_to")
    created_at, file_id, mentions = body.get("created_at"), body.get("file_id"), body.get("mentions")
    return Message(
        conversation_id=conversation_id or str(body.get("conversation_id", "")),
        seq=seq or int(body.get("seq", 0)),
        sender_id=str(body.get("sender_id", "")),
        content=content if isinstance(content, str) else None,
        type=str(body.get("type", "text")),
        created_at=created_at if isinstance(created_at, int) else 0,
        id=str(body.get("id", "")),
        client_message_id=sent_as if isinstance(sent_as, str) else None,
        reply_to=reply_to if isinstance(reply_to, int) else None,
        mentions=tuple(map(str, mentions)) if isinstance(mentions, list | tuple) else (),
        file_id=file_id if isinstance(file_id, str) else None,
        raw=body,
    )


def as_event(frame: Frame) -> Event | None:
    """The ephemeral event that this frame is; UnknownEvent where type or shape are not known, None without a type."""
    kind = frame.get("type")
    if not isinstance(kind, str):
        return None
    make = _EPHEMERAL.get(kind)
    try:
        return make(frame) if make else UnknownEvent(kind, frame)
    except (KeyError, TypeError, ValueError):
        return UnknownEvent(kind, frame)


def as_ack(data: Frame) -> Ack | None:
    """The data of a reply to `message`; None where it is not what the protocol says."""
    seq, timestamp, sent_as = data.get("seq"), data.get("timestamp"), data.get("client_message_id")
    conversation_id = data.get("conversation_id")
    if not isinstance(conversation_id, str) or not isinstance(seq, int) or not is_seq(seq):
        return None
    return Ack(
        conversation_id=conversation_id,
        seq=seq,
        message_id=str(data.get("message_id", f"{conversation_id}/{seq}")),
        client_message_id=sent_as if isinstance(sent_as, str) else None,
        timestamp=timestamp if isinstance(timestamp, int) else 0,
        duplicate=data.get("duplicate") is True,
    )


def _read(frame: Frame) -> Event:
    return ReadReceipt(frame["conversation_id"], frame["user_id"], int(frame["seq"]), frame.get("timestamp"), frame)


def _delivered(frame: Frame) -> Event:
    return Delivered(frame["conversation_id"], frame["user_id"], int(frame["seq"]), frame.get("timestamp"), frame)


def _typing(frame: Frame) -> Event:
    return Typing(frame["conversation_id"], frame["user_id"], frame.get("active", True) is True, frame)


def _presence(frame: Frame) -> Event:
    return Presence(frame["user_id"], str(frame["status"]), frame.get("last_seen"), frame)


_EPHEMERAL: Final[dict[str, Callable[[Frame], Event]]] = {
    "read": _read,
    "delivered": _delivered,
    "typing": _typing,
    "presence": _presence,
}
