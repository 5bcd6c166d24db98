"""Sending: who may, where it goes, who gets it."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.connections import PostOutcome
from shared.errors import BadRequest, Conflict, NotAMember, NotFound, ParleyError, TooLarge
from shared.wire.websocket.replies import encode_event
from tests.dynamodb import Calm
from tests.fakes import DM
from tests.shared.operations.conversation_harness import GROUP, House
from tests.stores import LOG, MEMBERS, simulated


def test_everyone_else_gets_it_and_the_senders_other_devices() -> None:
    house = House()
    for user_id, connection_id in (("alice", "a1"), ("alice", "a2"), ("bob", "b1"), ("bob", "b2"), ("carol", "c1")):
        house.stores.connect(user_id, connection_id, at=house.clock())
    house.send("hello", connection_id="a1", to="bob", after=0, client_message_id="x")
    assert {target for target, _ in house.gateway.posts} == {"a2", "b1", "b2"}


def test_nothing_is_posted_before_it_is_stored() -> None:
    house = House()
    house.stores.connect("bob", "b1", at=house.clock())
    house.stores.before_put(lambda _: pytest.fail("posted first") if house.gateway.posts else None)
    sent = house.send()
    assert house.gateway.received("b1") == [encode_event(sent.entry)]


def test_sessions_are_read_after_the_append() -> None:
    house = House()
    house.stores.before_put(lambda _: house.stores.connect("bob", "late", at=house.clock()))
    sent = house.send()
    assert house.gateway.received("late") == [encode_event(sent.entry)]


def test_a_resend_is_posted_again_because_the_first_attempt_may_have_died_before_its_posts() -> None:
    house = House()
    house.stores.connect("bob", "b1", at=house.clock())
    first = house.send(to="bob", after=0, client_message_id="x")
    again = house.send(to="bob", after=0, client_message_id="x")
    assert (again.entry, first.duplicate, again.duplicate) == (first.entry, False, True)
    assert house.gateway.received("b1") == [encode_event(first.entry)] * 2


@pytest.mark.parametrize("between", [0, 1, 40, 98])
def test_who_was_removed_since_and_sends_it_again_hears_that_it_is_stored(between: int) -> None:
    house = House()
    house.group("alice", "bob", "carol")
    command: dict[str, Any] = {"sender_id": "bob", "conversation_id": GROUP, "after": 1, "client_message_id": "x"}
    house.stores.write("carol", *map(str, range(between)), conversation_id=GROUP)
    first = house.send(**command)
    house.remove("bob", by="alice")
    again = house.send(**command)
    assert (again.entry.seq, again.duplicate) == (first.entry.seq, True)
    with pytest.raises(NotAMember):
        house.send(**command | {"client_message_id": "y"})


@pytest.mark.parametrize("between", [0, 98, 250])
def test_who_is_blocked_since_and_sends_it_again_hears_that_it_is_stored(between: int) -> None:
    house = House()
    house.stores.write("bob", *map(str, range(between)))
    first = house.send(after=0, client_message_id="x")
    house.stores.blocks.put("bob", "alice", now=house.clock())
    again = house.send(after=0, client_message_id="x")
    assert (again.entry.seq, again.duplicate) == (first.entry.seq, True)


@pytest.mark.parametrize("between", [0, 10, 25, 1_500])
def test_without_after_a_message_with_an_id_is_stored_once_however_much_lies_between(between: int) -> None:
    house = House()
    first = house.send(to="bob", client_message_id="x")
    house.stores.write("bob", *map(str, range(between)))
    again = house.send(to="bob", client_message_id="x")
    assert (again.entry, first.duplicate, again.duplicate) == (first.entry, False, True)
    with pytest.raises(Conflict):
        house.send("other", to="bob", client_message_id="x")
    assert len(house.entries(DM)) == between + 1


def test_one_id_is_another_message_from_another_sender_and_in_another_conversation() -> None:
    house = House()
    house.group("alice", "bob")
    sent = [
        house.send(to="bob", client_message_id="x"),
        house.send(to="alice", sender_id="bob", client_message_id="x"),
        house.send(conversation_id=GROUP, client_message_id="x"),
    ]
    assert [(one.entry.seq, one.duplicate) for one in sent] == [(1, False), (2, False), (2, False)]


def test_a_stored_message_without_after_gets_its_first_reply_though_it_could_not_be_sent_any_more() -> None:
    house = House()
    house.group("alice", "bob", "carol")
    command: dict[str, Any] = {"sender_id": "bob", "client_message_id": "x"}
    in_group = house.send(conversation_id=GROUP, **command)
    private = house.send(to="alice", **command)
    house.stores.write("alice", *map(str, range(30)))
    house.remove("bob")
    house.stores.blocks.put("alice", "bob", now=1)
    house.heard()
    assert house.send(conversation_id=GROUP, **command).entry == in_group.entry
    assert house.send(to="alice", **command).entry == private.entry
    assert house.heard() == set()
    with pytest.raises(Conflict):
        house.send("other", to="alice", **command)
    with pytest.raises(NotAMember):
        house.send(conversation_id=GROUP, sender_id="bob", client_message_id="y")


def test_without_an_id_nothing_but_the_head_is_read_and_no_note_is_kept() -> None:
    house = House()
    house.stores.write("bob", *map(str, range(30)))
    assert [house.send(to="bob").entry.seq for _ in range(2)] == [31, 32]
    assert house.stores.rows(MEMBERS, sk="sent") == []


def test_without_an_id_every_send_is_a_message() -> None:
    house = House()
    assert [house.send(to="bob", after=0).entry.seq for _ in range(3)] == [1, 2, 3]


def test_a_known_after_costs_one_eventual_read_and_one_put() -> None:
    house = House()
    house.stores.write("bob", "1", "2")
    house.send(to="bob", after=2, client_message_id="x")
    assert (house.stores.calls.reads(LOG), house.stores.calls.writes(LOG)) == (1, 1)


def test_an_after_that_the_eventual_read_misses_is_read_again() -> None:
    class Stale(Calm):
        def stale(self) -> bool:
            return True

    house = House(stores=simulated(weather=Stale()))
    house.stores.write("bob", "1", "2")
    assert house.send(to="bob", after=2, client_message_id="x").entry.seq == 3


@pytest.mark.parametrize("cmid", ["x", None])
def test_an_after_that_does_not_exist_is_refused(cmid: str | None) -> None:
    house = House()
    house.stores.write("bob", "1")
    with pytest.raises(BadRequest):
        house.send(to="bob", after=5, client_message_id=cmid)
    assert len(house.stores.entries(DM)) == 1


@pytest.mark.parametrize(
    "conversation_id", ["dm:bob:carol", "dm:bob:alice", "dm:alice:alice", "group:1", "dm:alice", "dm:alice:bob:c", "x"]
)
@pytest.mark.parametrize("after", [None, 0, 1])
def test_foreign_and_made_up_conversations_answer_alike(conversation_id: str, after: int | None) -> None:
    house = House()
    house.stores.write("bob", "1", conversation_id="dm:bob:carol")
    with pytest.raises(NotAMember):
        house.send(conversation_id=conversation_id, after=after, client_message_id="x")


def test_a_private_conversation_by_id_must_exist() -> None:
    house = House()
    with pytest.raises(NotAMember):
        house.send(conversation_id=DM, after=0, client_message_id="x")
    house.stores.write("bob", "1")
    assert house.send(conversation_id=DM, after=0, client_message_id="x").entry.seq == 2


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ({"to": "alice"}, BadRequest),
        ({"to": "bob", "conversation_id": DM}, BadRequest),
        ({"to": None}, BadRequest),
        ({"to": "b:b"}, BadRequest),
        ({"to": "bob", "content": ""}, BadRequest),
        ({"to": "bob", "content": " \t\n\u200b\u2060"}, BadRequest),
        ({"to": "bob", "content": "x" * 5_001}, TooLarge),
        ({"to": "bob", "content": "\U0001f600" * 5_000 + "x"}, TooLarge),
        ({"to": "bob", "mentions": ("carol",)}, BadRequest),
        ({"to": "bob", "mentions": ("bob",) * 51}, TooLarge),
        ({"to": "bob", "reply_to": 9}, NotFound),
        ({"to": "bob", "message_type": "image"}, BadRequest),
        ({"to": "bob", "message_type": "file", "file_id": "f"}, NotFound),
        ({"to": "bob", "file_id": "f"}, BadRequest),
    ],
)
def test_what_may_not_be_sent_changes_nothing(command: dict[str, Any], error: type[ParleyError]) -> None:
    house = House()
    house.stores.connect("bob", "b1", at=house.clock())
    content = command.pop("content", "hi")
    with pytest.raises(error):
        house.send(content, **command)
    assert (house.stores.calls.writes(LOG), house.gateway.posts) == (0, [])


def test_the_longest_text_is_fine() -> None:
    assert House().send("\u20ac" * 5_000).entry.seq == 1


def test_replies_and_mentions_are_kept() -> None:
    house = House()
    house.stores.write("bob", "1")
    entry = house.send(to="bob", after=1, client_message_id="x", reply_to=1, mentions=("bob",)).entry
    assert (entry.reply_to, entry.mentions) == (1, ("bob",))


def test_a_dead_connection_is_forgotten_and_does_not_hold_up_the_living() -> None:
    house = House()
    house.stores.connect("bob", "dead", at=house.clock())
    house.stores.connect("bob", "alive", at=house.clock())
    house.clock.advance(60_000)
    house.gateway.outcomes["dead"] = PostOutcome.GONE
    house.send()
    assert set(house.stores.connections("bob")) == {"alive"}


def test_a_connection_still_inside_connect_is_kept_though_its_post_says_gone() -> None:
    house = House()
    house.stores.connect("bob", "young", at=house.clock() - 4_000)
    house.gateway.outcomes["young"] = PostOutcome.GONE
    house.send()
    assert set(house.stores.connections("bob")) == {"young"}


def test_a_failing_post_is_counted_and_the_connection_kept() -> None:
    house = House()
    house.stores.connect("bob", "slow", at=house.clock() - 60_000)
    house.gateway.outcomes["slow"] = PostOutcome.FAILED
    house.send()
    assert house.observer.counted == {"PostsFailed": 1}
    assert set(house.stores.connections("bob")) == {"slow"}


def test_an_expired_connection_is_not_posted_to() -> None:
    house = House()
    house.stores.connect("bob", "stale", at=house.clock() - 10_000, expires_at=house.clock())
    house.send()
    assert house.gateway.posts == []
