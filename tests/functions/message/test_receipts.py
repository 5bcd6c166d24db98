"""Receipts without a reply, and of several conversations: silent where all is well, told where it is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from functions.message import handler as message
from functions.message.handler import UNANSWERED, respond
from shared.domain.changes import Removed
from shared.domain.connections import PostOutcome
from tests.fakes import DM
from tests.functions.events import HOUR, NOW, frame_event, websocket_event
from tests.functions.message.harness import GROUP, MessageHarness


@pytest.fixture
def harness() -> MessageHarness:
    """Two private messages of Alice's to Bob, and a group of theirs with one of hers."""
    harness = MessageHarness()
    harness.make_group("alice", "bob")
    harness.say({"type": "message", "conversation_id": GROUP, "content": "in the group"})
    for _ in range(2):
        harness.say({"type": "message", "to": "bob", "content": "in private"})
    harness.gateway.posts.clear()
    return harness


def said(harness: MessageHarness, frame: dict[str, Any], **event: Any) -> str:
    """By Bob's device."""
    made = frame_event(frame, **{"user_id": "bob", "connection_id": "b1=", **event})
    return str(respond(made, harness.wired, harness.guard)["body"])


def cursors(harness: MessageHarness, place: str = DM) -> tuple[int, int]:
    bob = harness.stores.member("bob", place)
    return bob.read_seq, bob.delivered_seq


@pytest.mark.parametrize("kind", ["read", "delivered"])
def test_one_that_wants_no_reply_gets_none_and_is_told_to_the_others(harness: MessageHarness, kind: str) -> None:
    frame = {"type": kind, "id": "1", "conversation_id": DM, "seq": 2, "reply": False}
    assert said(harness, frame) == ""
    assert max(cursors(harness)) == 2
    assert [event["type"] for event in harness.events("a1=")] == [kind]
    assert said(harness, frame) == ""
    assert said(harness, {**frame, "seq": 0}) == ""
    assert json.loads(said(harness, {**frame, "reply": True}))["data"]["seq"] == 2


@pytest.mark.parametrize("echo", [{}, {"id": "1"}])
def test_a_refusal_is_told_all_the_same(harness: MessageHarness, echo: dict[str, str]) -> None:
    for changes, code in (
        ({"seq": 3}, "bad_request"),
        ({"conversation_id": "dm:alice:zoe"}, "not_a_member"),
        ({"seq": "x"}, "bad_request"),
        ({"reply": None}, "bad_request"),
    ):
        frame = {"type": "read", **echo, "conversation_id": DM, "seq": 2, "reply": False, **changes}
        reply = json.loads(said(harness, frame))
        assert (reply["success"], reply["code"], reply.get("id")) == (False, code, echo.get("id"))
    late = {"type": "read", "conversation_id": DM, "seq": 2, "reply": False}
    assert json.loads(said(harness, late, expires_at=NOW - HOUR))["code"] == "token_expired"


def test_several_cursors_are_moved_by_one_frame_and_each_is_told(harness: MessageHarness) -> None:
    frame = {"type": "receipts", "id": "1", "read": {DM: 1, GROUP: 2}, "delivered": {DM: 2}}
    assert json.loads(said(harness, frame)) == {
        "success": True,
        "id": "1",
        "data": {"type": "receipts", "read": {DM: 1, GROUP: 2}, "delivered": {DM: 2}},
    }
    assert (cursors(harness), cursors(harness, GROUP)[0]) == ((1, 2), 2)
    told = [(event["type"], event["conversation_id"], event["seq"]) for event in harness.events("a1=")]
    assert told == [("read", DM, 1), ("read", GROUP, 2), ("delivered", DM, 2)]
    assert said(harness, {**frame, "reply": False}) == ""


def test_what_is_behind_is_answered_with_where_it_stands(harness: MessageHarness) -> None:
    said(harness, {"type": "receipts", "read": {DM: 2}, "reply": False})
    reply = json.loads(said(harness, {"type": "receipts", "read": {DM: 1}, "delivered": {DM: 1}}))
    assert (reply["data"]["read"], reply["data"]["delivered"]) == ({DM: 2}, {DM: 2})


@pytest.mark.parametrize("wants_reply", [True, False])
def test_what_is_refused_of_one_stops_no_other_and_is_told(harness: MessageHarness, wants_reply: bool) -> None:
    harness.stores.change(Removed(("bob",), size=1), place=GROUP, at=NOW)
    frame = {
        "type": "receipts",
        "read": {"nonsense": 1, GROUP: 1, DM: 2},
        "delivered": {DM: 3, "dm:alice:zoe": 1},
        "reply": wants_reply,
    }
    reply = json.loads(said(harness, frame))
    assert reply["success"]
    assert (reply["data"]["read"], reply["data"]["delivered"]) == ({DM: 2}, {})
    refused = [(one["type"], one["conversation_id"], one["code"], one["retryable"]) for one in reply["data"]["refused"]]
    assert refused == [
        ("read", "nonsense", "not_a_member", False),
        ("read", GROUP, "not_a_member", False),
        ("delivered", DM, "bad_request", False),
        ("delivered", "dm:alice:zoe", "not_a_member", False),
    ]
    assert cursors(harness) == (2, 0)


def test_too_many_are_told_to_wait(harness: MessageHarness) -> None:
    frame = {"type": "receipts", "id": "1", "read": {DM: 2}, "reply": False}
    answers = [said(harness, frame) for _ in range(26)]
    assert set(answers[:25]) == {""}
    assert json.loads(answers[25])["code"] == "rate_limited"


@pytest.fixture
def deployed(harness: MessageHarness, monkeypatch: pytest.MonkeyPatch) -> MessageHarness:
    monkeypatch.setattr(message, "_WIRING", harness.wired)
    monkeypatch.setattr(message, "_GUARD", harness.guard)
    return harness


def routed(frame: dict[str, Any], route: str) -> dict[str, Any]:
    """What the function returns to the gateway, of a frame of Bob's that came by this route."""
    context = frame_event(frame, user_id="bob")["requestContext"]["authorizer"]
    event = websocket_event("MESSAGE", route, connection_id="b1=", authorizer=context, body=json.dumps(frame))
    return dict(message.handler(event))


def test_where_the_route_has_no_response_the_reply_is_posted_to_who_has_sent_the_frame(
    deployed: MessageHarness,
) -> None:
    assert {"read", "delivered", "receipts"} == UNANSWERED
    frame = {"type": "receipts", "id": "1", "read": {DM: 2}}
    assert routed(frame, "receipts") == {"statusCode": 200, "body": ""}
    assert [event for event in deployed.events("b1=") if "success" in event] == [
        {"success": True, "id": "1", "data": {"type": "receipts", "read": {DM: 2}, "delivered": {}}}
    ]
    deployed.gateway.posts.clear()
    assert routed({**frame, "reply": False}, "receipts") == {"statusCode": 200, "body": ""}
    assert deployed.events("b1=") == []
    assert routed({**frame, "read": 1, "reply": False}, "receipts") == {"statusCode": 200, "body": ""}
    assert [(event["id"], event["code"]) for event in deployed.events("b1=")] == [("1", "bad_request")]


@pytest.mark.parametrize("kind", ["read", "delivered"])
def test_so_are_those_of_one_cursor(deployed: MessageHarness, kind: str) -> None:
    frame = {"type": kind, "id": "1", "conversation_id": DM, "seq": 2}
    assert routed(frame, kind) == {"statusCode": 200, "body": ""}
    assert [event["data"]["seq"] for event in deployed.events("b1=") if "success" in event] == [2]
    deployed.gateway.posts.clear()
    assert routed({**frame, "reply": False}, kind) == {"statusCode": 200, "body": ""}
    assert deployed.events("b1=") == []


def test_a_stack_without_the_route_answers_by_its_gateway(deployed: MessageHarness) -> None:
    answered = routed({"type": "receipts", "read": {DM: 2}}, "$default")
    assert json.loads(answered["body"])["data"]["read"] == {DM: 2}
    assert not [event for event in deployed.events("b1=") if "success" in event]


def test_a_post_of_a_reply_that_fails_is_a_lost_reply(deployed: MessageHarness) -> None:
    deployed.gateway.outcomes["b1="] = PostOutcome.GONE
    assert routed({"type": "receipts", "read": {DM: 2}}, "receipts") == {"statusCode": 200, "body": ""}
