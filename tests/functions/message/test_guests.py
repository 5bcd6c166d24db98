"""Guests over a connection: by what the authorizer hands on, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.connections import Identity
from shared.wire.websocket.gateway import authorizer_context, caller_of
from tests.fakes import DM
from tests.functions.events import HOUR, NOW, frame_event
from tests.functions.message.harness import MessageHarness

GUEST = frozenset({"guest"})


@pytest.fixture
def harness() -> MessageHarness:
    return MessageHarness()


def event(frame: Any, *, scopes: frozenset[str] = GUEST) -> dict[str, Any]:
    identity = Identity("alice", NOW + HOUR, scopes, NOW)
    made = frame_event(frame)
    made["requestContext"]["authorizer"] = authorizer_context(identity, device_id="phone", connected_at=NOW)
    return made


def say(harness: MessageHarness, frame: Any) -> dict[str, Any]:
    return harness.answer(event(frame))


def test_the_context_says_it_of_guests_alone() -> None:
    full, guest = (Identity("alice", NOW, scopes) for scopes in (frozenset({"chat"}), frozenset({"chat", "guest"})))
    assert "guest" not in authorizer_context(full, device_id="", connected_at=NOW)
    assert authorizer_context(guest, device_id="", connected_at=NOW)["guest"] == "true"
    assert caller_of(event({})).identity.is_guest
    assert not caller_of(event({}, scopes=frozenset({"chat"}))).identity.is_guest
    assert not caller_of(frame_event({})).identity.is_guest, "of a connection from before there were any"


@pytest.mark.parametrize("where", [{"to": "bob"}, {"conversation_id": DM}])
def test_a_guest_answers(harness: MessageHarness, where: dict[str, str]) -> None:
    harness.stores.write("bob", "welcome")
    sent = say(harness, {"type": "message", **where, "content": "hi", "client_message_id": "k", "after": 1})
    assert sent["success"]
    again = say(harness, {"type": "message", **where, "content": "hi", "client_message_id": "k", "after": 1})
    assert again["data"]["duplicate"]
    assert say(harness, {"type": "message", **where, "content": "hi", "client_message_id": "l", "after": 0})["success"]
    assert say(harness, {"type": "message", **where, "content": "hi"})["success"]


@pytest.mark.parametrize("more", [{}, {"client_message_id": "k"}, {"client_message_id": "k", "after": 0}])
def test_a_guest_begins_no_conversation(harness: MessageHarness, more: dict[str, Any]) -> None:
    refused = say(harness, {"type": "message", "to": "bob", "content": "hi", **more})
    assert (refused["code"], refused["retryable"]) == ("forbidden", False)
    assert harness.stores.entries() == []


def test_a_guest_reads_reacts_edits_types_syncs_and_pings(harness: MessageHarness) -> None:
    harness.stores.write("bob", "welcome")
    seq = say(harness, {"type": "message", "to": "bob", "content": "hi"})["data"]["seq"]
    here = {"conversation_id": DM, "seq": seq}
    frames: list[dict[str, Any]] = [
        {"type": "edit", **here, "content": "hello"},
        {"type": "react", **here, "emoji": "x"},
        {"type": "read", **here},
        {"type": "delivered", **here},
        {"type": "receipts", "read": {DM: seq}},
        {"type": "typing", "conversation_id": DM},
        {"type": "sync", "conversations": {DM: 0}},
        {"type": "ping"},
        {"type": "delete", **here},
    ]
    for frame in frames:
        assert say(harness, frame)["success"] is not False, frame


def test_a_guest_watches_nobody(harness: MessageHarness) -> None:
    for users in (["bob"], []):
        assert say(harness, {"type": "presence", "users": users})["code"] == "forbidden"
    assert harness.stores.watches.of("bob") == []


def test_a_guests_token_prolongs_a_guests_connection_alone_and_another_lifts_nothing(harness: MessageHarness) -> None:
    harness.tokens["guest"] = Identity("alice", NOW + 2 * HOUR, GUEST, NOW)
    harness.tokens["full"] = Identity("alice", NOW + 2 * HOUR, issued_at=NOW)
    assert harness.say({"type": "auth", "token": "guest"})["code"] == "forbidden"
    assert say(harness, {"type": "auth", "token": "guest"})["success"]
    assert say(harness, {"type": "auth", "token": "full"})["success"]
    assert say(harness, {"type": "presence", "users": ["bob"]})["code"] == "forbidden"
