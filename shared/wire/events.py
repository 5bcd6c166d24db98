"""The shape of events, as plain values: whoever sends them encodes them."""

from __future__ import annotations

import json
from typing import Any

from shared.chat.models import Entry, Receipt


def message_body(entry: Entry) -> dict[str, Any]:
    """A message as events, sync, history and the inbox show it."""
    optional = {
        "client_message_id": entry.client_message_id,
        "reply_to": entry.reply_to,
        "mentions": list(entry.mentions) or None,
    }
    return {
        "id": entry.message_id,
        "conversation_id": entry.conversation_id,
        "seq": entry.seq,
        "sender_id": entry.sender_id,
        "content": entry.content,
        "type": entry.message_type,
        "created_at": entry.created_at,
        **{name: value for name, value in optional.items() if value is not None},
    }


def entry_event(entry: Entry) -> dict[str, Any]:
    """A log entry's event. Durable: it carries `conversation_id` and `seq`."""
    return {
        "type": "new_message",
        "conversation_id": entry.conversation_id,
        "seq": entry.seq,
        "message": message_body(entry),
    }


def receipt_event(receipt: Receipt) -> dict[str, Any]:
    """A cursor that moved; `seq` is where it stands, not a place of its own in the log."""
    return {
        "type": receipt.kind,
        "conversation_id": receipt.conversation_id,
        "user_id": receipt.user_id,
        "seq": receipt.seq,
        "timestamp": receipt.timestamp,
    }


def disconnect_event(code: str, *, reconnect: bool) -> bytes:
    """Said before the server closes a connection, since closing can't carry a reason."""
    return json.dumps({"type": "disconnect", "code": code, "reconnect": reconnect}).encode()


EVICTED = disconnect_event("connection_limit", reconnect=False)
