from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.entries import Entry, Receipt
from shared.errors import BadRequest, Internal, NotAMember, ParleyError, RateLimited, Unavailable
from shared.operations.sync import Sync, Synced
from shared.wire.events import message_ack
from shared.wire.websocket.frames import cursor_ack, encode_event, event_size, failure, pong, success, sync_reply

ENTRY = Entry(
    conversation_id="dm:alice:bob",
    seq=42,
    sender_id="alice",
    created_at=1_795_431_200_123,
    number=40,
    content="hi",
    client_message_id="0d9f",
    authors={"alice": 40},
    nonce="n",
    digest="d",
)
RECEIPT = Receipt("read", "dm:alice:bob", "bob", 42, 1_795_431_200_456)


def test_a_success_is_as_the_protocol_shows_it() -> None:
    data = message_ack(ENTRY, duplicate=False)
    assert json.loads(success("17", data)) == {
        "success": True,
        "id": "17",
        "data": {
            "type": "message",
            "conversation_id": "dm:alice:bob",
            "seq": 42,
            "message_id": "dm:alice:bob/42",
            "client_message_id": "0d9f",
            "timestamp": 1_795_431_200_123,
            "duplicate": False,
        },
    }


def test_a_failure_is_as_the_protocol_shows_it() -> None:
    assert json.loads(failure("17", NotAMember())) == {
        "success": False,
        "id": "17",
        "error": "You are not a member of this conversation",
        "code": "not_a_member",
        "retryable": False,
    }


@pytest.mark.parametrize("error", [RateLimited(retry_after_ms=250), Unavailable(retry_after_ms=250)])
def test_what_may_be_tried_again_says_when(error: ParleyError) -> None:
    body = json.loads(failure("17", error))
    assert (body["retryable"], body["retry_after_ms"]) == (True, 250)


@pytest.mark.parametrize("error", [BadRequest(), Internal()])
def test_other_errors_say_no_time(error: ParleyError) -> None:
    assert "retry_after_ms" not in json.loads(failure("17", error))


@pytest.mark.parametrize("frame_id", ["", "17", "é\u0000😀", '"\\'])
def test_an_id_is_echoed_as_it_came(frame_id: str) -> None:
    assert json.loads(success(frame_id, {}))["id"] == frame_id
    assert json.loads(failure(frame_id, BadRequest()))["id"] == frame_id


def test_a_frame_without_an_id_gets_a_reply_without_one() -> None:
    assert json.loads(success(None, {})) == {"success": True, "data": {}}
    assert "id" not in json.loads(failure(None, BadRequest()))


def test_a_resend_gets_the_same_ack_but_for_duplicate() -> None:
    first = message_ack(ENTRY, duplicate=False)
    again = message_ack(ENTRY, duplicate=True)
    assert again == {**first, "duplicate": True}


def test_a_message_without_an_id_of_the_clients_gets_an_ack_without_one() -> None:
    entry = replace(ENTRY, client_message_id=None)
    assert "client_message_id" not in message_ack(entry, duplicate=False)


@pytest.mark.parametrize("kind", ["read", "delivered"])
def test_the_ack_of_a_cursor_says_where_it_stands(kind: str) -> None:
    assert cursor_ack(kind, "dm:alice:bob", 7) == {"type": kind, "conversation_id": "dm:alice:bob", "seq": 7}


@pytest.mark.parametrize("behind", [True, False])
def test_a_pong(*, behind: bool) -> None:
    assert pong(5, behind=behind) == {"type": "pong", "timestamp": 5, "behind": behind}


def test_an_events_bytes_are_compact_utf8() -> None:
    encoded = encode_event(replace(ENTRY, content="é😀"))
    assert b": " not in encoded
    assert "é😀".encode() in encoded
    assert json.loads(encoded)["message"]["content"] == "é😀"


@pytest.mark.parametrize(
    ("event", "kind"), [(ENTRY, "new_message"), (RECEIPT, "read"), (replace(RECEIPT, kind="delivered"), "delivered")]
)
def test_an_event_has_a_type_and_no_success(event: Entry | Receipt, kind: str) -> None:
    body = json.loads(encode_event(event))
    assert body["type"] == kind
    assert "success" not in body


def test_an_events_size_is_what_it_takes_in_a_list() -> None:
    entries = [replace(ENTRY, seq=seq, content="é" * seq) for seq in (1, 10, 100)]
    together = b"[" + b",".join(encode_event(entry) for entry in entries) + b"]"
    assert sum(map(event_size, entries)) == len(together) - 1


def _synced(**changes: Any) -> Synced:
    return replace(Synced("dm:alice:bob", 42, [ENTRY], has_more=False, read_seq=40, unread=2, joined_seq=7), **changes)


def test_a_sync_reply_holds_each_conversation_with_its_entries_as_events() -> None:
    assert sync_reply(Sync([_synced()], refused=[], has_more=True), "alice") == {
        "type": "sync",
        "conversations": [
            {
                "id": "dm:alice:bob",
                "head": 42,
                "entries": [json.loads(encode_event(ENTRY))],
                "has_more": False,
                "read_seq": 40,
                "unread": 2,
                "joined_seq": 7,
            }
        ],
        "has_more": True,
    }


def test_a_sync_reply_names_what_was_refused_only_if_anything_was() -> None:
    assert sync_reply(Sync([], refused=["dm:x:y"], has_more=False), "alice") == {
        "type": "sync",
        "conversations": [],
        "refused": ["dm:x:y"],
        "has_more": False,
    }


def test_a_sync_reply_is_json_as_a_whole() -> None:
    reply = sync_reply(Sync([_synced(entries=[]), _synced(has_more=True)], refused=[], has_more=False), "alice")
    assert json.loads(success("1", reply))["data"] == reply
