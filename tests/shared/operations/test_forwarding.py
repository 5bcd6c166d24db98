"""Sending into groups, forwarding, and what a resend is answered when the message could not be sent any more."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from shared.domain.entries import Entry
from shared.errors import BadRequest, Blocked, Conflict, NotAMember, NotFound
from shared.operations.rosters import SETTLED_MS, Rosters
from tests.fakes import DM
from tests.shared.operations.conversation_harness import GROUP, ChatHarness, found_group
from tests.stores import LOG

OTHER = "dm:alice:carol"


def test_everyone_in_a_group_gets_it_and_nobody_else(harness: ChatHarness) -> None:
    harness.group("alice", "bob", "carol")
    harness.connect("stranger")
    harness.send(conversation_id=GROUP, connection_id="alice1")
    assert harness.heard() == {"bob1", "carol1"}


def test_a_group_message_costs_a_roster_a_read_of_after_and_a_put(harness: ChatHarness) -> None:
    harness.group("alice", "bob")
    before = len(harness.stores.calls.made)
    harness.send(conversation_id=GROUP, after=1, client_message_id="x")
    assert harness.stores.calls.made[before:] == [
        "BatchGetItem log",
        "Query members",
        "PutItem log",
        "BatchGetItem sessions",
    ]


@pytest.mark.parametrize("after", [None, 0, 1])
@pytest.mark.parametrize("place", [GROUP, "group:unknown-unknown-0", "group:short"])
def test_outsiders_and_unknown_groups_answer_alike(harness: ChatHarness, place: str, after: int | None) -> None:
    harness.group("bob", "carol")
    with pytest.raises(NotAMember):
        harness.send(conversation_id=place, after=after, client_message_id="x")
    assert len(harness.entries()) == 1


def test_a_removed_members_late_message_is_refused(harness: ChatHarness) -> None:
    harness.group("alice", "bob")
    harness.remove("bob")
    with pytest.raises(NotAMember):
        harness.send(sender_id="bob", conversation_id=GROUP, after=1, client_message_id="late")
    assert len(harness.entries()) == 2


def test_a_removed_members_resend_of_what_was_in_time_gets_its_first_reply_and_is_told_to_nobody(
    harness: ChatHarness,
) -> None:
    harness.group("alice", "bob")
    first = harness.send(sender_id="bob", conversation_id=GROUP, after=1, client_message_id="in time")
    harness.remove("bob")
    harness.gateway.posts.clear()
    again = harness.send(sender_id="bob", conversation_id=GROUP, after=1, client_message_id="in time")
    assert (again.entry, again.duplicate) == (first.entry, True)
    assert (harness.heard(), len(harness.entries())) == (set(), 3)


@pytest.mark.parametrize("warm", [False, True])
def test_a_resend_is_told_to_those_who_are_in_now(harness: ChatHarness, *, warm: bool) -> None:
    """Carol was removed meanwhile: what the message says by now is none of her business, whatever is kept."""
    harness.group("alice", "bob", "carol")
    harness.clock.ms += SETTLED_MS
    harness.send(sender_id="bob", conversation_id=GROUP, after=1, client_message_id="x")
    kept = deepcopy(harness.rosters) if warm else Rosters()
    harness.remove("carol")
    harness.gateway.posts.clear()
    harness.rosters = kept
    assert harness.send(sender_id="bob", conversation_id=GROUP, after=1, client_message_id="x").duplicate
    assert harness.heard() == {"alice1", "bob1"}


def test_somebody_outside_makes_nobody_read_a_whole_conversation(harness: ChatHarness) -> None:
    harness.group("alice", "bob")
    for number in range(250):
        harness.send(str(number), conversation_id=GROUP)
    reads = harness.stores.calls.reads(LOG)
    with pytest.raises(NotAMember):
        harness.send(sender_id="stranger", conversation_id=GROUP, after=1, client_message_id="x")
    assert harness.stores.calls.reads(LOG) - reads == 2


def test_members_are_mentioned_and_others_are_not(harness: ChatHarness) -> None:
    harness.group("alice", "bob", "carol")
    sent = harness.send(conversation_id=GROUP, mentions=("bob", "carol"))
    assert sent.entry.mentions == ("bob", "carol")
    with pytest.raises(BadRequest):
        harness.send(conversation_id=GROUP, mentions=("bob", "stranger"))


def test_replies_go_to_messages_also_to_deleted_ones_and_to_nothing_else(harness: ChatHarness) -> None:
    harness.group("alice", "bob")
    harness.send(conversation_id=GROUP)
    harness.delete(2, place=GROUP)
    assert harness.send(conversation_id=GROUP, reply_to=2).entry.reply_to == 2
    for seq in (1, 3, 9):
        with pytest.raises(NotFound):
            harness.send(conversation_id=GROUP, reply_to=seq)


def test_a_resend_is_recognised_though_who_it_mentions_has_left(harness: ChatHarness) -> None:
    harness.group("alice", "bob", "carol")
    mention: dict[str, Any] = {"conversation_id": GROUP, "after": 1, "client_message_id": "x", "mentions": ("bob",)}
    first = harness.send(**mention)
    harness.remove("bob")
    again = harness.send(**mention)
    assert (again.entry, again.duplicate) == (first.entry, True)


def test_a_large_group_is_left_to_the_stream_side() -> None:
    harness = ChatHarness(inline_limit=2)
    harness.group("alice", "bob", "carol")
    sent = harness.send(conversation_id=GROUP)
    assert (sent.entry.fan_out, harness.heard()) == (True, set())


def test_the_blocked_are_refused_in_private_and_heard_in_groups(harness: ChatHarness) -> None:
    harness.group("alice", "bob")
    harness.stores.blocks.put("bob", "alice", now=1)
    for after in (None, 0):
        with pytest.raises(Blocked):
            harness.send(to="bob", after=after, client_message_id="x")
    assert harness.heard() == set()
    harness.send(conversation_id=GROUP)
    assert "bob1" in harness.heard()
    harness.send(sender_id="bob", to="alice")  # who blocks may write


def test_a_stored_messages_resend_by_somebody_blocked_since_gets_the_first_reply_and_is_delivered_to_nobody(
    harness: ChatHarness,
) -> None:
    harness.connect("bob")
    first = harness.send(to="bob", after=0, client_message_id="x")
    harness.stores.write("bob", *map(str, range(150)))
    harness.stores.blocks.put("bob", "alice", now=1)
    harness.heard()
    again = harness.send(to="bob", after=0, client_message_id="x")
    assert (again.entry, again.duplicate, harness.heard()) == (first.entry, True, set())
    with pytest.raises(Conflict):
        harness.send("other", to="bob", after=0, client_message_id="x")
    with pytest.raises(Blocked):
        harness.send(to="bob", after=0, client_message_id="new")


def originals() -> ChatHarness:
    """Alice has a private conversation with Carol, and a group; message 1 and 2 are there to be forwarded."""
    harness = ChatHarness()
    harness.stores.write("carol", "the original", conversation_id=OTHER)
    harness.group("alice", "bob", "carol")
    harness.send("in the group", sender_id="carol", conversation_id=GROUP, reply_to=None, mentions=("bob",))
    return harness


@pytest.mark.parametrize(("place", "seq", "content"), [(OTHER, 1, "the original"), (GROUP, 2, "in the group")])
def test_a_forwarded_message_has_the_originals_content_and_nothing_else_of_it(
    place: str, seq: int, content: str
) -> None:
    entry = originals().send("", to="bob", forward_of=(place, seq)).entry
    assert (entry.content, entry.forwarded, entry.sender_id, entry.mentions) == (content, True, "alice", ())


def test_what_is_forwarded_is_what_the_original_says_now() -> None:
    harness = originals()
    harness.edit(1, "edited", "carol", place=OTHER)
    assert harness.send("", to="bob", forward_of=(OTHER, 1)).entry.content == "edited"
    harness.edit(1, "again", "carol", place=OTHER)
    assert harness.at(1).content == "edited"


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ({"content": "more", "forward_of": (OTHER, 1)}, BadRequest),
        ({"content": "", "forward_of": (OTHER, 1), "file_id": "f"}, BadRequest),
        ({"content": "", "forward_of": (OTHER, 9)}, NotFound),
        ({"content": "", "forward_of": (GROUP, 1)}, NotFound),
        ({"content": "", "forward_of": (GROUP, 2), "sender_id": "dave"}, NotAMember),
        ({"content": "", "forward_of": (OTHER, 1), "sender_id": "dave"}, NotAMember),
        ({"content": "", "forward_of": ("?", 1)}, NotAMember),
        ({"content": "", "forward_of": ("dm:alice:zoe", 1)}, NotFound),
    ],
)
def test_what_cannot_be_forwarded_is_not(command: dict[str, Any], error: type[Exception]) -> None:
    harness = originals()
    with pytest.raises(error):
        harness.send(**{"to": "bob", **command})
    assert harness.entries(DM) == []


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda harness: harness.delete(2, "carol", place=GROUP),
        lambda harness: harness.edit(2, "edited", "carol", place=GROUP),
        lambda harness: (harness.role("carol", "owner"), harness.remove("alice", place=GROUP)),
    ],
)
def test_a_forwards_resend_gets_the_first_reply_whatever_became_of_the_original(
    meanwhile: Callable[[ChatHarness], object],
) -> None:
    harness = originals()
    forward: dict[str, Any] = {"to": "bob", "forward_of": (GROUP, 2), "after": 0, "client_message_id": "f"}
    first = harness.send("", **forward)
    meanwhile(harness)
    again = harness.send("", **forward)
    assert (again.entry, again.duplicate, again.entry.content) == (first.entry, True, "in the group")
    assert len(harness.entries(DM)) == 1
    with pytest.raises(Conflict):
        harness.send("", **{**forward, "forward_of": (OTHER, 1)})


def test_a_forward_of_something_deleted_that_never_was_stored_is_not_found() -> None:
    harness = originals()
    harness.delete(2, "carol", place=GROUP)
    with pytest.raises(NotFound):
        harness.send("", to="bob", forward_of=(GROUP, 2), after=0, client_message_id="f")


def test_who_joins_while_a_message_is_written_gets_it_and_who_leaves_does_not(harness: ChatHarness) -> None:
    harness.group("alice", "bob")
    harness.connect("carol")

    def meanwhile(entry: Entry) -> None:
        harness.stores.before_put(None)
        harness.add("carol")
        harness.remove("bob")
        harness.heard()

    harness.stores.before_put(meanwhile)
    sent = harness.send(conversation_id=GROUP, after=1, client_message_id="x")
    assert (sent.entry.seq, harness.heard()) == (4, {"alice1", "carol1"})


def test_a_group_of_another_id_is_not_touched(harness: ChatHarness) -> None:
    other = found_group(harness.stores, "zoe", "bob", conversation_id="group:zzzzzzzzzzzzzzzz")
    harness.group("alice", "bob")
    harness.connect("zoe")
    harness.send(conversation_id=GROUP)
    assert (len(harness.entries(other)), "zoe1" in harness.heard()) == (1, False)
