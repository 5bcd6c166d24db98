"""Sending: who may, where it goes, who gets it."""

from __future__ import annotations

from functools import partial
from hashlib import blake2b
from typing import Any

import pytest

from shared.domain.connections import PostOutcome
from shared.errors import BadRequest, Conflict, NotAMember, NotFound, ParleyError, TooLarge
from shared.wire.websocket.frames import encode_event
from tests.dynamodb import NoFaults
from tests.fakes import DM
from tests.shared.operations.conversation_harness import GROUP, ChatHarness
from tests.stores import LOG, MEMBERS, simulated


def test_everyone_else_gets_it_and_the_senders_other_devices(harness: ChatHarness) -> None:
    for user_id, connection_id in (("alice", "a1"), ("alice", "a2"), ("bob", "b1"), ("bob", "b2"), ("carol", "c1")):
        harness.stores.connect(user_id, connection_id, at=harness.clock())
    harness.send("hello", connection_id="a1", to="bob", after=0, client_message_id="x")
    assert {target for target, _ in harness.gateway.posts} == {"a2", "b1", "b2"}


def test_nothing_is_posted_before_it_is_stored(harness: ChatHarness) -> None:
    harness.stores.connect("bob", "b1", at=harness.clock())
    harness.stores.before_put(lambda _: pytest.fail("posted first") if harness.gateway.posts else None)
    sent = harness.send()
    assert harness.gateway.received("b1") == [encode_event(sent.entry)]


def test_sessions_are_read_after_the_append(harness: ChatHarness) -> None:
    harness.stores.before_put(lambda _: harness.stores.connect("bob", "late", at=harness.clock()))
    sent = harness.send()
    assert harness.gateway.received("late") == [encode_event(sent.entry)]


def test_a_resend_is_posted_again_because_the_first_attempt_may_have_died_before_its_posts(
    harness: ChatHarness,
) -> None:
    harness.stores.connect("bob", "b1", at=harness.clock())
    first = harness.send(to="bob", after=0, client_message_id="x")
    again = harness.send(to="bob", after=0, client_message_id="x")
    assert (again.entry, first.duplicate, again.duplicate) == (first.entry, False, True)
    assert harness.gateway.received("b1") == [encode_event(first.entry)] * 2


@pytest.mark.parametrize("between", [0, 1, 40, 98])
def test_who_was_removed_since_and_sends_it_again_hears_that_it_is_stored(harness: ChatHarness, between: int) -> None:
    harness.group("alice", "bob", "carol")
    command: dict[str, Any] = {"sender_id": "bob", "conversation_id": GROUP, "after": 1, "client_message_id": "x"}
    harness.stores.write("carol", *map(str, range(between)), conversation_id=GROUP)
    first = harness.send(**command)
    harness.remove("bob", by="alice")
    again = harness.send(**command)
    assert (again.entry.seq, again.duplicate) == (first.entry.seq, True)
    with pytest.raises(NotAMember):
        harness.send(**command | {"client_message_id": "y"})


@pytest.mark.parametrize("between", [0, 98, 250])
def test_who_is_blocked_since_and_sends_it_again_hears_that_it_is_stored(harness: ChatHarness, between: int) -> None:
    harness.stores.write("bob", *map(str, range(between)))
    first = harness.send(after=0, client_message_id="x")
    harness.stores.blocks.put("bob", "alice", now=harness.clock())
    again = harness.send(after=0, client_message_id="x")
    assert (again.entry.seq, again.duplicate) == (first.entry.seq, True)


@pytest.mark.parametrize("between", [0, 10, 25, 1_500])
def test_without_after_a_message_with_an_id_is_stored_once_however_much_lies_between(
    harness: ChatHarness, between: int
) -> None:
    first = harness.send(to="bob", client_message_id="x")
    harness.stores.write("bob", *map(str, range(between)))
    again = harness.send(to="bob", client_message_id="x")
    assert (again.entry, first.duplicate, again.duplicate) == (first.entry, False, True)
    with pytest.raises(Conflict):
        harness.send("other", to="bob", client_message_id="x")
    assert len(harness.entries(DM)) == between + 1


def test_one_id_is_another_message_from_another_sender_and_in_another_conversation(harness: ChatHarness) -> None:
    harness.group("alice", "bob")
    sent = [
        harness.send(to="bob", client_message_id="x"),
        harness.send(to="alice", sender_id="bob", client_message_id="x"),
        harness.send(conversation_id=GROUP, client_message_id="x"),
    ]
    assert [(one.entry.seq, one.duplicate) for one in sent] == [(1, False), (2, False), (2, False)]


def test_a_stored_message_without_after_gets_its_first_reply_though_it_could_not_be_sent_any_more(
    harness: ChatHarness,
) -> None:
    harness.group("alice", "bob", "carol")
    command: dict[str, Any] = {"sender_id": "bob", "client_message_id": "x"}
    in_group = harness.send(conversation_id=GROUP, **command)
    private = harness.send(to="alice", **command)
    harness.stores.write("alice", *map(str, range(30)))
    harness.remove("bob")
    harness.stores.blocks.put("alice", "bob", now=1)
    harness.heard()
    assert harness.send(conversation_id=GROUP, **command).entry == in_group.entry
    assert harness.send(to="alice", **command).entry == private.entry
    assert harness.heard() == set()
    with pytest.raises(Conflict):
        harness.send("other", to="alice", **command)
    with pytest.raises(NotAMember):
        harness.send(conversation_id=GROUP, sender_id="bob", client_message_id="y")


def test_without_an_id_nothing_but_the_head_is_read_and_no_note_is_kept(harness: ChatHarness) -> None:
    harness.stores.write("bob", *map(str, range(30)))
    assert [harness.send(to="bob").entry.seq for _ in range(2)] == [31, 32]
    assert harness.stores.rows(MEMBERS, sk="sent") == []


def test_without_an_id_every_send_is_a_message(harness: ChatHarness) -> None:
    assert [harness.send(to="bob", after=0).entry.seq for _ in range(3)] == [1, 2, 3]


def test_a_known_after_costs_one_eventual_read_and_one_put(harness: ChatHarness) -> None:
    harness.stores.write("bob", "1", "2")
    harness.send(to="bob", after=2, client_message_id="x")
    assert (harness.stores.calls.reads(LOG), harness.stores.calls.writes(LOG)) == (1, 1)


def test_an_after_that_the_eventual_read_misses_is_read_again() -> None:
    class Stale(NoFaults):
        def stale(self) -> bool:
            return True

    harness = ChatHarness(stores=simulated(fault_model=Stale()))
    harness.stores.write("bob", "1", "2")
    assert harness.send(to="bob", after=2, client_message_id="x").entry.seq == 3


@pytest.mark.parametrize("cmid", ["x", None])
def test_an_after_that_does_not_exist_is_refused(harness: ChatHarness, cmid: str | None) -> None:
    harness.stores.write("bob", "1")
    with pytest.raises(BadRequest):
        harness.send(to="bob", after=5, client_message_id=cmid)
    assert len(harness.stores.entries(DM)) == 1


@pytest.mark.parametrize(
    "conversation_id", ["dm:bob:carol", "dm:bob:alice", "dm:alice:alice", "group:1", "dm:alice", "dm:alice:bob:c", "x"]
)
@pytest.mark.parametrize("after", [None, 0, 1])
def test_foreign_and_made_up_conversations_answer_alike(
    harness: ChatHarness, conversation_id: str, after: int | None
) -> None:
    harness.stores.write("bob", "1", conversation_id="dm:bob:carol")
    with pytest.raises(NotAMember):
        harness.send(conversation_id=conversation_id, after=after, client_message_id="x")


def test_a_private_conversation_by_id_must_exist(harness: ChatHarness) -> None:
    with pytest.raises(NotAMember):
        harness.send(conversation_id=DM, after=0, client_message_id="x")
    harness.stores.write("bob", "1")
    assert harness.send(conversation_id=DM, after=0, client_message_id="x").entry.seq == 2


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
def test_what_may_not_be_sent_changes_nothing(
    harness: ChatHarness, command: dict[str, Any], error: type[ParleyError]
) -> None:
    harness.stores.connect("bob", "b1", at=harness.clock())
    content = command.pop("content", "hi")
    with pytest.raises(error):
        harness.send(content, **command)
    assert (harness.stores.calls.writes(LOG), harness.gateway.posts) == (0, [])


def test_the_longest_text_is_fine() -> None:
    assert ChatHarness().send("\u20ac" * 5_000).entry.seq == 1


def test_replies_and_mentions_are_kept(harness: ChatHarness) -> None:
    harness.stores.write("bob", "1")
    entry = harness.send(to="bob", after=1, client_message_id="x", reply_to=1, mentions=("bob",)).entry
    assert (entry.reply_to, entry.mentions) == (1, ("bob",))


def test_who_is_mentioned_twice_is_stored_once_and_the_resends_are_the_same_message(harness: ChatHarness) -> None:
    twice, once = ("bob", "alice", "bob"), ("bob", "alice")
    send = partial(harness.send, to="bob", client_message_id="x", after=0)
    entry = send(mentions=twice).entry
    assert entry.mentions == once
    assert [send(mentions=said).duplicate for said in (twice, once)] == [True, True]
    # As it was stored by earlier versions.
    digest = blake2b("\0".join((entry.content or "", "text", "None", *twice)).encode(), digest_size=8).hexdigest()
    key = {"conversation_id": entry.conversation_id, "seq": entry.seq}
    harness.stores.edit(LOG, key, mentions=list(twice), digest=digest)
    assert (send(mentions=twice).duplicate, send(mentions=twice).entry.mentions) == (True, twice)
    with pytest.raises(Conflict):
        send(mentions=("alice", "bob"))


def test_a_dead_connection_is_forgotten_and_does_not_hold_up_the_living(harness: ChatHarness) -> None:
    harness.stores.connect("bob", "dead", at=harness.clock())
    harness.stores.connect("bob", "alive", at=harness.clock())
    harness.clock.advance(60_000)
    harness.gateway.outcomes["dead"] = PostOutcome.GONE
    harness.send()
    assert set(harness.stores.connections("bob")) == {"alive"}


def test_a_connection_still_inside_connect_is_kept_though_its_post_says_gone(harness: ChatHarness) -> None:
    harness.stores.connect("bob", "young", at=harness.clock() - 4_000)
    harness.gateway.outcomes["young"] = PostOutcome.GONE
    harness.send()
    assert set(harness.stores.connections("bob")) == {"young"}


def test_a_failing_post_is_counted_and_the_connection_kept(harness: ChatHarness) -> None:
    harness.stores.connect("bob", "slow", at=harness.clock() - 60_000)
    harness.gateway.outcomes["slow"] = PostOutcome.FAILED
    harness.send()
    assert harness.observer.counted == {"PostsFailed": 1}
    assert set(harness.stores.connections("bob")) == {"slow"}


def test_an_expired_connection_is_not_posted_to(harness: ChatHarness) -> None:
    harness.stores.connect("bob", "stale", at=harness.clock() - 10_000, expires_at=harness.clock())
    harness.send()
    assert harness.gateway.posts == []
