"""From the server's frames to typed events. What is malformed is never an exception: a client survives it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from parley_client.events import (
    Ack,
    Changed,
    ConversationUpdated,
    Delivered,
    Entry,
    Event,
    Frame,
    JoinRequested,
    LogEntry,
    MembersAdded,
    MembersRemoved,
    Message,
    MessageDeleted,
    MessageEdited,
    Notification,
    Presence,
    Reaction,
    ReadReceipt,
    Receipts,
    Typing,
    UnknownEvent,
    UserUpdated,
)

# Before a type that is known, where the rest of the frame is not what the protocol says of it.
MALFORMED: Final = "malformed:"
PACK: Final = "messages"
USER_CHANGED: Final = "user_changed"
_MAX_WITHIN_MS: Final = 300_000


# What JSON has become: the usual type first, for the other's check takes ten times as long.
_OBJECTS: Final = (dict, Mapping)
_LISTS: Final = (list, tuple)


def is_object(value: object) -> TypeGuard[Frame]:
    return isinstance(value, _OBJECTS)


def is_seq(value: object) -> bool:
    """A place in a log: 1, 2, 3 … (JSON's true is an int to Python, and no place)."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def as_entry(frame: Frame) -> Entry | None:
    """The log entry that this frame is, or None: one without a place in a log.

    An entry whose kind or shape is not known keeps its place, as a LogEntry.
    """
    kind, conversation_id, seq = frame.get("type"), frame.get("conversation_id"), frame.get("seq")
    if not isinstance(kind, str) or kind in _LIVE or not isinstance(conversation_id, str) or not is_seq(seq):
        return None
    assert isinstance(seq, int)  # noqa: S101  # is_seq, for the type checker
    make = _ENTRIES.get(kind)
    try:
        return make(conversation_id, seq, frame) if make else LogEntry(conversation_id, seq, kind, frame)
    except (KeyError, TypeError, ValueError):
        return LogEntry(conversation_id, seq, f"{MALFORMED}{kind}", frame)


@dataclass(frozen=True, slots=True)
class Pack:
    """Entries of one conversation that came in one event, each with its frame.

    Who lacks what is before them syncs `within` so many seconds. `is_whole`: there was nothing else among them.
    """

    entries: tuple[tuple[Entry, Frame], ...]
    within: float
    is_whole: bool


def as_pack(frame: Frame) -> Pack:
    """What of a `messages` event can be used. Whatever is no entry of its conversation is left out."""
    where, events = frame.get("conversation_id"), frame.get("events")
    listed: Sequence[Any] = events if isinstance(events, _LISTS) else ()
    mine = [each for each in listed if is_object(each) and each.get("conversation_id") == where]
    entries = tuple((entry, each) for each in mine if (entry := as_entry(each)) is not None)
    within = min(max(_number(frame.get("sync_within_ms")) or 0, 0), _MAX_WITHIN_MS) / 1_000
    return Pack(entries, within, bool(entries) and len(entries) == len(listed))


def as_message(body: Frame, *, conversation_id: str | None = None, seq: int | None = None) -> Message:
    """A message object of the protocol (in an event, or from the history)."""
    get = body.get
    return Message(
        conversation_id or str(get("conversation_id", "")),
        seq or _number(get("seq")) or 0,
        str(get("sender_id", "")),
        _text(get("content")),
        str(get("type", "text")),
        _number(get("created_at")) or 0,
        str(get("id", "")),
        _text(get("client_message_id")),
        raw=body,
        **{name: _OPTIONAL[name](value) for name, value in body.items() if name in _OPTIONAL},
    )


def as_event(frame: Frame) -> Event | None:
    """The ephemeral event that this frame is; UnknownEvent where type or shape are not known, None without a type."""
    kind = frame.get("type")
    if not isinstance(kind, str):
        return None
    make = _EPHEMERAL.get(kind)
    try:
        if make is not None:
            return make(frame)
    except (AttributeError, KeyError, TypeError, ValueError):
        return UnknownEvent(f"{MALFORMED}{kind}", frame)
    return UnknownEvent(f"{MALFORMED}{kind}" if kind in _ENTRIES or kind == PACK else kind, frame)


def as_ack(data: Frame) -> Ack | None:
    """The data of a reply to `message`; None where it is not what the protocol says."""
    seq, conversation_id = data.get("seq"), data.get("conversation_id")
    if not isinstance(conversation_id, str) or not isinstance(seq, int) or not is_seq(seq):
        return None
    return Ack(
        conversation_id=conversation_id,
        seq=seq,
        message_id=str(data.get("message_id", f"{conversation_id}/{seq}")),
        client_message_id=_text(data.get("client_message_id")),
        timestamp=_number(data.get("timestamp")) or 0,
        duplicate=data.get("duplicate") is True,
    )


def as_changed(data: Frame) -> Changed | None:
    """The data of a reply to `edit`, `delete` or `react`; None where it is not what the protocol says."""
    conversation_id, seq, entry_seq = data.get("conversation_id"), data.get("seq"), data.get("entry_seq")
    if not isinstance(conversation_id, str) or not isinstance(seq, int) or not is_seq(seq):
        return None
    if entry_seq is not None and not is_seq(entry_seq):
        return None
    return Changed(conversation_id, seq, entry_seq, _number(data.get("timestamp")) or 0)


def as_presences(data: Frame) -> tuple[Presence, ...]:
    """How the users are now: the data of a reply to `presence`, over either way."""
    users = data.get("users")
    listed = users if isinstance(users, _LISTS) else ()
    found = (as_event({"type": "presence", **each}) for each in listed if is_object(each))
    return tuple(each for each in found if isinstance(each, Presence))


def as_notifications(body: Frame) -> tuple[Notification, ...]:
    """What the user was told and has not acknowledged: the answer over HTTP."""
    listed = body.get("notifications")
    frames = (each for each in listed if is_object(each)) if isinstance(listed, _LISTS) else ()
    found = (as_event({"type": "notification", "notification": each}) for each in frames)
    return tuple(each for each in found if isinstance(each, Notification))


# --- parts


def _number(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _is_true(value: Any) -> bool:
    return value is True


def _as_texts(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, _LISTS) else ()


def _object(value: Any) -> Frame | None:
    return value if is_object(value) else None


def _objects(value: Any) -> tuple[Frame, ...]:
    return tuple(filter(is_object, value)) if isinstance(value, _LISTS) else ()


def _reactions(value: Any) -> dict[str, tuple[str, ...]]:
    listed = value if is_object(value) else {}
    return {str(emoji): tuple(map(str, users)) for emoji, users in listed.items() if isinstance(users, _LISTS)}


def _counts(listed: Any) -> dict[str, int]:
    if not is_object(listed):
        return {}
    counts = {str(emoji): _number(count) for emoji, count in listed.items()}
    return {emoji: count for emoji, count in counts.items() if count is not None}


def _receipts(value: Any) -> Receipts | None:
    if not is_object(value):
        return None
    members, delivered, read = (_number(value.get(name)) or 0 for name in ("members", "delivered", "read"))
    return Receipts(members, delivered, read)


# What most messages do not have: field → what the class has for a value.
_OPTIONAL: Final[dict[str, Callable[[Any], Any]]] = {
    "reply_to": _number,
    "mentions": _as_texts,
    "file_id": _text,
    "data": _object,
    "attachments": _objects,
    "media": _object,
    "forwarded": _is_true,
    "edited_at": _number,
    "deleted_at": _number,
    "reactions": _reactions,
    "content_cut": _is_true,
    "reaction_counts": _counts,
    "reaction_total": _number,
    "status": _text,
    "receipts": _receipts,
}


def _message_seq(frame: Frame) -> int:
    if not is_seq(frame["message_seq"]):
        raise ValueError("no place in a log")
    return int(frame["message_seq"])


def _named(frame: Frame, name: str) -> str:
    """An id, which applications have as a key."""
    value = _text(frame[name])
    if value is None:
        raise TypeError(f"{name} is text")
    return value


def _cursor(frame: Frame) -> int:
    """Where a cursor stands. JSON has numbers that are no integers, and to Python one that is infinite."""
    value = _number(frame["seq"])
    if value is None:
        raise TypeError("a cursor is an integer")
    return value


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, _LISTS) or not all(isinstance(each, str) for each in value):
        raise TypeError("not a list of text")
    return tuple(value)


def _text_or_none(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError("neither text nor null")
    return value


# --- kinds


def _new_message(where: str, seq: int, frame: Frame) -> Entry:
    body = frame["message"]
    if not is_object(body):
        raise TypeError("a message is an object")
    _check_message(body)
    return as_message(body, conversation_id=where, seq=seq)


def _check_message(body: Frame) -> None:
    """Raises where an application could not show it, or where it can't be told whose it is."""
    _named(body, "sender_id")
    _text_or_none(body["content"])
    _text_or_none(body.get("client_message_id"))
    if "mentions" in body:
        _texts(body["mentions"])
    if "reactions" in body:
        for users in dict(body["reactions"]).values():
            _texts(users)
    if "reply_to" in body and not is_seq(body["reply_to"]):
        raise ValueError("reply_to is no place in a log")


def _edited(where: str, seq: int, frame: Frame) -> Entry:
    content, at = _text_or_none(frame["content"]), _number(frame.get("timestamp")) or 0
    is_cut = frame.get("content_cut") is True
    data = frame.get("data")
    return MessageEdited(
        where,
        seq,
        _message_seq(frame),
        _named(frame, "user_id"),
        content,
        at,
        is_cut,
        _object(data),
        "data" in frame and (data is None or is_object(data)),
        frame,
    )


def _deleted(where: str, seq: int, frame: Frame) -> Entry:
    at = _number(frame.get("timestamp")) or 0
    return MessageDeleted(where, seq, _message_seq(frame), _named(frame, "user_id"), at, frame)


def _reaction(where: str, seq: int, frame: Frame) -> Entry:
    removed, at = frame.get("removed") is True, _number(frame.get("timestamp")) or 0
    emoji, user_id = _named(frame, "emoji"), _named(frame, "user_id")
    return Reaction(where, seq, _message_seq(frame), user_id, emoji, removed, at, _text(frame.get("removed_by")), frame)


def _added(where: str, seq: int, frame: Frame) -> Entry:
    name, at = _text(frame.get("name")), _number(frame.get("timestamp")) or 0
    return MembersAdded(where, seq, _named(frame, "user_id"), _texts(frame["users"]), name, at, frame)


def _removed(where: str, seq: int, frame: Frame) -> Entry:
    at = _number(frame.get("timestamp")) or 0
    return MembersRemoved(where, seq, _named(frame, "user_id"), _texts(frame["users"]), at, frame)


def _updated(where: str, seq: int, frame: Frame) -> Entry:
    changes, at = dict(frame["changes"]), _number(frame.get("timestamp")) or 0
    roles = {str(user): str(role) for user, role in dict(changes.get("roles", {})).items()}
    name = _named(changes, "name") if "name" in changes else None
    return ConversationUpdated(where, seq, _named(frame, "user_id"), name, roles, at, frame)


def _read(frame: Frame) -> Event:
    where, user_id, at = _named(frame, "conversation_id"), _named(frame, "user_id"), _number(frame.get("timestamp"))
    return ReadReceipt(where, user_id, _cursor(frame), at, frame)


def _delivered(frame: Frame) -> Event:
    where, user_id, at = _named(frame, "conversation_id"), _named(frame, "user_id"), _number(frame.get("timestamp"))
    return Delivered(where, user_id, _cursor(frame), at, frame)


def _typing(frame: Frame) -> Event:
    where, user_id = _named(frame, "conversation_id"), _named(frame, "user_id")
    return Typing(where, user_id, frame.get("active", True) is True, frame)


def _presence(frame: Frame) -> Event:
    last_seen, at = _number(frame.get("last_seen")), _number(frame.get("timestamp"))
    return Presence(_named(frame, "user_id"), _named(frame, "status"), last_seen, at, frame)


def _user_updated(frame: Frame) -> Event:
    user, version = frame["user"], _number(frame.get("version"))
    if not is_object(user):
        raise TypeError(user)
    return UserUpdated(_named(frame, "user_id"), version or 0, user, _number(frame.get("timestamp")), frame)


def _join_request(frame: Frame) -> Event:
    where, user_id = _named(frame, "conversation_id"), _named(frame, "user_id")
    by = _text(frame.get("by")) or user_id
    return JoinRequested(where, user_id, _named(frame, "status"), by, _number(frame.get("timestamp")), frame)


def _notification(frame: Frame) -> Event:
    body = frame["notification"]
    data, seq = body.get("data"), body.get("seq")
    return Notification(
        id=_named(body, "id"),
        kind=str(body.get("kind", "system")),
        title=str(body.get("title", "")),
        body=str(body.get("body", "")),
        data={str(name): str(value) for name, value in data.items()} if is_object(data) else {},
        created_at=_number(body.get("created_at")) or 0,
        conversation_id=_text(body.get("conversation_id")),
        seq=seq if is_seq(seq) else None,
        raw=body,
    )


_ENTRIES: Final[dict[str, Callable[[str, int, Frame], Entry]]] = {
    "new_message": _new_message,
    "message_edited": _edited,
    "message_deleted": _deleted,
    "reaction": _reaction,
    "member_added": _added,
    "member_removed": _removed,
    "conversation_updated": _updated,
}
_EPHEMERAL: Final[dict[str, Callable[[Frame], Event]]] = {
    "read": _read,
    "delivered": _delivered,
    "typing": _typing,
    "presence": _presence,
    "notification": _notification,
    "user_updated": _user_updated,
    "join_request": _join_request,
}
# A `seq` of these is not their own place in a log. Everything else that has one is an entry.
_LIVE: Final = frozenset({*_EPHEMERAL, PACK, "disconnect"})
