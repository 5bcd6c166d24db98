"""What a reply's `data` says where something was done. The HTTP API answers with the same, and without msgspec."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.domain.connections import Presence
from shared.domain.entries import Entry
from shared.operations.changes import Changed
from shared.wire.websocket.events import presence_body


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
