"""Every frame type: its success, each documented refusal, and nothing for those outside."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from functions.message.wiring import COSTLY
from shared.domain.changes import Removed
from shared.domain.connections import Gone, Identity
from shared.domain.limits import Limit
from shared.domain.rules import Bounds
from shared.operations.presence import check_offline
from shared.wire.websocket.frames import TYPES
from tests.fakes import DM
from tests.functions.events import HOUR, NOW
from tests.functions.message.harness import GROUP, MessageHarness
from tests.stores import LOG, SESSIONS

# Frames about a conversation. Each is fine for a member, where message 2 is Alice's own.
ABOUT: dict[str, dict[str, Any]] = {
    "message": {"content": "hi"},
    "edit": {"seq": 2, "content": "edited"},
    "delete": {"seq": 2},
    "react": {"seq": 2, "emoji": "👍"},
    "read": {"seq": 2},
    "delivered": {"seq": 2},
    "typing": {"active": True},
    "ping": {"seq": 2},
}


def furnished() -> MessageHarness:
    """A group of Alice (owner), Bob and Carol with a message of Alice's, and a private one of Alice and Bob."""
    harness = MessageHarness()
    harness.make_group("alice", "bob", "carol")
    assert harness.say({"type": "message", "conversation_id": GROUP, "content": "in the group"})["success"]
    for _ in range(2):
        assert harness.say({"type": "message", "to": "bob", "content": "in private"})["success"]
    harness.stores.connect("carol", "c1=", at=NOW)
    harness.gateway.posts.clear()
    return harness


def expel(harness: MessageHarness, user_id: str) -> None:
    harness.stores.change(Removed((user_id,), size=2), place=GROUP, at=NOW)


def about(kind: str, conversation_id: str) -> dict[str, Any]:
    return {"type": kind, "conversation_id": conversation_id, **ABOUT[kind]}


@pytest.fixture
def harness() -> MessageHarness:
    return furnished()


@pytest.mark.parametrize("kind", ABOUT)
@pytest.mark.parametrize("conversation_id", [GROUP, DM])
def test_a_member_may(kind: str, conversation_id: str) -> None:
    reply = furnished().say(about(kind, conversation_id))
    assert reply["success"], reply


@pytest.mark.parametrize("kind", ABOUT)
@pytest.mark.parametrize("conversation_id", [GROUP, DM, "group:doesnotexist123456", "dm:alice:zoe", "nonsense", "#"])
def test_outsiders_are_told_the_same_of_a_foreign_conversation_and_of_none(
    harness: MessageHarness, kind: str, conversation_id: str
) -> None:
    before = harness.stores.rows(LOG)
    reply = harness.as_user("mallory", about(kind, conversation_id))
    assert (reply["success"], reply["code"], reply["error"]) == (
        False,
        "not_a_member",
        "You are not a member of this conversation",
    )
    assert harness.stores.rows(LOG) == before
    assert harness.gateway.posts == []


@pytest.mark.parametrize("kind", ABOUT)
def test_a_former_member_is_an_outsider(harness: MessageHarness, kind: str) -> None:
    expel(harness, "carol")
    assert harness.as_user("carol", about(kind, GROUP))["code"] == "not_a_member"
    assert harness.events("c1=") == []


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("message", "blocked"),
        ("edit", "blocked"),
        ("react", "blocked"),
        ("delete", None),
        ("typing", None),
        ("read", None),
    ],
)
def test_a_blocked_user_says_nothing_in_private_any_more(harness: MessageHarness, kind: str, code: str | None) -> None:
    harness.stores.blocks.put("bob", "alice", now=NOW)
    assert harness.say(about(kind, DM)).get("code") == code
    told = [event["type"] for event in harness.events("b1=")]
    assert "typing" not in told
    assert "new_message" not in told


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("carol", {"type": "edit", "conversation_id": GROUP, "seq": 2, "content": "mine?"}, "forbidden"),
    ("carol", {"type": "delete", "conversation_id": GROUP, "seq": 2}, "forbidden"),
    ("alice", {"type": "edit", "conversation_id": GROUP, "seq": 1, "content": "no message"}, "not_found"),
    ("alice", {"type": "edit", "conversation_id": GROUP, "seq": 99, "content": "no entry"}, "not_found"),
    ("alice", {"type": "edit", "conversation_id": GROUP, "seq": 2, "content": " "}, "bad_request"),
    ("alice", {"type": "edit", "conversation_id": GROUP, "seq": 2, "content": "x" * 5_001}, "too_large"),
    ("alice", {"type": "delete", "conversation_id": GROUP, "seq": 99}, "not_found"),
    ("alice", {"type": "react", "conversation_id": GROUP, "seq": 1, "emoji": "👍"}, "not_found"),
    ("alice", {"type": "react", "conversation_id": GROUP, "seq": 2, "emoji": ""}, "bad_request"),
    ("alice", {"type": "react", "conversation_id": GROUP, "seq": 2, "emoji": "a b"}, "bad_request"),
    ("alice", {"type": "react", "conversation_id": GROUP, "seq": 2, "emoji": "👍" * 20}, "bad_request"),
    ("alice", {"type": "read", "conversation_id": GROUP, "seq": 99}, "bad_request"),
    ("alice", {"type": "read", "conversation_id": GROUP, "seq": 99, "reply": False}, "bad_request"),
    ("alice", {"type": "read", "conversation_id": GROUP, "seq": 2, "reply": 0}, "bad_request"),
    ("alice", {"type": "receipts"}, "bad_request"),
    ("alice", {"type": "receipts", "read": {}, "delivered": {}, "reply": False}, "bad_request"),
    ("alice", {"type": "receipts", "read": {GROUP: -1}}, "bad_request"),
    ("alice", {"type": "receipts", "read": {GROUP: None}}, "bad_request"),
    ("alice", {"type": "receipts", "read": [GROUP]}, "bad_request"),
    ("alice", {"type": "receipts", "read": {"": 1}}, "bad_request"),
    ("alice", {"type": "receipts", "delivered": {f"dm:alice:u{number}": 1 for number in range(21)}}, "bad_request"),
    ("alice", {"type": "message", "conversation_id": GROUP, "content": "x", "mentions": ["zoe"]}, "bad_request"),
    ("alice", {"type": "message", "conversation_id": GROUP, "content": "x", "reply_to": 1}, "not_found"),
    ("alice", {"type": "message", "conversation_id": GROUP, "content": "x", "after": 99}, "bad_request"),
    ("alice", {"type": "message", "to": "alice", "content": "x"}, "bad_request"),
    ("alice", {"type": "message", "to": "bob", "conversation_id": DM, "content": "x"}, "bad_request"),
    ("alice", {"type": "message", "to": "bob", "forward_of": {"conversation_id": GROUP, "seq": 1}}, "not_found"),
    ("zoe", {"type": "message", "to": "bob", "forward_of": {"conversation_id": GROUP, "seq": 2}}, "not_a_member"),
    (
        "alice",
        {"type": "message", "to": "bob", "content": "x", "forward_of": {"conversation_id": GROUP, "seq": 2}},
        "bad_request",
    ),
    ("alice", {"type": "presence", "users": ["no user"]}, "bad_request"),
    ("alice", {"type": "presence", "users": [f"u{number}" for number in range(101)]}, "bad_request"),
    ("alice", {"type": "presence"}, "bad_request"),
    ("alice", {"type": "auth", "token": "bad"}, "unauthenticated"),
    ("alice", {"type": "auth"}, "bad_request"),
    ("alice", {"type": "typing", "conversation_id": GROUP, "active": "yes"}, "bad_request"),
]


@pytest.mark.parametrize(("user_id", "frame", "code"), REFUSED)
def test_what_is_refused_changes_nothing(
    harness: MessageHarness, user_id: str, frame: dict[str, Any], code: str
) -> None:
    before = harness.stores.rows(LOG)
    reply = harness.as_user(user_id, frame)
    assert (reply["success"], reply["code"], reply["retryable"]) == (False, code, False)
    assert (harness.stores.rows(LOG), harness.gateway.posts) == (before, [])


def test_every_frame_type_is_in_a_table_above() -> None:
    named = {*ABOUT, *(frame["type"] for _, frame, _ in REFUSED)}
    assert named | {"sync"} == TYPES


def test_an_edit_reaches_everyone_and_says_where_it_stands(harness: MessageHarness) -> None:
    reply = harness.say({"type": "edit", "id": "e", "conversation_id": GROUP, "seq": 2, "content": "better"})
    assert reply["data"] == {"type": "edit", "conversation_id": GROUP, "seq": 2, "entry_seq": 3, "timestamp": NOW}
    event = {
        "type": "message_edited",
        "conversation_id": GROUP,
        "seq": 3,
        "user_id": "alice",
        "timestamp": NOW,
        "message_seq": 2,
        "message_id": f"{GROUP}/2",
        "content": "better",
    }
    assert harness.events("b1=") == harness.events("a2=") == harness.events("c1=") == [event]
    assert harness.events("a1=") == []


@pytest.mark.parametrize(
    "frame",
    [
        {"type": "edit", "conversation_id": GROUP, "seq": 2, "content": "better"},
        {"type": "delete", "conversation_id": GROUP, "seq": 2},
        {"type": "react", "conversation_id": GROUP, "seq": 2, "emoji": "👍"},
    ],
)
def test_a_repeated_change_is_one_change(harness: MessageHarness, frame: dict[str, Any]) -> None:
    first, again = harness.say(frame), harness.say(frame)
    assert (first["data"]["entry_seq"], again["data"]["entry_seq"]) == (3, None)
    assert (len(harness.stores.entries(GROUP)), len(harness.events("b1="))) == (3, 1)


def test_a_reaction_goes_and_comes(harness: MessageHarness) -> None:
    react = {"type": "react", "conversation_id": GROUP, "seq": 2, "emoji": "👍"}
    for remove in (False, True):
        harness.say({**react, "remove": remove})
    assert [(event["emoji"], event["removed"]) for event in harness.events("c1=")] == [("👍", False), ("👍", True)]


def test_typing_is_told_to_the_others_and_stored_nowhere(harness: MessageHarness) -> None:
    harness.say({"type": "typing", "conversation_id": GROUP})
    event = {"type": "typing", "conversation_id": GROUP, "user_id": "alice", "active": True}
    assert (harness.events("b1="), harness.events("c1="), harness.events("a2=")) == ([event], [event], [])
    assert len(harness.stores.entries(GROUP)) == 2


def test_presence_tells_the_state_and_subscribes_this_connection(harness: MessageHarness) -> None:
    reply = harness.say({"type": "presence", "users": ["bob", "zoe"]})
    assert reply["data"] == {
        "type": "presence",
        "users": [
            {"user_id": "bob", "status": "online", "last_seen": None},
            {"user_id": "zoe", "status": "offline", "last_seen": None},
        ],
    }
    assert [(one.watcher, one.connection_id) for one in harness.stores.watches.of("bob")] == [("alice", "a1=")]
    harness.say({"type": "presence", "users": []})
    assert harness.stores.watches.of("bob") == []


def test_a_forwarded_message_says_the_same_and_that_it_is_forwarded(harness: MessageHarness) -> None:
    harness.say({"type": "message", "to": "bob", "forward_of": {"conversation_id": GROUP, "seq": 2}})
    (event,) = harness.events("b1=")
    assert (event["message"]["content"], event["message"]["forwarded"]) == ("in the group", True)


# -- tokens -----------------------------------------------------------------------------------------------------------


def test_a_fresh_token_extends_the_connection_for_every_instance_of_the_function(harness: MessageHarness) -> None:
    harness.tokens["fresh"] = Identity("alice", NOW + 5 * HOUR)
    ends = NOW + 60_000
    reply = harness.say({"type": "auth", "token": "fresh"}, expires_at=ends)
    assert reply["data"] == {"type": "auth", "user_id": "alice", "expires_at": NOW + 5 * HOUR}
    harness.clock.advance(61_000)
    assert harness.say({"type": "ping"}, expires_at=ends)["success"]
    harness.guard = harness.new_guard()
    assert harness.say({"type": "ping"}, expires_at=ends)["success"]
    assert harness.stores.connections("alice")["a1="].is_live(NOW + 5 * 60_000)


def test_a_ping_through_an_instance_that_does_not_know_of_the_fresh_token_shortens_nothing(
    harness: MessageHarness,
) -> None:
    harness.tokens["fresh"] = Identity("alice", NOW + 5 * HOUR)
    ends = NOW + 60_000
    harness.say({"type": "auth", "token": "fresh"}, expires_at=ends)
    harness.guard = harness.new_guard()
    harness.say({"type": "ping"}, expires_at=ends)
    assert harness.stores.connections("alice")["a1="].is_live(NOW + 10 * 60_000)


def test_a_fresh_token_keeps_the_presence_subscription_too(harness: MessageHarness) -> None:
    harness.tokens["fresh"] = Identity("alice", NOW + 5 * HOUR)
    harness.say({"type": "presence", "users": ["bob"]}, expires_at=NOW + 60_000)
    harness.say({"type": "auth", "token": "fresh"}, expires_at=NOW + 60_000)
    (one,) = harness.stores.watches.of("bob")
    assert one.expires_at > NOW + HOUR


@pytest.mark.parametrize("frame", [{"type": "ping"}, {"type": "sync"}])
def test_a_connection_that_was_given_up_and_speaks_brings_its_user_back(
    harness: MessageHarness, frame: dict[str, Any]
) -> None:
    harness.as_user("bob", {"type": "presence", "users": ["alice"]})
    for connection_id in ("a1=", "a2="):
        harness.stores.sessions.remove("alice", connection_id, now=NOW)
    assert harness.stores.sessions.show_offline("alice", harness.stores.session("alice"))
    harness.say(frame)
    events = [event for event in harness.events("bob-device=") if event["type"] == "presence"]
    assert [(event["user_id"], event["status"]) for event in events] == [("alice", "online")]


ENDED = NOW + 60_000


def after_the_end(harness: MessageHarness) -> None:
    """Alice's only connection outlived its token. Bob, who watches her, was told by the look that came of it."""
    harness.stores.drop(SESSIONS, {"user_id": "alice"})
    harness.stores.connect("alice", "a1=", at=NOW, expires_at=ENDED)
    harness.as_user("bob", {"type": "presence", "users": ["alice"]})
    harness.clock.advance(61_000)
    assert harness.say({"type": "ping"}, expires_at=ENDED)["code"] == "token_expired"
    gone = harness.checks.scheduled[-1]
    assert look(harness, gone)
    assert presences(harness) == ["offline"]
    harness.tokens["fresh"] = Identity("alice", NOW + 5 * HOUR)


def look(harness: MessageHarness, gone: Gone) -> bool:
    stores, services = harness.wired.stores, harness.wired.services
    return check_offline(gone, stores=stores, services=services, now=harness.clock)


def presences(harness: MessageHarness, connection_id: str = "bob-device=") -> list[str]:
    events = [event for event in harness.events(connection_id) if event["type"] == "presence"]
    harness.gateway.posts.clear()
    return [event["status"] for event in events]


def test_the_end_of_the_last_token_is_looked_after_with_the_first_frame_that_is_refused_for_it(
    harness: MessageHarness,
) -> None:
    for _ in range(3):
        harness.say({"type": "ping"}, expires_at=NOW)
    assert harness.checks.scheduled == [Gone("alice", NOW)]
    harness.guard = harness.new_guard()  # another instance can't know
    harness.say({"type": "ping"}, expires_at=NOW)
    assert len(harness.checks.scheduled) == 2


def test_who_watches_hears_of_the_end_of_a_token_also_where_its_client_never_says_another_word(
    harness: MessageHarness,
) -> None:
    harness.stores.drop(SESSIONS, {"user_id": "alice"})
    ends = NOW + 9 * 60_000
    harness.stores.connect("alice", "a1=", at=NOW, expires_at=ends, token_ends_at=ends)
    harness.as_user("bob", {"type": "presence", "users": ["alice"]})
    harness.say({"type": "ping"}, expires_at=ends)
    assert not harness.checks.scheduled, "there will be another ping before that"
    harness.clock.advance(4 * 60_000)
    harness.say({"type": "ping"}, expires_at=ends)
    gone = harness.checks.scheduled[-1]
    assert gone == Gone("alice", ends)
    harness.clock.advance(5 * 60_000)
    assert look(harness, gone)
    assert presences(harness) == ["offline"]


@pytest.mark.parametrize(("lasts", "ends_in"), [(60_000, 60_000), (30_000, 45_000), (HOUR, None)])
def test_the_end_of_a_short_token_that_a_connection_is_given_is_looked_after(
    harness: MessageHarness, lasts: int, ends_in: int | None
) -> None:
    harness.tokens["fresh"] = Identity("alice", NOW + lasts)
    harness.say({"type": "auth", "token": "fresh"}, expires_at=NOW + 45_000)
    assert harness.checks.scheduled == ([] if ends_in is None else [Gone("alice", NOW + ends_in)])


def test_a_fresh_token_is_taken_after_the_old_one_has_ended_and_all_is_as_before(harness: MessageHarness) -> None:
    after_the_end(harness)
    assert harness.say({"type": "message", "to": "bob", "content": "hi"}, expires_at=ENDED)["code"] == "token_expired"
    reply = harness.say({"type": "auth", "token": "fresh"}, expires_at=ENDED)
    assert reply["data"] == {"type": "auth", "user_id": "alice", "expires_at": NOW + 5 * HOUR}
    assert presences(harness) == ["online"]
    for guard in (harness.guard, harness.new_guard()):
        harness.guard = guard
        for frame in ({"type": "ping"}, {"type": "message", "to": "bob", "content": "hi"}, {"type": "sync"}):
            assert harness.say(frame, expires_at=ENDED)["success"]
    assert harness.as_user("bob", {"type": "message", "to": "alice", "content": "hello"})["success"]
    assert harness.events("a1=")[-1]["type"] == "new_message"


def test_a_fresh_token_that_ends_too_is_as_good_as_none_in_every_instance_and_can_be_followed_by_another(
    harness: MessageHarness,
) -> None:
    after_the_end(harness)
    harness.tokens["short"] = Identity("alice", harness.clock() + 1_000)
    harness.say({"type": "auth", "token": "short"}, expires_at=ENDED)
    presences(harness)
    scheduled = len(harness.checks.scheduled)
    harness.clock.advance(1_000)
    for guard in (harness.guard, harness.new_guard(), harness.guard):
        harness.guard = guard
        assert harness.say({"type": "ping"}, expires_at=ENDED)["code"] == "token_expired"
    assert len(harness.checks.scheduled[scheduled:]) == 2
    look(harness, Gone("alice", harness.clock()))
    assert presences(harness) == ["offline"]
    assert harness.say({"type": "auth", "token": "fresh"}, expires_at=ENDED)["success"]
    assert presences(harness) == ["online"]


def test_an_auth_that_dies_before_it_tells_that_the_user_is_back_is_completed_by_its_repetition(
    harness: MessageHarness,
) -> None:
    after_the_end(harness)
    harness.stores.calls.fail("watch#", ZeroDivisionError)
    assert harness.say({"type": "auth", "token": "fresh"}, expires_at=ENDED)["code"] == "internal"
    harness.stores.calls.let_through()
    assert harness.say({"type": "auth", "token": "fresh"}, expires_at=ENDED)["success"]
    assert presences(harness) == ["online"]


def test_a_fresh_token_in_time_tells_nobody_anything(harness: MessageHarness) -> None:
    harness.as_user("bob", {"type": "presence", "users": ["alice"]})
    harness.tokens["fresh"] = Identity("alice", NOW + 5 * HOUR)
    harness.say({"type": "auth", "token": "fresh"}, expires_at=NOW + HOUR)
    assert presences(harness) == []


def test_the_first_answer_shows_both_to_each_other() -> None:
    harness = MessageHarness()
    harness.say({"type": "presence", "users": ["bob"]})
    harness.as_user("bob", {"type": "presence", "users": ["alice"]})
    harness.say({"type": "message", "to": "bob", "content": "hi"})
    assert (presences(harness, "a1="), presences(harness)) == ([], [])
    answer = {"type": "message", "to": "alice", "content": "hello", "client_message_id": "c", "after": 1}
    for _ in range(2):  # also again, since the first attempt may have died before it told anybody
        assert harness.as_user("bob", answer)["success"]
        told = {
            name: [event["user_id"] for event in harness.events(name) if event["type"] == "presence"]
            for name in ("a1=", "bob-device=")
        }
        assert told == {"a1=": ["bob"], "bob-device=": ["alice"]}
        harness.gateway.posts.clear()
    harness.as_user("bob", {**answer, "client_message_id": "d", "after": 2})
    assert (presences(harness, "a1="), presences(harness)) == ([], [])


def test_an_answer_is_stored_though_nobody_can_be_told_that_both_may_see_each_other() -> None:
    harness = MessageHarness()
    harness.say({"type": "presence", "users": ["bob"]})
    harness.say({"type": "message", "to": "bob", "content": "hi"})
    harness.stores.calls.fail("watch", ZeroDivisionError)
    assert harness.as_user("bob", {"type": "message", "to": "alice", "content": "hello"})["success"]


def test_another_users_token_is_refused(harness: MessageHarness) -> None:
    harness.tokens["bobs"] = Identity("bob", NOW + HOUR)
    assert harness.say({"type": "auth", "token": "bobs"})["code"] == "forbidden"


def test_a_token_is_good_until_it_expires_and_not_at_that_moment(harness: MessageHarness) -> None:
    assert harness.say({"type": "ping"}, expires_at=NOW + 1)["success"]
    assert harness.say({"type": "ping"}, expires_at=NOW)["code"] == "token_expired"


def test_after_the_end_of_its_token_a_connection_costs_one_read_and_gets_nothing(harness: MessageHarness) -> None:
    reads = harness.stores.calls.reads(SESSIONS)
    assert harness.say({"type": "typing", "conversation_id": GROUP}, expires_at=NOW)["code"] == "token_expired"
    assert (harness.stores.calls.reads(SESSIONS) - reads, harness.gateway.posts) == (1, [])


# -- limits -----------------------------------------------------------------------------------------------------------

COUNTED: list[Callable[[int], dict[str, Any]]] = [
    lambda number: {"type": "message", "conversation_id": GROUP, "content": f"{number}"},
    lambda number: {"type": "edit", "conversation_id": GROUP, "seq": 2, "content": f"{number}"},
    lambda number: {"type": "react", "conversation_id": GROUP, "seq": 2, "emoji": "x", "remove": number % 2 == 1},
]


@pytest.mark.parametrize("frame", COUNTED)
def test_a_flood_is_told_to_slow_down_and_when_to_go_on(
    harness: MessageHarness, frame: Callable[[int], dict[str, Any]]
) -> None:
    harness.guard = harness.new_guard(Limit(rate=10, burst=20))
    replies = [harness.say(frame(number)) for number in range(60)]
    refused = [reply for reply in replies if not reply["success"]]
    assert {(reply["code"], reply["retryable"]) for reply in refused} == {("rate_limited", True)}
    assert 20 <= len(replies) - len(refused) <= 23
    harness.clock.advance(refused[-1]["retry_after_ms"])
    assert harness.say(frame(100))["success"]


def test_one_users_flood_is_nobody_elses(harness: MessageHarness) -> None:
    harness.guard = harness.new_guard(Limit(rate=1, burst=1))
    for number in range(20):
        harness.say(COUNTED[0](number))
    assert harness.as_user("bob", COUNTED[0](0))["success"]


@pytest.mark.parametrize("body", [{"type": "ping"}, {"type": "typing", "conversation_id": GROUP}, "nonsense"])
def test_frames_that_nobody_counts_centrally_have_a_limit_for_each_connection(
    harness: MessageHarness, body: Any
) -> None:
    harness.guard = harness.new_guard(frames=10)
    codes = [harness.say(body).get("code") for _ in range(12)]
    assert codes[10:] == ["rate_limited", "rate_limited"]
    assert harness.say({"type": "ping"}, connection_id="a2=")["success"]


@pytest.mark.parametrize("kind", ["sync", "presence", "auth"])
def test_frames_that_cost_much_have_a_limit_of_their_own(harness: MessageHarness, kind: str) -> None:
    harness.tokens["fresh"] = Identity("alice", NOW + HOUR)
    fields: dict[str, dict[str, Any]] = {"sync": {}, "presence": {"users": []}, "auth": {"token": "fresh"}}
    burst = COSTLY[kind][1]
    codes = [harness.say({"type": kind, **fields[kind]}).get("code") for _ in range(burst + 1)]
    assert codes == [None] * burst + ["rate_limited"]
    assert harness.say({"type": "ping"})["success"]


def test_a_deployment_can_allow_less_than_the_protocol_does(harness: MessageHarness) -> None:
    harness.bounds, harness.page_limit = Bounds(characters=5, mentions=1), 1
    harness.guard = harness.new_guard(frame_limit=200)
    message = {"type": "message", "conversation_id": GROUP, "content": "short"}
    assert harness.say(message)["success"]
    assert harness.say({**message, "content": "longer"})["code"] == "too_large"
    assert harness.say({**message, "mentions": ["bob", "carol"]})["code"] == "too_large"
    assert harness.say({"type": "edit", "conversation_id": GROUP, "seq": 2, "content": "longer"})["code"] == "too_large"
    assert harness.say({"type": "ping", "x": "x" * 200})["code"] == "too_large"
    (synced,) = harness.say({"type": "sync", "conversations": {GROUP: 0, DM: 9}})["data"]["conversations"][:1]
    assert (len(synced["entries"]), synced["has_more"]) == (1, True)


def test_who_goes_on_all_the_same_is_sent_away(harness: MessageHarness) -> None:
    harness.guard = harness.new_guard(frames=1, abuse=5)
    for _ in range(6):
        harness.say({"type": "ping"})
    assert harness.gateway.closed == ["a1="]
    assert [json.loads(data) for data in harness.gateway.received("a1=")] == [
        {"type": "disconnect", "code": "rate_limited", "reconnect": False}
    ]
