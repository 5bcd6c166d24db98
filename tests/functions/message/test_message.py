"""The message function: every frame gets exactly one reply, in the protocol's shape."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.message.handler import respond
from shared.domain.connections import PostOutcome
from tests.fakes import DM
from tests.functions.events import NOW, frame_event, logged, websocket_event
from tests.functions.message.harness import MessageHarness
from tests.stores import LOG, SESSIONS


def test_a_message_is_acked_and_delivered_in_the_protocols_shapes(harness: MessageHarness) -> None:
    frame = {"type": "message", "id": "17", "to": "bob", "content": "hi", "client_message_id": "0d9f", "after": 0}
    assert harness.say(frame) == {
        "success": True,
        "id": "17",
        "data": {
            "type": "message",
            "conversation_id": DM,
            "seq": 1,
            "message_id": f"{DM}/1",
            "client_message_id": "0d9f",
            "timestamp": NOW,
            "duplicate": False,
        },
    }
    event = {
        "type": "new_message",
        "conversation_id": DM,
        "seq": 1,
        "message": {
            "id": f"{DM}/1",
            "conversation_id": DM,
            "seq": 1,
            "sender_id": "alice",
            "content": "hi",
            "type": "text",
            "created_at": NOW,
            "client_message_id": "0d9f",
        },
    }
    assert (harness.events("b1="), harness.events("a2="), harness.events("a1=")) == ([event], [event], [])


def test_an_image_is_sent_without_words_and_shown_until_it_is_deleted(harness: MessageHarness) -> None:
    harness.stores.ready_file("cat")
    frame = {"type": "message", "to": "bob", "message_type": "image", "file_id": "cat", "after": 0}
    assert harness.say({**frame, "client_message_id": "x"})["data"]["seq"] == 1
    assert harness.say({"type": "delete", "conversation_id": DM, "seq": 1})["success"]
    new, deleted = harness.events("b1=")
    assert [new["message"][name] for name in ("type", "content", "file_id")] == ["image", "", "cat"]
    assert (deleted["type"], "cat" in str(deleted)) == ("message_deleted", False)
    (synced,) = harness.say({"type": "sync", "conversations": {DM: 0}})["data"]["conversations"]
    assert "cat" not in str(synced)


@pytest.mark.parametrize("file_id", ["unknown", "dog"])
def test_an_image_that_is_not_the_senders_is_not_found(harness: MessageHarness, file_id: str) -> None:
    harness.stores.ready_file("dog", "bob")
    reply = harness.say({"type": "message", "to": "bob", "message_type": "image", "file_id": file_id})
    assert (reply["success"], reply["code"], harness.stores.rows(LOG)) == (False, "not_found", [])


def test_a_resend_gets_the_first_reply_again(harness: MessageHarness) -> None:
    frame = {"type": "message", "to": "bob", "content": "hi", "client_message_id": "x", "after": 0}
    first = harness.say(frame)
    harness.clock.advance(5_000)
    again = harness.say(frame)
    assert again == {**first, "data": {**first["data"], "duplicate": True}}


def test_the_sender_comes_from_the_authorizer_never_from_the_body(harness: MessageHarness) -> None:
    harness.say({"type": "message", "to": "bob", "content": "hi", "sender_id": "carol", "user_id": "carol", "seq": 99})
    assert harness.stores.entries(DM)[0].sender_id == "alice"


def test_read_moves_the_cursor_and_tells_the_others(harness: MessageHarness) -> None:
    harness.stores.write("bob", "1", "2")
    reply = harness.say({"type": "read", "id": "r", "conversation_id": DM, "seq": 2})
    assert reply == {"success": True, "id": "r", "data": {"type": "read", "conversation_id": DM, "seq": 2}}
    event = {"type": "read", "conversation_id": DM, "user_id": "alice", "seq": 2, "timestamp": NOW}
    assert (harness.events("b1="), harness.events("a2=")) == ([event], [event])


def test_delivered_moves_its_own_cursor(harness: MessageHarness) -> None:
    harness.stores.write("bob", "1", "2")
    harness.say({"type": "delivered", "conversation_id": DM, "seq": 1})
    member = harness.stores.member("alice", DM)
    assert (member.delivered_seq, member.read_seq) == (1, 0)


def test_sync_answers_with_entries_in_the_shape_of_their_events(harness: MessageHarness) -> None:
    harness.stores.write("bob", "1", "2")
    harness.stores.write("carol", "3", conversation_id="dm:alice:carol")
    reply = harness.say({"type": "sync", "conversations": {DM: 1, "dm:alice:nobody": 4}})
    named, unnamed = reply["data"]["conversations"]
    assert (named["id"], named["head"], named["has_more"], named["unread"]) == (DM, 2, False, 2)
    assert [(entry["type"], entry["seq"], entry["message"]["content"]) for entry in named["entries"]] == [
        ("new_message", 2, "2")
    ]
    expected = {"id": "dm:alice:carol", "head": 1, "entries": [], "has_more": False, "read_seq": 0, "unread": 1}
    assert unnamed == {**expected, "joined_seq": 0}
    assert (reply["data"]["has_more"], reply["data"]["refused"]) == (False, ["dm:alice:nobody"])


def test_the_largest_sync_reply_fits_into_one_gateway_payload(harness: MessageHarness) -> None:
    for number in range(60):
        harness.stores.write("bob", *["\u0001" * 5_000] * 2, conversation_id=f"dm:alice:{'u' * 120}{number:03}")
    held = {member.conversation_id: 0 for member in harness.stores.memberships.of_user("alice")}
    response = respond(frame_event({"type": "sync", "conversations": held}), harness.wired, harness.guard)
    assert len(response["body"].encode()) <= 128 * 1024
    assert json.loads(response["body"])["data"]["has_more"]


@pytest.mark.parametrize("frame", [{"type": "sync"}, {"type": "ping"}])
def test_sync_and_ping_register_their_connection_again_if_it_is_missing(
    harness: MessageHarness, frame: dict[str, Any]
) -> None:
    harness.stores.drop(SESSIONS, {"user_id": "alice"})
    harness.say(frame)
    assert set(harness.stores.connections("alice")) == {"a1="}


def test_sending_registers_a_missing_connection_again_without_another_read(harness: MessageHarness) -> None:
    harness.stores.sessions.remove("alice", "a1=", now=NOW)
    harness.say({"type": "message", "to": "bob", "content": "hi"})
    assert "a1=" in harness.stores.connections("alice")
    assert harness.stores.calls.reads(SESSIONS) == 1


@pytest.mark.parametrize(("seq", "behind"), [(0, True), (1, True), (2, False), (9, False)])
def test_ping_says_whether_the_open_conversation_is_behind(harness: MessageHarness, seq: int, behind: bool) -> None:
    harness.stores.write("bob", "1", "2")
    reply = harness.say({"type": "ping", "id": "p", "conversation_id": DM, "seq": seq})
    assert reply == {"success": True, "id": "p", "data": {"type": "pong", "timestamp": NOW, "behind": behind}}


def test_ping_about_a_foreign_conversation_is_refused_and_keeps_the_connection_alive_all_the_same(
    harness: MessageHarness,
) -> None:
    harness.stores.drop(SESSIONS, {"user_id": "alice"})
    assert harness.say({"type": "ping", "conversation_id": "dm:bob:carol", "seq": 0})["code"] == "not_a_member"
    assert set(harness.stores.connections("alice")) == {"a1="}


def test_an_expired_token_is_refused_at_the_next_frame_and_nothing_happens(harness: MessageHarness) -> None:
    frame = {"type": "message", "id": "1", "to": "bob", "content": "hi"}
    reply = harness.say(frame, expires_at=NOW)
    assert (reply["success"], reply["id"], reply["code"], reply["retryable"]) == (False, "1", "token_expired", False)
    assert harness.stores.rows(LOG) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "bad_request"),
        ("hello", "bad_request"),
        ("[]", "bad_request"),
        ("17", "bad_request"),
        ("null", "bad_request"),
        ("{}", "bad_request"),
        ('{"type": null}', "bad_request"),
        ('{"type": "nonsense"}', "unknown_type"),
        ('{"type": "$connect"}', "unknown_type"),
        ('{"type": "message", "to": "bob", "content": 5}', "bad_request"),
        ('{"type": "message", "to": ["bob"], "content": "x"}', "bad_request"),
        ('{"type": "message", "to": "bob", "content": NaN}', "bad_request"),
        ('{"type": "message", "to": "bob", "content": "x", "after": -1}', "bad_request"),
        ('{"type": "message", "to": "bob", "content": "x", "after": 1.5}', "bad_request"),
        ('{"type": "message", "to": "bob", "content": "\\ud800"}', "bad_request"),
        ('{"type": "message", "to": "bob", "content": "\ud800"}', "bad_request"),
        ('{"type": "message", "to": "bob", "content": "' + "x" * 40_000 + '"}', "too_large"),
        ('{"type": "message", "to": "bob", "content": "' + "x" * 5_001 + '"}', "too_large"),
        ('{"type": "message", "x": ' + "[" * 15_000 + "]" * 15_000 + "}", "bad_request"),
        ('{"type": "read", "conversation_id": "dm:bob:carol", "seq": 1}', "not_a_member"),
        ('{"type": "sync", "conversations": {"x": "1"}}', "bad_request"),
    ],
)
def test_a_bad_frame_gets_one_error_reply_and_changes_nothing(harness: MessageHarness, body: str, code: str) -> None:
    reply = harness.say(body)
    assert (reply["success"], reply["code"]) == (False, code)
    assert (harness.stores.rows(LOG), harness.gateway.posts, harness.stores.calls.writes(SESSIONS)) == ([], [], 0)


def test_the_id_of_a_bad_frame_is_echoed_where_it_can_be_read() -> None:
    assert MessageHarness().say('{"type": "message", "id": "7", "to": 5}')["id"] == "7"
    assert "id" not in MessageHarness().say('{"type": "nonsense"}')


def test_busy_says_when_to_try_again(harness: MessageHarness) -> None:
    harness.stores.before_put(lambda _: harness.stores.write("bob", "quicker"))
    reply = harness.say({"type": "message", "to": "bob", "content": "hi", "client_message_id": "x", "after": 0})
    assert (reply["code"], reply["retryable"], reply["retry_after_ms"]) == ("unavailable", True, 1_000)


def test_an_unexpected_error_is_one_clean_reply_and_no_text_in_the_log(
    harness: MessageHarness, caplog: pytest.LogCaptureFixture
) -> None:

    def explode(_: object) -> None:
        raise RuntimeError("the canary text")

    harness.stores.before_put(explode)
    reply = harness.say({"type": "message", "id": "1", "to": "bob", "content": "the canary text"})
    assert (reply["id"], reply["code"], reply["retryable"]) == ("1", "internal", True)
    assert "RuntimeError" in logged(caplog)
    assert "canary" not in logged(caplog)


def test_an_event_without_the_authorizers_context_is_nobody() -> None:
    event = websocket_event("MESSAGE", "message", body='{"type": "ping"}')
    assert MessageHarness().answer(event)["code"] == "unauthenticated"


def test_posts_that_fail_are_reported(harness: MessageHarness) -> None:
    harness.gateway.outcomes["b1="] = PostOutcome.FAILED
    assert harness.say({"type": "message", "to": "bob", "content": "hi"})["success"]
    assert harness.observer.counted == {"PostsFailed": 1}
