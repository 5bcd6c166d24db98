"""Every frame type, from everybody who may not: what each is told, and that nothing comes of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from shared.domain.connections import Identity
from shared.wire.websocket.frames import TYPES
from tests.functions.events import HOUR, NOW, frame_event, websocket_event
from tests.functions.message.harness import MessageHarness
from tests.functions.rest.harness import BLOCKED_DM, DM, GROUP
from tests.security.conftest import Tried
from tests.security.scenario import UNKNOWN, frame_scenario, revealed, snapshot, without


@dataclass(frozen=True)
class Row:
    """One frame about a conversation.

    `refusal` is what an outsider is told, None where the reply is a success that says nothing of it. `blocked`
    is what alice is told about her conversation with dave, who blocks her.
    """

    frame: dict[str, Any]
    refusal: str | None = "not_a_member"
    blocked: str | None = None

    @property
    def kind(self) -> str:
        return str(self.frame["type"])

    def about(self, conversation_id: str) -> dict[str, Any]:
        """The same frame about another conversation, wherever one is named."""
        return json.loads(json.dumps(self.frame).replace(GROUP, conversation_id))  # type: ignore[no-any-return]


ROWS = [
    Row({"type": "message", "conversation_id": GROUP, "content": "hi"}, blocked="blocked"),
    Row(
        {"type": "message", "conversation_id": GROUP, "content": "hi", "client_message_id": "k", "after": 1},
        blocked="blocked",
    ),
    Row({"type": "message", "conversation_id": GROUP, "content": "hi", "reply_to": 2}, blocked="blocked"),
    Row({"type": "message", "to": "zoe", "forward_of": {"conversation_id": GROUP, "seq": 2}}),
    Row({"type": "edit", "conversation_id": GROUP, "seq": 2, "content": "better"}, blocked="blocked"),
    Row({"type": "delete", "conversation_id": GROUP, "seq": 2}),
    Row({"type": "react", "conversation_id": GROUP, "seq": 2, "emoji": "x"}, blocked="blocked"),
    Row({"type": "react", "conversation_id": GROUP, "seq": 2, "emoji": "x", "remove": True}, blocked="blocked"),
    Row({"type": "read", "conversation_id": GROUP, "seq": 1}),
    Row({"type": "delivered", "conversation_id": GROUP, "seq": 1}),
    Row({"type": "receipts", "read": {GROUP: 1}, "delivered": {GROUP: 1}}, refusal=None),  # which its reply names
    Row({"type": "typing", "conversation_id": GROUP}),
    Row({"type": "sync", "conversations": {GROUP: 0}}, refusal=None),
    Row({"type": "ping", "conversation_id": GROUP, "seq": 0}),
]
# These name no conversation: users, and a token.
PERSONAL: list[dict[str, Any]] = [
    {"type": "presence", "users": ["alice", "bob", "victor"]},
    {"type": "auth", "token": "alices"},
]
EACH = pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(row.frame))


@pytest.fixture
def harness() -> MessageHarness:
    return scenario()


def test_every_frame_type_has_a_row() -> None:
    assert {row.kind for row in ROWS} | {str(frame["type"]) for frame in PERSONAL} == TYPES


def scenario() -> MessageHarness:
    harness = frame_scenario()
    harness.tokens = {user + "s": Identity(user, NOW + 5 * HOUR) for user in ("alice", "mallory")}
    return harness


@EACH
def test_a_member_may(row: Row, tried: Tried) -> None:
    reply = scenario().as_user("alice", row.about(GROUP))
    assert reply["success"], reply
    tried()


@EACH
@pytest.mark.parametrize(
    ("user", "conversation_id"), [("mallory", GROUP), ("mallory", DM), ("erin", GROUP), ("carol", DM)]
)
def test_outsiders_and_former_members_learn_and_change_nothing(
    row: Row, user: str, conversation_id: str, tried: Tried
) -> None:
    """And are told the same as of a conversation that never was."""
    harness = scenario()
    before = snapshot(harness)
    reply = harness.as_user(user, row.about(conversation_id))
    assert reply.get("code") == row.refusal
    own = f"sessions {{'user_id': '{user}'"  # a heartbeat is one, whatever it asks about
    assert without(snapshot(harness), own) == without(before, own)
    assert revealed(json.dumps(reply)) == set()
    same = json.loads(json.dumps(reply).replace(conversation_id, "?"))
    for unheard in (UNKNOWN, "dm:frank:zoe"):
        assert json.loads(json.dumps(scenario().as_user(user, row.about(unheard))).replace(unheard, "?")) == same
    tried(3)


@EACH
def test_whom_the_other_side_blocks_writes_nothing_there(row: Row, tried: Tried) -> None:
    harness = scenario()
    before = snapshot(harness)
    frame = row.about(BLOCKED_DM) | ({"seq": 1} if "seq" in row.frame else {})
    frame |= {"forward_of": {"conversation_id": BLOCKED_DM, "seq": 1}} if "forward_of" in frame else {}
    frame |= {"reply_to": 1} if "reply_to" in frame else {}
    reply = harness.as_user("alice", frame)
    assert reply.get("code") == row.blocked
    if row.blocked:
        assert snapshot(harness) == before
    told = {event["type"] for event in harness.events("dave-device=")}
    # Taking back is not addressing: her own message may go, and her cursors move.
    assert told <= {"message_deleted", "read", "delivered"}
    tried()


@EACH
@pytest.mark.parametrize(
    ("event", "code"),
    [({"expires_at": NOW}, "token_expired"), ({"expires_at": NOW - HOUR}, "token_expired"), (None, "unauthenticated")],
    ids=["expired", "long expired", "no context"],
)
def test_without_a_good_token_nobody_is_served(row: Row, event: dict[str, int] | None, code: str, tried: Tried) -> None:
    harness = scenario()
    before = snapshot(harness)
    assert_refused(harness, row.about(GROUP), event, code)
    assert snapshot(harness) == before
    tried()


def assert_refused(harness: MessageHarness, frame: dict[str, Any], event: dict[str, int] | None, code: str) -> None:
    if event is None:
        reply = harness.answer(websocket_event("MESSAGE", "message", connection_id="a1=", body=json.dumps(frame)))
    else:
        reply = harness.say(frame, user_id="alice", connection_id="alice-device=", **event)
    assert (reply["success"], reply["code"]) == (False, code)
    assert revealed(json.dumps(reply)) == set()


@pytest.mark.parametrize("frame", PERSONAL, ids=lambda frame: str(frame["type"]))
def test_without_a_good_token_nothing_personal_is_served_either(
    harness: MessageHarness, frame: dict[str, Any], tried: Tried
) -> None:
    before = snapshot(harness)
    if frame["type"] != "auth":  # which brings a good one
        assert_refused(harness, frame, {"expires_at": NOW}, "token_expired")
    assert_refused(harness, frame, None, "unauthenticated")
    assert snapshot(harness) == before
    tried(2)


@pytest.mark.parametrize(("token", "code"), [("mallorys", "forbidden"), ("made up", "unauthenticated")])
def test_after_the_end_of_a_token_no_other_but_a_good_one_of_the_same_user_helps(
    harness: MessageHarness, token: str, code: str, tried: Tried
) -> None:
    before = snapshot(harness)
    assert_refused(harness, {"type": "auth", "token": token}, {"expires_at": NOW}, code)
    assert_refused(harness, {"type": "presence", "users": ["bob"]}, {"expires_at": NOW}, "token_expired")
    assert snapshot(harness) == before
    tried(2)


# -- within a conversation ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "frame"),
    [
        ("carol", {"type": "edit", "conversation_id": GROUP, "seq": 2, "content": "mine"}),
        ("carol", {"type": "delete", "conversation_id": GROUP, "seq": 2}),
        ("bob", {"type": "edit", "conversation_id": GROUP, "seq": 2, "content": "mine"}),
        ("alice", {"type": "edit", "conversation_id": DM, "seq": 2, "content": "mine"}),
        ("alice", {"type": "delete", "conversation_id": DM, "seq": 2}),
    ],
)
def test_what_others_wrote_is_theirs(harness: MessageHarness, user: str, frame: dict[str, Any], tried: Tried) -> None:
    before = snapshot(harness)
    assert harness.as_user(user, frame)["code"] == "forbidden"
    assert snapshot(harness) == before
    tried()


@pytest.mark.parametrize(
    ("user", "file_id"), [("mallory", "draft"), ("bob", "draft"), ("mallory", "cage"), ("carol", "cage")]
)
def test_nobody_sends_a_file_of_somebody_elses(user: str, file_id: str, tried: Tried) -> None:
    """The same answer as for a file that never was."""
    frame = {"type": "message", "to": "zoe", "message_type": "image"}
    harness = scenario()
    before = snapshot(harness)
    reply = harness.as_user(user, {**frame, "file_id": file_id})
    assert reply == scenario().as_user(user, {**frame, "file_id": "never-was"})
    assert reply["code"] == "not_found"
    assert snapshot(harness) == before
    tried(2)


def test_nobody_writes_into_a_conversation_of_two_others(tried: Tried) -> None:
    for conversation_id in (DM, "dm:bob:alice", "dm:alice:bob:mallory", "dm:mallory:alice:bob"):
        harness = scenario()
        before = snapshot(harness)
        reply = harness.as_user("mallory", {"type": "message", "conversation_id": conversation_id, "content": "hi"})
        assert reply["code"] in {"not_a_member", "bad_request"}
        assert snapshot(harness) == before
        tried()


def test_who_a_user_is_comes_from_the_handshake_whatever_the_frame_says(tried: Tried) -> None:
    claimed = {"sender_id": "alice", "user_id": "alice", "from": "alice", "principalId": "alice", "sub": "alice"}
    harness = scenario()
    harness.as_user("mallory", {"type": "message", "to": "frank", "content": "hi", **claimed})
    [entry] = harness.stores.entries("dm:frank:mallory")
    assert entry.sender_id == "mallory"
    found = harness.as_user("mallory", {"type": "sync", "conversations": {GROUP: 0}, **claimed})["data"][
        "conversations"
    ]
    assert [one["id"] for one in found] == ["dm:frank:mallory"]
    tried(2)


# -- presence, and fresh tokens ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "watched"), [("mallory", "alice"), ("mallory", "bob"), ("alice", "dave"), ("dave", "alice")]
)
def test_strangers_and_blocked_ones_look_offline_and_their_changes_are_not_told(
    harness: MessageHarness, user: str, watched: str, tried: Tried
) -> None:
    reply = harness.as_user(user, {"type": "presence", "users": [watched, "never-was"]})
    there, never = reply["data"]["users"]
    assert {**there, "user_id": ""} == {**never, "user_id": ""}
    assert (there["status"], there.get("last_seen")) == ("offline", None)
    for connection_id in harness.stores.connections(watched):
        harness.stores.sessions.remove(watched, connection_id, now=NOW)
    harness.as_user(watched, {"type": "ping"})  # comes back, and those who may know are told
    assert harness.events(f"{user}-device=") == []
    tried(2)


def test_another_users_token_does_not_turn_a_connection_into_theirs(harness: MessageHarness, tried: Tried) -> None:
    before = snapshot(harness)
    reply = harness.as_user("mallory", {"type": "auth", "token": "alices"})
    assert (reply["code"], "alice" in json.dumps(reply)) == ("forbidden", False)
    assert snapshot(harness) == before
    assert harness.as_user("mallory", {"type": "auth", "token": "mallorys"})["success"]
    tried(2)


def test_a_connections_id_in_another_users_hands_opens_nothing(harness: MessageHarness, tried: Tried) -> None:
    """Even if two users came with one id, each is who the handshake says."""
    reply = harness.answer(
        frame_event({"type": "sync", "conversations": {DM: 0}}, user_id="mallory", connection_id="a1=")
    )
    assert reply["data"]["conversations"] == []
    assert revealed(json.dumps(reply)) == set()
    tried()
