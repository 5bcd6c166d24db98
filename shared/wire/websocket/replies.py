"""Replies to frames, and events, as the bytes that are sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from shared.domain.connections import Presence
from shared.domain.entries import Entry
from shared.errors import ParleyError
from shared.operations.sync import Sync
from shared.ports.services import Event
from shared.wire.common import encode_sync_cursor, error_fields
from shared.wire.messages import read_ack
from shared.wire.websocket.events import entry_event, event_body, presence_body

_encode: Final = msgspec.json.Encoder().encode


def success(frame_id: str | None, data: Mapping[str, Any]) -> str:
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


def cursor_ack(kind: str, conversation_id: str, seq: int) -> dict[str, Any]:
    """`seq` is where the cursor stands now."""
    return {**read_ack(conversation_id, seq), "type": kind}


def typing_ack(conversation_id: str, *, active: bool) -> dict[str, Any]:
    return {"type": "typing", "conversation_id": conversation_id, "active": active}


def presence_ack(found: Sequence[Presence]) -> dict[str, Any]:
    return {"type": "presence", "users": [presence_body(one) for one in found]}


def auth_ack(user_id: str, expires_at: int) -> dict[str, Any]:
    return {"type": "auth", "user_id": user_id, "expires_at": expires_at}
