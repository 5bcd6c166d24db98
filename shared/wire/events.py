"""Events and acknowledgements, as plain values: who sends them encodes them. What is too heavy is cut."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, assert_never

from shared.domain.changes import (
    Added,
    Change,
    Deleted,
    Edited,
    Happened,
    OwnChanged,
    Reacted,
    Removed,
    Renamed,
    RolesChanged,
    Updated,
)
from shared.domain.connections import Closing, News, Presence, PresenceChange
from shared.domain.custom import NO_DATA
from shared.domain.entries import (
    MAX_MESSAGE_BYTES,
    WITHHELD,
    Entry,
    Pack,
    Reaction,
    ReadAlong,
    Receipt,
    Typing,
    is_too_heavy,
    text_bytes,
)

if TYPE_CHECKING:  # shapes are types alone, and only who sends notifications pays for loading what they are
    from shared.domain.notifications import Notification
    from shared.domain.screening import Held
    from shared.operations.changes import Changed
    from shared.operations.editing import Pinning, React
    from shared.ports.services import Event
    from shared.wire.shapes import messages as shapes
    from shared.wire.shapes import people
    from shared.wire.shapes.messages import Content, Message


# An edit that is too heavy is cut so far that its data and the ids around it have room.
_MAX_CONTENT_BYTES: Final = MAX_MESSAGE_BYTES - 1_024
# Below this many characters of content none is, whatever its ids and its data.
_MAY_BE_HEAVY: Final = 2_500
# Counts of reactions have what the content leaves, and this much in any case.
_COUNTS_BYTES: Final = 2_048


_OPTIONAL: Final = ("client_message_id", "reply_to", "file_id", "edited_at", "deleted_at", "pinned_at")


def message_body(entry: Entry) -> Message:
    """A message as events, sync, history and the inbox show it: as it is now, and cut where it is too heavy."""
    whole = whole_message_body(entry)
    return cut_message(whole, entry) if is_too_heavy(entry) else whole


def whole_message_body(entry: Entry) -> Message:
    """A message with all that belongs to it, for who asks for this one alone. A deleted one has no content."""
    body: Message = {
        "id": entry.message_id,
        "conversation_id": entry.conversation_id,
        "seq": entry.seq,
        "sender_id": entry.sender_id,
        "content": entry.content,
        "type": entry.message_type,
        "created_at": entry.created_at,
    }
    for name in _OPTIONAL:
        if (value := getattr(entry, name)) is not None:
            body[name] = value
    if entry.mentions:
        body["mentions"] = list(entry.mentions)
    if entry.deleted_at is None:  # an older version that deleted it knew of neither
        if entry.data is not None and entry.data != NO_DATA:
            body["data"] = json.loads(entry.data)
        if entry.attachments is not None:
            body["attachments"] = json.loads(entry.attachments)
        if entry.media is not None:
            body["media"] = json.loads(entry.media)
    if entry.forwarded:
        body["forwarded"] = True
    if entry.reactions:
        body["reactions"] = reactions_body(entry.reactions)
    return body


def cut_message(body: Message, entry: Entry) -> Message:
    """The body with at most 24 KB: reactions become counts, of the commonest, and if need be the content ends early."""
    counts = Counter(emoji for emoji, _ in entry.reactions)
    body = body.copy()
    if counts:
        del body["reactions"]
        body.update({"reactions_cut": True, "reaction_counts": {}, "reaction_total": len(entry.reactions)})
    for_counts = min(_COUNTS_BYTES, sum(map(_count_bytes, counts, counts.values())))
    content = body["content"]
    if content is not None:
        room = MAX_MESSAGE_BYTES - _size({**body, "content": "", "content_cut": True}) - for_counts
        shown = cut_content(content, room)
        body["content"] = shown["content"]
        if "content_cut" in shown:
            body["content_cut"] = True
    room = MAX_MESSAGE_BYTES - _size(body)
    kept: dict[str, int] = {}
    for emoji, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])):
        room -= _count_bytes(emoji, count)
        if room < 0:
            break
        kept[emoji] = count
    if counts:
        body["reaction_counts"] = kept
    return body


def cut_content(content: str, room: int) -> Content:
    """As much of the beginning as fits into `room` bytes of JSON, marked where that is not all."""
    if 6 * len(content) + 2 <= room or text_bytes(content) <= room:
        return {"content": content}
    low, high = 0, len(content)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if text_bytes(content[:middle]) <= room else (low, middle - 1)
    return {"content": content[:low], "content_cut": True}


def _count_bytes(emoji: str, count: int) -> int:
    return text_bytes(emoji) + len(str(count)) + 2


def _size(body: Mapping[str, Any]) -> int:
    return len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass"))


def reactions_body(reactions: Iterable[Reaction]) -> dict[str, list[str]]:
    """Each emoji with its users, sorted, so that equal reactions look equal."""
    grouped: defaultdict[str, list[str]] = defaultdict(list)
    for emoji, user_id in sorted(reactions):
        grouped[emoji].append(user_id)
    return dict(grouped)


def entry_event(entry: Entry) -> dict[str, Any]:
    """A log entry's event. Durable: it carries `conversation_id` and `seq`."""
    place = {"type": "new_message", "conversation_id": entry.conversation_id, "seq": entry.seq}
    if entry.shadow is not None or entry.is_trimmed:
        return {**place, "type": WITHHELD, "timestamp": entry.created_at}
    if entry.change is None:
        return {**place, "message": message_body(entry)}
    if isinstance(entry.change, OwnChanged):
        return own_event(entry, entry.change)
    if isinstance(entry.change, Happened):
        said = {"type": entry.change.what, "seq": entry.seq, "timestamp": entry.created_at}
        return {**said, **json.loads(entry.change.value)}
    event = {
        **place,
        "type": entry.kind,
        **_by(entry.sender_id, entry.change),
        "timestamp": entry.created_at,
        **_change_fields(entry.conversation_id, entry.change),
    }
    return cut_edit(event, entry.change) if isinstance(entry.change, Edited) else event


def own_event(entry: Entry, change: OwnChanged) -> dict[str, Any]:
    """An entry of a user's own log. Without a `conversation_id`, by which clients know those of conversations."""
    place = {"type": entry.kind, "seq": entry.seq, "timestamp": entry.created_at}
    return {**place, "what": change.what, "value": json.loads(change.value)}


def cut_edit(event: dict[str, Any], edit: Edited) -> dict[str, Any]:
    """The event of an edit, of at most 24 KB: if need be its content ends early."""
    content = edit.content
    if content is None or len(content) < _MAY_BE_HEAVY or _size(event) <= MAX_MESSAGE_BYTES:
        return event
    return {**event, **cut_content(content, _MAX_CONTENT_BYTES - (len(edit.data.encode()) if edit.data else 0))}


def pack_event(pack: Pack) -> dict[str, Any]:
    """Each entry as it is told alone."""
    return {
        "type": "messages",
        "conversation_id": pack.conversation_id,
        "events": [entry_event(entry) for entry in pack.entries],
        "sync_within_ms": pack.sync_within_ms,
    }


def _by(user_id: str, change: Change) -> dict[str, str]:
    """Who did it. A reaction's user is whose it is: who knows of no moderators takes it off all the same."""
    if isinstance(change, Reacted) and change.owner_id is not None:
        return {"user_id": change.owner_id, "removed_by": user_id}
    return {"user_id": user_id}


def _change_fields(conversation_id: str, change: Change) -> dict[str, Any]:  # noqa: PLR0911  # one for each kind
    match change:
        case Edited(target=target, content=content, data=data):
            hung = {} if data is None else {"data": json.loads(data)}
            return {**_target(conversation_id, target), "content": content, **hung}
        case Deleted(target=target):
            return _target(conversation_id, target)
        case Reacted(target=target, emoji=emoji, removed=removed):
            return {**_target(conversation_id, target), "emoji": emoji, "removed": removed}
        case Added(users=users, name=name, said=said):
            first = {} if name is None else {"name": name, **(json.loads(said) if said else {})}
            return {"users": list(users), **first}
        case Removed(users=users):
            return {"users": list(users)}
        case Renamed(name=name):
            return {"changes": {"name": name}}
        case Updated(said=said, retention_days=days):
            return {"changes": {**json.loads(said), **({} if days is None else {"retention_days": days or None})}}
        case RolesChanged(roles=roles):
            return {"changes": {"roles": dict(roles)}}
        case Happened() | OwnChanged():
            return {}  # has an event of its own
    assert_never(change)


def _target(conversation_id: str, seq: int) -> dict[str, Any]:
    return {"message_seq": seq, "message_id": f"{conversation_id}/{seq}"}


def receipt_event(receipt: Receipt) -> dict[str, Any]:
    """A cursor that moved; `seq` is where it stands, not a place of its own in the log."""
    return {
        "type": receipt.kind,
        "conversation_id": receipt.conversation_id,
        "user_id": receipt.user_id,
        "seq": receipt.seq,
        "timestamp": receipt.timestamp,
    }


def presence_body(presence: Presence) -> people.Presence:
    return {"user_id": presence.user_id, "status": presence.status, "last_seen": presence.last_seen}


def notification_body(notification: Notification) -> people.Told:
    """What a notification says. The message that a reminder is about stands beside it."""
    return {
        "id": notification.notification_id,
        "kind": notification.kind,
        "title": notification.title,
        "body": notification.body,
        "data": dict(notification.data),
        "created_at": notification.created_at,
    }


def notification_event(notification: Notification) -> dict[str, Any]:
    """Kept until it is acknowledged: clients may get it several times, and know it by its id."""
    body: dict[str, Any] = {**notification_body(notification)}
    if notification.conversation_id:
        body |= {"conversation_id": notification.conversation_id, "seq": notification.seq}
    return {"type": "notification", "notification": body}


def event_body(event: Event) -> dict[str, Any]:  # noqa: PLR0911  # one for each kind
    match event:
        case Entry():
            return entry_event(event)
        case ReadAlong(entry=entry, read_seq=seq):
            return {**entry_event(entry), "read": seq}
        case Pack():
            return pack_event(event)
        case Receipt():
            return receipt_event(event)
        case Typing(conversation_id=conversation_id, user_id=user_id, active=active):
            return {"type": "typing", "conversation_id": conversation_id, "user_id": user_id, "active": active}
        case PresenceChange(presence=presence, timestamp=timestamp):  # a later one counts: they may come in any order
            return {"type": "presence", **presence_body(presence), "timestamp": timestamp}
        case News(kind=kind, said=said):
            return {"type": kind, **said}
        case Closing(code=code):
            return {"type": "disconnect", "code": code, "reconnect": False}
        case _:
            return notification_event(event)


def encode_plainly(event: Event) -> bytes:
    """An event as it is posted, for functions that import no faster encoder for the few that they send."""
    return json.dumps(event_body(event), ensure_ascii=False, separators=(",", ":")).encode()


def message_ack(entry: Entry, *, duplicate: bool) -> shapes.SentMessage:
    """That the message is stored, where and when. Of a hidden one its sender is told its own time."""
    ack: shapes.SentMessage = {
        "type": "message",
        "conversation_id": entry.conversation_id,
        "seq": entry.seq,
        "message_id": entry.message_id,
        "client_message_id": entry.client_message_id or "",
        "timestamp": entry.seen_by(entry.sender_id).created_at,
        "duplicate": duplicate,
    }
    if entry.client_message_id is None:
        del ack["client_message_id"]
    return ack


def held_ack(held: Held) -> shapes.HeldMessage:
    """That the message is kept for somebody to look at. It has no place yet, and may never get one."""
    ack: shapes.HeldMessage = {
        "type": "message",
        "status": "held",
        "conversation_id": held.conversation_id,
        "held_id": held.held_id,
        "client_message_id": held.client_message_id or "",
        "timestamp": held.at,
    }
    if held.client_message_id is None:
        del ack["client_message_id"]
    return ack


def edit_ack(conversation_id: str, seq: int, changed: Changed, *, now: int) -> shapes.EditedMessage:
    return {"type": "edit", **_changed(conversation_id, seq, changed, now)}


def delete_ack(conversation_id: str, seq: int, changed: Changed, *, now: int) -> shapes.DeletedMessage:
    return {"type": "delete", **_changed(conversation_id, seq, changed, now)}


def react_ack(command: React, changed: Changed, *, now: int) -> shapes.Reaction:
    """With the `user_id` of whose reaction was to be taken off, where the request said so."""
    place, owner_id = _changed(command.conversation_id, command.seq, changed, now), command.owner_id
    ack: shapes.Reaction = {
        "type": "react",
        **place,
        "emoji": command.emoji,
        "removed": command.remove,
        "user_id": owner_id or "",
    }
    if owner_id is None:
        del ack["user_id"]
    return ack


def pin_ack(command: Pinning, changed: Changed, *, now: int) -> shapes.PinChange:
    place = _changed(command.conversation_id, command.seq, changed, now)
    return {"type": "pin", **place, "removed": command.remove}


def read_ack(conversation_id: str, seq: int) -> shapes.ReadCursor:
    """`seq` is where the cursor stands now."""
    return {"type": "read", "conversation_id": conversation_id, "seq": seq}


def _changed(conversation_id: str, seq: int, changed: Changed, now: int) -> shapes.Changed:
    """`seq` is the message's; `entry_seq` is where the change stands in the log, null where it was so already."""
    entry = changed.entry
    return {
        "conversation_id": conversation_id,
        "seq": seq,
        "entry_seq": entry.seq if entry else None,
        "timestamp": entry.created_at if entry else now,
    }
