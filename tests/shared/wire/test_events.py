from __future__ import annotations

import json
from dataclasses import replace

import pytest

from shared.chat.models import Entry, Receipt
from shared.wire.events import disconnect_event, entry_event, message_body, receipt_event

ENTRY = Entry(
    conversation_id="dm:alice:bob",
    seq=42,
    sender_id="alice",
    created_at=1_795_431_200_123,
    number=40,
    content="hi",
    authors={"alice": 40, "bob": 39},
    nonce="secret-nonce",
    digest="secret-digest",
)


def test_a_message_in_short() -> None:
    assert message_body(ENTRY) == {
        "id": "dm:alice:bob/42",
        "conversation_id": "dm:alice:bob",
        "seq": 42,
        "sender_id": "alice",
        "content": "hi",
        "type": "text",
        "created_at": 1_795_431_200_123,
    }


def test_a_message_in_full() -> None:
    entry = replace(ENTRY, client_message_id="0d9f", reply_to=3, mentions=("bob",), message_type="image")
    assert message_body(entry) == {
        **message_body(ENTRY),
        "type": "image",
        "client_message_id": "0d9f",
        "reply_to": 3,
        "mentions": ["bob"],
    }


def test_a_new_message_is_durable_so_it_carries_conversation_and_seq() -> None:
    assert entry_event(ENTRY) == {
        "type": "new_message",
        "conversation_id": "dm:alice:bob",
        "seq": 42,
        "message": message_body(ENTRY),
    }


def test_what_only_the_log_needs_is_told_to_nobody() -> None:
    told = json.dumps(entry_event(ENTRY))
    assert "secret" not in told
    assert not {"authors", "number", "nonce", "digest", "kind"} & set(message_body(ENTRY))


@pytest.mark.parametrize("kind", ["read", "delivered"])
def test_a_receipt_says_who_has_come_how_far(kind: str) -> None:
    assert receipt_event(Receipt(kind, "dm:alice:bob", "bob", 42, 5)) == {
        "type": kind,
        "conversation_id": "dm:alice:bob",
        "user_id": "bob",
        "seq": 42,
        "timestamp": 5,
    }


@pytest.mark.parametrize("reconnect", [True, False])
def test_a_goodbye_says_why_and_whether_to_come_back(*, reconnect: bool) -> None:
    assert json.loads(disconnect_event("connection_limit", reconnect=reconnect)) == {
        "type": "disconnect",
        "code": "connection_limit",
        "reconnect": reconnect,
    }
