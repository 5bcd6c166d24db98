"""What the server says: replies to frames, and events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from shared.domain.connections import Presence
from shared.domain.entries import Entry
from shared.errors import ParleyError
from shared.operations.changes import Changed
from shared.operations.sync import Sync
from shared.wire.cursors import encode_sync_cursor
from shared.wire.refusals import error_fields
from shared.wire.websocket.events import Event, entry_event, event_body, presence_body

_encode: Final = msgspec.json.Encoder().encode


def success(frame_id: str | None, data: dict[str, Any]) -> str:
    return _encode({"success": True, **_echo(frame_id), "data": data}).decode()


def failure(frame_id: str | None, error: ParleyError) -> str:
    return _encode({"success": False, **_echo(frame_id), **error_fields(error)}).decode()


def _echo(frame_id: str | None) -> dict[str, str]:
    return {} if frame_id is None else {"id": frame_id}


def encode_event(event: Event) -> bytes:
    """An event as it is posted to every connection: serialised once."""
    return _encode(event_body(event))


def event_size(entry: Entry) -> int:
    """The bytes an entry takes in a sync reply."""
    return len(encode_event(entry)) + 1


def pong(timestamp: int, *, behind: bool) -> dict[str, Any]:
    return {"type": "pong", "timestamp": timestamp, "behind": behind}


def sync_reply(sync: Sync, user_id: str) -> dict[str, Any]:
    conversations = [
        {
            "id": one.conversation_id,
            "head": one.head,
            "entries": [entry_event(entry) for entry in one.entries],
            "has_more": one.has_more,
            "read_seq": one.read_seq,
            "unread": one.unread,
            "joined_seq": one.joined_seq,
        }
        for one in sync.conversations
    ]
    refused = {"refused": list(sync.refused)} if sync.refused else {}
    after = sync.next_after
    rest = {} if after is None else {"next_cursor": encode_sync_cursor(user_id, after)}
    return {"type": "sync", "conversations": conversations, **refused, "has_more": sync.has_more, **rest}


def message_ack(entry: Entry, *, duplicate: bool) -> dict[str, Any]:
    return {
        "type": "message",
        "conversation_id": entry.conversation_id,
        "seq": entry.seq,
        "message_id": entry.message_id,
        **({} if entry.client_message_id is None else {"client_message_id": entry.client_message_id}),
        "timestamp": entry.created_at,
        "duplicate": duplicate,
    }


def change_ack(kind: str, conversation_id: str, seq: int, changed: Changed, *, now: int) -> dict[str, Any]:
    """`seq` is the message's; `entry_seq` is where the change stands in the log, null where it was so already."""
    entry = changed.entry
    return {
        "type": kind,
        "conversation_id": conversation_id,
        "seq": seq,
        "entry_seq": entry.seq if entry else None,
        "timestamp": entry.created_at if entry else now,
    }


def react_ack(
    conversation_id: str,
    seq: int,
    emoji: str,
    changed: Changed,
    *,
    removed: bool,
    owner_id: str | None = None,
    now: int,
) -> dict[str, Any]:
    """`owner_id` is whose reaction was to be taken off, where the request said so."""
    ack = change_ack("react", conversation_id, seq, changed, now=now)
    whose = {} if owner_id is None else {"user_id": owner_id}
    return {**ack, "emoji": emoji, "removed": removed, **whose}


def cursor_ack(kind: str, conversation_id: str, seq: int) -> dict[str, Any]:
    return {"type": kind, "conversation_id": conversation_id, "seq": seq}


def typing_ack(conversation_id: str, *, active: bool) -> dict[str, Any]:
    return {"type": "typing", "conversation_id": conversation_id, "active": active}


def presence_ack(found: Sequence[Presence]) -> dict[str, Any]:
    return {"type": "presence", "users": [presence_body(one) for one in found]}


def auth_ack(user_id: str, expires_at: int) -> dict[str, Any]:
    return {"type": "auth", "user_id": user_id, "expires_at": expires_at}
