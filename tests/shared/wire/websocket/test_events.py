from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from shared.domain.changes import Added, Change, Deleted, Edited, Reacted, Removed, Renamed, RolesChanged, Updated
from shared.domain.connections import EVICTED, Presence, PresenceChange
from shared.domain.entries import Entry, Receipt, Typing
from shared.domain.notifications import REMINDER, SYSTEM, Notification
from shared.wire.events import encode_plainly, entry_event, event_body, message_body, reactions_body, receipt_event
from shared.wire.websocket.frames import encode_event

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


def test_a_close_event_says_why_and_not_to_come_back() -> None:
    assert json.loads(encode_plainly(EVICTED)) == {"type": "disconnect", "code": "connection_limit", "reconnect": False}


GROUP = "group:0123456789abcdef"
TARGET = {"message_seq": 42, "message_id": f"{GROUP}/42"}
CHANGES: list[tuple[Change, str, dict[str, Any]]] = [
    (Edited(42, "better", previous=40), "message_edited", {**TARGET, "content": "better"}),
    (Edited(42, None), "message_edited", {**TARGET, "content": None}),
    (Edited(42, "x", data='{"a":[1]}'), "message_edited", {**TARGET, "content": "x", "data": {"a": [1]}}),
    (Edited(42, "x", data="null"), "message_edited", {**TARGET, "content": "x", "data": None}),
    (Deleted(42, previous=40), "message_deleted", TARGET),
    (Deleted(42, file_id="secret-file"), "message_deleted", TARGET),
    (Reacted(42, "x", removed=False), "reaction", {**TARGET, "emoji": "x", "removed": False}),
    (Reacted(42, "x", removed=True), "reaction", {**TARGET, "emoji": "x", "removed": True}),
    (Added(("bob", "carol"), size=3), "member_added", {"users": ["bob", "carol"]}),
    (
        Added(("alice", "bob"), size=2, roles={"alice": "owner"}, name="friends"),
        "member_added",
        {"users": ["alice", "bob"], "name": "friends"},
    ),
    (
        Added(("alice",), size=1, name="friends", said='{"topic":"us","data":{"a":1}}'),
        "member_added",
        {"users": ["alice"], "name": "friends", "topic": "us", "data": {"a": 1}},
    ),
    (
        Updated('{"name":"ours","topic":null}', "ours"),
        "conversation_updated",
        {"changes": {"name": "ours", "topic": None}},
    ),
    (Removed(("bob",), size=1), "member_removed", {"users": ["bob"]}),
    (Renamed("ours"), "conversation_updated", {"changes": {"name": "ours"}}),
    (RolesChanged({"bob": "admin"}), "conversation_updated", {"changes": {"roles": {"bob": "admin"}}}),
]


@pytest.mark.parametrize(("change", "kind", "fields"), CHANGES)
def test_a_change_is_durable_and_says_who_did_what(change: Change, kind: str, fields: dict[str, Any]) -> None:
    entry = Entry(GROUP, 43, "alice", 1_234, 40, change=change, nonce="secret", message_seq=42)
    assert entry_event(entry) == {
        "type": kind,
        "conversation_id": GROUP,
        "seq": 43,
        "user_id": "alice",
        "timestamp": 1_234,
        **fields,
    }


def test_a_message_shows_what_became_of_it() -> None:
    reactions = frozenset({("👍", "bob"), ("👍", "alice"), ("x", "bob")})
    entry = replace(ENTRY, edited_at=5, last_edit=44, reactions=reactions, forwarded=True)
    assert message_body(entry) == {
        **message_body(ENTRY),
        "edited_at": 5,
        "reactions": {"x": ["bob"], "👍": ["alice", "bob"]},
        "forwarded": True,
    }


def test_what_an_older_version_left_of_a_deleted_message_is_not_shown() -> None:
    entry = replace(ENTRY, content=None, deleted_at=9, data='{"secret":1}', attachments='[{"type":"x"}]')
    assert message_body(entry) == {**message_body(ENTRY), "content": None, "deleted_at": 9}


def test_a_deleted_message_has_its_ids_and_no_content() -> None:
    entry = replace(ENTRY, content=None, digest="", deleted_at=9, client_message_id="0d9f")
    assert message_body(entry) == {**message_body(ENTRY), "content": None, "client_message_id": "0d9f", "deleted_at": 9}


def test_equal_reactions_look_equal() -> None:
    pairs = [("b", "x"), ("a", "z"), ("b", "a")]
    assert (
        json.dumps(reactions_body(pairs)) == json.dumps(reactions_body(pairs[::-1])) == '{"a": ["z"], "b": ["a", "x"]}'
    )
    assert reactions_body([]) == {}


@pytest.mark.parametrize("active", [True, False])
def test_typing_is_no_durable_event(*, active: bool) -> None:
    body = event_body(Typing(GROUP, "bob", active))
    assert body == {"type": "typing", "conversation_id": GROUP, "user_id": "bob", "active": active}


def test_presence_says_when_so_that_the_later_counts() -> None:
    body = event_body(PresenceChange(Presence("bob", "offline", 5), 9))
    assert body == {"type": "presence", "user_id": "bob", "status": "offline", "last_seen": 5, "timestamp": 9}


@pytest.mark.parametrize(
    "event",
    [
        replace(ENTRY, content="é😀", reactions=frozenset({("👍", "bob")})),
        Entry(GROUP, 43, "alice", 1_234, 40, change=Removed(("bob",), size=1)),
        Receipt("read", GROUP, "bob", 42, 5),
        Typing(GROUP, "bob", active=True),
        PresenceChange(Presence("bob", "online"), 9),
    ],
)
def test_both_encoders_say_the_same(event: Any) -> None:
    assert encode_plainly(event) == encode_event(event)


@pytest.mark.parametrize("encode", [encode_plainly, encode_event])
def test_a_notice_says_all_but_whose_it_is_and_until_when(encode: Callable[[Notification], bytes]) -> None:
    notification = Notification("n1", "alice", SYSTEM, 5, 9, "Title", "Body", {"k": "v"})
    assert json.loads(encode(notification)) == {
        "type": "notification",
        "notification": {
            "id": "n1",
            "kind": "system",
            "title": "Title",
            "body": "Body",
            "data": {"k": "v"},
            "created_at": 5,
        },
    }


def test_a_reminder_says_of_which_message() -> None:
    notification = Notification("r1", "alice", REMINDER, 5, 9, "Reminder", conversation_id="dm:alice:bob", seq=7)
    body = event_body(notification)["notification"]
    assert (body["kind"], body["conversation_id"], body["seq"], body["data"]) == ("reminder", "dm:alice:bob", 7, {})
