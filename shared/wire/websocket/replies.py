"""What the server says: replies to frames, and events."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from shared.domain.entries import Entry
from shared.errors import ParleyError
from shared.operations.sync import Sync
from shared.wire.cursors import encode_sync_cursor
from shared.wire.refusals import error_fields
from shared.wire.websocket.events import Event, entry_event, event_body

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
