"""Events as they leave for a team's backend: one form for the bus and for webhooks (docs/events.md)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from shared.clock import SECOND_MS
from shared.domain.entries import Entry
from shared.domain.webhooks import Trial
from shared.ports.webhooks import Outgoing
from shared.wire.events import entry_event

TEST_TYPE: Final = "webhook.test"


def outgoing(entry: Entry) -> Outgoing:
    """An entry's event: its place is its id, and `data` is what connections are told."""
    told = entry_event(entry)
    body = {
        "id": entry.message_id,
        "type": told["type"],
        "timestamp": _iso(entry.created_at),
        "conversation_id": entry.conversation_id,
        "seq": entry.seq,
        "data": told,
    }
    return Outgoing(entry.message_id, told["type"], entry.conversation_id, _encoded(body))


def trial_event(trial: Trial, now: int) -> Outgoing:
    """To try an endpoint with: it is of no conversation, and has no place."""
    event_id = f"test/{trial.nonce}"
    body = {"id": event_id, "type": TEST_TYPE, "timestamp": _iso(now), "data": {"webhook_id": trial.webhook_id}}
    return Outgoing(event_id, TEST_TYPE, "", _encoded(body))


def _iso(ms: int) -> str:
    """RFC 3339, with the milliseconds."""
    seconds, rest = divmod(ms, SECOND_MS)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:03}Z"


def _encoded(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
