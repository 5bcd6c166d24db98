"""Each bad frame gets its one coded reply and changes nothing; each odd one that is valid is stored as it was sent."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from shared.domain.connections import HEARTBEAT_WINDOW_MS
from tests.bad_input.all_frames import FRAMES
from tests.bad_input.frames import Fine, FrameCase
from tests.bad_input.frames_fields import SPOOFED
from tests.bad_input.harness import InputHarness
from tests.bad_input.names import DM, FOREIGN_GROUP
from tests.functions.events import NOW

REFUSED = [case for case in FRAMES if isinstance(case.expected, str)]
TAKEN = [case for case in FRAMES if isinstance(case.expected, Fine)]
# What an entry has that no client can say.
_SERVERS = {"conversation_id", "seq", "kind", "sender_id", "created_at", "number", "authors", "nonce", "digest"}


def still_works(harness: InputHarness, user_id: str = "alice") -> None:
    """A good frame over the same connection."""
    head = harness.head(DM)
    reply = harness.say({"type": "message", "id": "ok", "to": "bob", "content": "ok", "after": head}, user_id=user_id)
    assert (reply["success"], reply["id"], reply["data"]["seq"]) == (True, "ok", head + 1)


def check_refusal(reply: dict[str, Any], code: str, echo: str | None) -> None:
    assert (reply["success"], reply["code"], reply["retryable"]) == (False, code, False), reply
    assert reply.keys() - {"id"} == {"success", "error", "code", "retryable"}
    assert reply.get("id") == echo
    assert 0 < len(reply["error"]) < 300, "an error names the place, and repeats nothing that was sent"


def expected_entry(harness: InputHarness, before: list[Any], fine: Fine) -> dict[str, Any]:
    """The new entry's attributes that a client has no say in."""
    last: Mapping[str, Any] = before[-1] if before else {"number": 0, "authors": {}}
    is_message = fine.stored is not None and "emoji" not in fine.stored
    number = last["number"] + is_message
    return {
        "conversation_id": fine.conversation_id,
        "seq": len(before) + 1,
        "kind": "message" if is_message else "reaction",
        "sender_id": "alice",
        "created_at": NOW,
        "number": number,
        "authors": {**last["authors"], "alice": number} if is_message else last["authors"],
        "nonce": f"n{used_nonce(harness)}",
    }


def used_nonce(harness: InputHarness) -> int:
    """The number of the last nonce that was given out."""
    return int(harness.nonces().removeprefix("n")) - 1


def test_the_tables_name_no_case_twice() -> None:
    assert [name for name, times in Counter(map(str, FRAMES)).items() if times > 1] == []


@pytest.mark.parametrize("case", REFUSED, ids=str)
def test_a_bad_frame_is_refused_changes_nothing_and_leaves_the_connection_open(
    harness: InputHarness, case: FrameCase
) -> None:
    before = harness.state
    reply = harness.say(case.body, **case.event)
    assert isinstance(case.expected, str)
    check_refusal(reply, case.expected, case.echo)
    assert harness.state == before
    assert not harness.observer.counted
    still_works(harness)


@pytest.mark.parametrize("case", TAKEN, ids=str)
def test_an_odd_frame_that_is_valid_is_taken_as_it_stands(case: FrameCase) -> None:
    harness, fine = InputHarness(), case.expected
    assert isinstance(fine, Fine)
    logs, before = harness.store.items("log"), harness.entries(fine.conversation_id)
    reply = harness.say(case.body, **case.event)
    assert (reply["success"], reply.get("id")) == (True, fine.echo), reply
    if fine.stored is None:
        assert harness.store.items("log") == logs
    else:
        entry = dict(harness.entries(fine.conversation_id)[-1])
        assert expected_entry(harness, before, fine).items() <= entry.items()
        kept = {name: value for name, value in entry.items() if name not in _SERVERS}
        assert kept.items() >= fine.stored.items()
        assert kept.keys() - fine.stored.keys() <= {"type", "removed", "message_seq"}
    still_works(harness)


def test_what_only_the_server_says_is_told_to_nobody(harness: InputHarness) -> None:
    harness.say({"type": "message", "to": "bob", "content": "x", **SPOOFED})
    (event,) = [json.loads(data) for data in harness.gateway.received("b1=")]
    message = event["message"]
    assert message == {
        "id": f"{DM}/4",
        "conversation_id": DM,
        "seq": 4,
        "sender_id": "alice",
        "content": "x",
        "type": "text",
        "created_at": NOW,
    }


def test_a_receipt_moves_the_cursor_of_whoever_sends_it_whatever_it_says(harness: InputHarness) -> None:
    others = [item for item in harness.store.items("members") if "user#alice" not in item.values()]
    assert harness.say({**SPOOFED, "type": "read", "conversation_id": DM, "seq": 3})["success"]
    assert [item for item in harness.store.items("members") if "user#alice" not in item.values()] == others
    member = harness.stores.memberships.get(DM, "alice")
    assert member is not None
    assert member.read_seq == 3


def test_a_ping_about_a_foreign_conversation_is_a_sign_of_life_and_nothing_else(harness: InputHarness) -> None:
    """A client that was removed from the conversation on its screen must not seem to be gone."""
    before = {name: harness.store.items(name) for name in ("log", "members", "tickets")}
    harness.clock.advance(1)
    reply = harness.say({"type": "ping", "conversation_id": FOREIGN_GROUP, "seq": 1})
    check_refusal(reply, "not_a_member", None)
    assert {name: harness.store.items(name) for name in before} == before
    (connection,) = [one for one in harness.stores.sessions.of(["alice"])["alice"] if one.connection_id == "a1="]
    assert connection.expires_at == NOW + 1 + HEARTBEAT_WINDOW_MS


@pytest.mark.parametrize("character", ["\U0001f600", "\0", '"', "x"], ids=ascii)
def test_a_reply_to_sync_is_one_frame_of_the_gateway_whatever_is_asked_for(
    harness: InputHarness, character: str
) -> None:
    """What is refused is repeated in the reply, beside as many entries as there is room for; asking on tells it all."""
    for number in range(30):
        assert harness.say({"type": "message", "to": "bob", "content": f"{number:03}" + "\U0001f600" * 999})["success"]
    named = {DM: 3}
    while len(frame := _sync_of(named)) < 31_500:
        named[f"{len(named):04}{character * 200}"] = 1
    foreign = named.keys() - {DM}
    while named.keys() & foreign or named[DM] < 33:
        reply = harness.say(frame.decode())
        assert reply["success"], reply
        assert len(json.dumps(reply, ensure_ascii=False).encode()) <= 31_000
        data = reply["data"]
        assert set(data.get("refused", ())) <= named.keys() & foreign
        assert bool(data.get("refused")) == bool(named.keys() & foreign)
        for one in data.get("refused", ()):
            del named[one]
        entries = [entry for one in data["conversations"] for entry in one["entries"]]
        assert [entry["seq"] for entry in entries] == [*range(named[DM] + 1, named[DM] + 1 + len(entries))]
        assert bool(entries) == (named[DM] < 33)
        named[DM] += len(entries)
        assert data["has_more"] == bool(named.keys() & foreign or named[DM] < 33)
        frame = _sync_of(named)


def _sync_of(named: Mapping[str, int]) -> bytes:
    return json.dumps({"type": "sync", "conversations": named}, ensure_ascii=False).encode()


@pytest.mark.parametrize(("one", "other"), [("\u00e9", "e\u0301"), ("a", "\uff41"), ("a", "a\u200b"), ("a", "\u0430")])
def test_ids_that_look_alike_are_two(harness: InputHarness, one: str, other: str) -> None:
    frame = {"type": "message", "to": "bob", "content": "x", "after": 3}
    replies = [harness.say({**frame, "client_message_id": one}) for one in (one, other, one)]
    assert [reply["data"]["seq"] for reply in replies] == [4, 5, 4]
    assert [reply["data"]["duplicate"] for reply in replies] == [False, False, True]


@pytest.mark.parametrize("changes", [{"content": "\u00e9"}, {"content": "e"}, {"mentions": ["bob"]}, {"reply_to": 1}])
def test_an_id_that_was_used_for_something_else_is_a_conflict(harness: InputHarness, changes: dict[str, Any]) -> None:
    frame = {"type": "message", "to": "bob", "content": "e\u0301", "client_message_id": "c", "after": 3}
    assert harness.say(frame)["success"]
    before = harness.state
    check_refusal(harness.say({**frame, **changes}), "conflict", None)
    assert harness.state == before
    still_works(harness)
