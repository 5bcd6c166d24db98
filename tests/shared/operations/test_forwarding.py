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
from tests.shared.operations.conversation_harness import GROUP, House, found_group
from tests.stores import LOG

OTHER = "dm:alice:carol"


def test_everyone_in_a_group_gets_it_and_nobody_else() -> None:
    house = House()
    house.group("alice", "bob", "carol")
    house.connect("stranger")
    house.send(conversation_id=GROUP, connection_id="alice1")
    assert house.heard() == {"bob1", "carol1"}


def test_a_group_message_costs_a_roster_a_read_of_after_and_a_put() -> None:
    house = House()
    house.group("alice", "bob")
    before = len(house.stores.calls.made)
    house.send(conversation_id=GROUP, after=1, client_message_id="x")
    assert house.stores.calls.made[before:] == [
        "BatchGetItem log",
        "Query members",
        "PutItem log",
        "BatchGetItem sessions",
    ]


@pytest.mark.parametrize("after", [None, 0, 1])
@pytest.mark.parametrize("place", [GROUP, "group:unknown-unknown-0", "group:short"])
def test_outsiders_and_unknown_groups_answer_alike(place: str, after: int | None) -> None:
    house = House()
    house.group("bob", "carol")
    with pytest.raises(NotAMember):
        house.send(conversation_id=place, after=after, client_message_id="x")
    assert len(house.entries()) == 1


def test_a_removed_members_late_message_is_refused() -> None:
    house = House()
    house.group("alice", "bob")
    house.remove("bob")
    with pytest.raises(NotAMember):
        house.send(sender_id="bob", conversation_id=GROUP, after=1, client_message_id="late")
    assert len(house.entries()) == 2


def test_a_removed_members_resend_of_what_was_in_time_gets_its_first_reply_and_is_told_to_nobody() -> None:
    house = House()
    house.group("alice", "bob")
    first = house.send(sender_id="bob", conversation_id=GROUP, after=1, client_message_id="in time")
    house.remove("bob")
    house.gateway.posts.clear()
    again = house.send(sender_id="bob", conversation_id=GROUP, after=1, client_message_id="in time")
    assert (again.entry, again.duplicate) == (first.entry, True)
    assert (house.heard(), len(house.entries())) == (set(), 3)


@pytest.mark.parametrize("warm", [False, True])
def test_a_resend_is_told_to_those_who_are_in_now(*, warm: bool) -> None:
    """Carol was removed meanwhile: what the message says by now is none of her business, whatever is kept."""
    house = House()
    house.group("alice", "bob", "carol")
    house.clock.ms += SETTLED_MS
    house.send(sender_id="bob", conversation_id=GROUP, after=1, client_message_id="x")
    kept = deepcopy(house.rosters) if warm else Rosters()
    house.remove("carol")
    house.gateway.posts.clear()
    house.rosters = kept
    assert house.send(sender_id="bob", conversation_id=GROUP, after=1, client_message_id="x").duplicate
    assert house.heard() == {"alice1", "bob1"}


def test_somebody_outside_makes_nobody_read_a_whole_conversation() -> None:
    house = House()
    house.group("alice", "bob")
    for number in range(250):
        house.send(str(number), conversation_id=GROUP)
    reads = house.stores.calls.reads(LOG)
    with pytest.raises(NotAMember):
        house.send(sender_id="stranger", conversation_id=GROUP, after=1, client_message_id="x")
    assert house.stores.calls.reads(LOG) - reads == 2


def test_members_are_mentioned_and_others_are_not() -> None:
    house = House()
    house.group("alice", "bob", "carol")
    sent = house.send(conversation_id=GROUP, mentions=("bob", "carol"))
    assert sent.entry.mentions == ("bob", "carol")
    with pytest.raises(BadRequest):
        house.send(conversation_id=GROUP, mentions=("bob", "stranger"))


def test_replies_go_to_messages_also_to_deleted_ones_and_to_nothing_else() -> None:
    house = House()
    house.group("alice", "bob")
    house.send(conversation_id=GROUP)
    house.delete(2, place=GROUP)
    assert house.send(conversation_id=GROUP, reply_to=2).entry.reply_to == 2
    for seq in (1, 3, 9):
        with pytest.raises(NotFound):
            house.send(conversation_id=GROUP, reply_to=seq)


def test_a_resend_is_recognised_though_who_it_mentions_has_left() -> None:
    house = House()
    house.group("alice", "bob", "carol")
    mention: dict[str, Any] = {"conversation_id": GROUP, "after": 1, "client_message_id": "x", "mentions": ("bob",)}
    first = house.send(**mention)
    house.remove("bob")
    again = house.send(**mention)
    assert (again.entry, again.duplicate) == (first.entry, True)


def test_a_large_group_is_left_to_the_stream_side() -> None:
    house = House(inline_limit=2)
    house.group("alice", "bob", "carol")
    sent = house.send(conversation_id=GROUP)
    assert (sent.entry.fan_out, house.heard()) == (True, set())


def test_the_blocked_are_refused_in_private_and_heard_in_groups() -> None:
    house = House()
    house.group("alice", "bob")
    house.stores.blocks.put("bob", "alice", now=1)
    for after in (None, 0):
        with pytest.raises(Blocked):
            house.send(to="bob", after=after, client_message_id="x")
    assert house.heard() == set()
    house.send(conversation_id=GROUP)
    assert "bob1" in house.heard()
    house.send(sender_id="bob", to="alice")  # who blocks may write


def test_a_stored_messages_resend_by_somebody_blocked_since_gets_the_first_reply_and_is_delivered_to_nobody() -> None:
    house = House()
    house.connect("bob")
    first = house.send(to="bob", after=0, client_message_id="x")
    house.stores.write("bob", *map(str, range(150)))
    house.stores.blocks.put("bob", "alice", now=1)
    house.heard()
    again = house.send(to="bob", after=0, client_message_id="x")
    assert (again.entry, again.duplicate, house.heard()) == (first.entry, True, set())
    with pytest.raises(Conflict):
        house.send("other", to="bob", after=0, client_message_id="x")
    with pytest.raises(Blocked):
        house.send(to="bob", after=0, client_message_id="new")


def originals() -> House:
    """Alice has a private conversation with Carol, and a group; message 1 and 2 are there to be forwarded."""
    house = House()
    house.stores.write("carol", "the original", conversation_id=OTHER)
    house.group("alice", "bob", "carol")
    house.send("in the group", sender_id="carol", conversation_id=GROUP, reply_to=None, mentions=("bob",))
    return house


@pytest.mark.parametrize(("place", "seq", "content"), [(OTHER, 1, "the original"), (GROUP, 2, "in the group")])
def test_a_forwarded_message_has_the_originals_content_and_nothing_else_of_it(
    place: str, seq: int, content: str
) -> None:
    entry = originals().send("", to="bob", forward_of=(place, seq)).entry
    assert (entry.content, entry.forwarded, entry.sender_id, entry.mentions) == (content, True, "alice", ())


def test_what_is_forwarded_is_what_the_original_says_now() -> None:
    house = originals()
    house.edit(1, "edited", "carol", place=OTHER)
    assert house.send("", to="bob", forward_of=(OTHER, 1)).entry.content == "edited"
    house.edit(1, "again", "carol", place=OTHER)
    assert house.at(1).content == "edited"


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
    house = originals()
    with pytest.raises(error):
        house.send(**{"to": "bob", **command})
    assert house.entries(DM) == []


@pytest.mark.parametrize(
    "meanwhile",
    [
        lambda house: house.delete(2, "carol", place=GROUP),
        lambda house: house.edit(2, "edited", "carol", place=GROUP),
        lambda house: (house.role("carol", "owner"), house.remove("alice", place=GROUP)),
    ],
)
def test_a_forwards_resend_gets_the_first_reply_whatever_became_of_the_original(
    meanwhile: Callable[[House], object],
) -> None:
    house = originals()
    forward: dict[str, Any] = {"to": "bob", "forward_of": (GROUP, 2), "after": 0, "client_message_id": "f"}
    first = house.send("", **forward)
    meanwhile(house)
    again = house.send("", **forward)
    assert (again.entry, again.duplicate, again.entry.content) == (first.entry, True, "in the group")
    assert len(house.entries(DM)) == 1
    with pytest.raises(Conflict):
        house.send("", **{**forward, "forward_of": (OTHER, 1)})


def test_a_forward_of_something_deleted_that_never_was_stored_is_not_found() -> None:
    house = originals()
    house.delete(2, "carol", place=GROUP)
    with pytest.raises(NotFound):
        house.send("", to="bob", forward_of=(GROUP, 2), after=0, client_message_id="f")


def test_who_joins_while_a_message_is_written_gets_it_and_who_leaves_does_not() -> None:
    house = House()
    house.group("alice", "bob")
    house.connect("carol")

    def meanwhile(entry: Entry) -> None:
        house.stores.before_put(None)
        house.add("carol")
        house.remove("bob")
        house.heard()

    house.stores.before_put(meanwhile)
    sent = house.send(conversation_id=GROUP, after=1, client_message_id="x")
    assert (sent.entry.seq, house.heard()) == (4, {"alice1", "carol1"})


def test_a_group_of_another_id_is_not_touched() -> None:
    house = House()
    other = found_group(house.stores, "zoe", "bob", conversation_id="group:zzzzzzzzzzzzzzzz")
    house.group("alice", "bob")
    house.connect("zoe")
    house.send(conversation_id=GROUP)
    assert (len(house.entries(other)), "zoe1" in house.heard()) == (1, False)
