"""What each operation answers, as the protocol shows it."""

from __future__ import annotations

from shared.domain.changes import Reacted
from shared.domain.connections import Presence
from shared.domain.entries import Entry
from shared.domain.rules import Audience
from shared.operations.changes import Changed
from shared.operations.editing import React
from shared.wire.events import delete_ack, edit_ack, react_ack
from shared.wire.websocket.frames import auth_ack, presence_ack, typing_ack

ENTRY = Entry("dm:alice:bob", 44, "bob", 1_234, 40, change=Reacted(42, "👍", removed=False))
DONE = Changed(ENTRY, Audience({}))
SO_ALREADY = Changed(None, Audience({}))


def test_a_change_says_which_message_and_where_it_stands_itself() -> None:
    assert edit_ack("dm:alice:bob", 42, DONE, now=9_999) == {
        "type": "edit",
        "conversation_id": "dm:alice:bob",
        "seq": 42,
        "entry_seq": 44,
        "timestamp": 1_234,
    }


def test_where_it_was_so_already_there_is_no_entry() -> None:
    ack = delete_ack("dm:alice:bob", 42, SO_ALREADY, now=9_999)
    assert (ack["entry_seq"], ack["timestamp"]) == (None, 9_999)


def test_a_reaction_says_which() -> None:
    command = React("bob", "dm:alice:bob", 42, "👍", remove=True)
    assert react_ack(command, DONE, now=9_999) == {
        **edit_ack("dm:alice:bob", 42, DONE, now=9_999),
        "type": "react",
        "emoji": "👍",
        "removed": True,
    }


def test_presence_is_listed_as_it_was_asked() -> None:
    assert presence_ack([Presence("bob", "online"), Presence("amy", "offline", 5)]) == {
        "type": "presence",
        "users": [
            {"user_id": "bob", "status": "online", "last_seen": None},
            {"user_id": "amy", "status": "offline", "last_seen": 5},
        ],
    }


def test_typing_and_a_fresh_token() -> None:
    typing = {"type": "typing", "conversation_id": "dm:alice:bob", "active": False}
    assert typing_ack("dm:alice:bob", active=False) == typing
    assert auth_ack("alice", 5) == {"type": "auth", "user_id": "alice", "expires_at": 5}
