from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from shared.chat.conversations import Created, Summary
from shared.chat.history import History
from shared.chat.models import Entry, Member
from shared.connection.tickets import Ticket
from shared.errors import Internal, NotAMember, Unavailable
from shared.wire.events import message_body
from shared.wire.http import (
    NewPrivateConversation,
    created_body,
    error_body,
    history_body,
    summary_body,
    ticket_body,
)

_ENTRY = Entry("dm:alice:bob", 42, "bob", 1_795_431_200_123, 40, "hi", authors={"bob": 40, "alice": 30})


@pytest.mark.parametrize(
    "body",
    [
        {"type": "private", "with": "bob"},
        {"type": "private", "with": "a.b-C_d@example.org", "something": "new"},
        {"type": "private", "with": "x" * 128},
    ],
)
def test_a_new_private_conversation_names_the_other(body: dict[str, Any]) -> None:
    assert NewPrivateConversation.model_validate_json(json.dumps(body)).with_ == body["with"]


@pytest.mark.parametrize(
    "body",
    [
        None,
        [],
        "private",
        {},
        {"type": "private"},
        {"with": "bob"},
        {"type": "group", "with": "bob"},
        {"type": "Private", "with": "bob"},
        {"type": None, "with": "bob"},
        {"type": "private", "with": None},
        {"type": "private", "with": 42},
        {"type": "private", "with": ["bob"]},
        {"type": "private", "with": ""},
        {"type": "private", "with": "a b"},
        {"type": "private", "with": "a:b"},
        {"type": "private", "with": "bob\n"},
        {"type": "private", "with": "é"},
        {"type": "private", "with": "x" * 129},
    ],
    ids=str,
)
def test_any_other_body_is_refused(body: Any) -> None:
    with pytest.raises(ValidationError):
        NewPrivateConversation.model_validate_json(json.dumps(body))


def test_a_conversation_that_was_made() -> None:
    assert created_body(Created("dm:alice:bob", ("alice", "bob"), is_new=True)) == {
        "id": "dm:alice:bob",
        "type": "private",
        "members": ["alice", "bob"],
    }


def test_a_ticket() -> None:
    assert ticket_body(Ticket("t1", 30)) == {"ticket": "t1", "expires_in": 30}


def test_a_conversation_of_the_inbox() -> None:
    member = Member("dm:alice:bob", "alice", 5, read_seq=38, read_number=36, delivered_seq=41)
    assert summary_body(Summary(member, _ENTRY)) == {
        "id": "dm:alice:bob",
        "type": "private",
        "name": None,
        "members": ["alice", "bob"],
        "head": 42,
        "last_message": message_body(_ENTRY),
        "unread": 4,
        "read_seq": 38,
        "delivered_seq": 41,
    }


def test_a_conversation_in_which_nothing_was_said() -> None:
    body = summary_body(Summary(Member("dm:alice:bob", "alice", 5), None))
    assert (body["head"], body["last_message"], body["unread"], body["read_seq"]) == (0, None, 0, 0)


def test_what_is_read_is_delivered() -> None:
    member = Member("dm:alice:bob", "alice", 5, read_seq=40, read_number=38, delivered_seq=7)
    assert summary_body(Summary(member, _ENTRY))["delivered_seq"] == 40


@pytest.mark.parametrize("has_more", [True, False])
def test_a_page_of_history(*, has_more: bool) -> None:
    assert history_body(History([_ENTRY], has_more=has_more)) == {
        "messages": [message_body(_ENTRY)],
        "has_more": has_more,
    }


def test_an_error_carries_the_request_it_was_an_answer_to() -> None:
    assert error_body(NotAMember(), "r-1") == {
        "error": "You are not a member of this conversation",
        "code": "not_a_member",
        "retryable": False,
        "request_id": "r-1",
    }
    assert error_body(Internal("oops"), "")["error"] == "oops"


def test_an_error_that_may_be_tried_again_says_when() -> None:
    assert error_body(Unavailable(retry_after_ms=1_500), "r-1")["retry_after_ms"] == 1_500
    assert "retry_after_ms" not in error_body(Internal(), "r-1")
