"""The heads of many logs are what a query of each shows, whatever the cursors know, and however reads go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.entries import Entry
from shared.domain.members import Member, unread
from shared.operations.conversations import inbox
from shared.operations.heads import FEW, heads_of
from shared.operations.push.wording import badge_of
from shared.operations.sync import Catching, sync
from tests.dynamodb import NoFaults
from tests.stores import LOG, Simulated, simulated
from tests.wiring import rest_services


@dataclass
class Wayward(NoFaults):
    """Copies are always behind, and of a batch some keys come back unprocessed: once a test has set all it sets."""

    is_stale: bool = False
    is_short: bool = False

    def stale(self) -> bool:
        return self.is_stale

    def unprocessed(self, keys: int) -> int:
        return keys // 3 if self.is_short else 0


@dataclass(frozen=True)
class Log:
    """What a log of Alice's has, and up to where she has read it, got it, and come to it."""

    length: int
    read: int = 0
    delivered: int = 0
    joined: int = 0
    hidden: int | None = None
    own: bool = False


@st.composite
def logs(draw: st.DrawFn) -> Log:
    length = draw(st.one_of(st.integers(0, 4), st.integers(0, 40)))
    seq = st.one_of(st.just(length), st.integers(0, length))
    return Log(length, draw(seq), draw(seq), draw(seq), draw(st.none() | seq), draw(st.booleans()))


def made(shapes: Sequence[Log], *, stale: bool = False) -> tuple[Simulated, list[Member]]:
    ways = Wayward()
    stores = simulated(fault_model=ways)
    for number, shape in enumerate(shapes):
        one = f"dm:alice:u{number:04}"
        stores.join(one, "alice")
        stores.write("u", *map(str, range(shape.length)), conversation_id=one)
        key = {"pk": "user#alice", "sk": f"conversation#{one}"}
        if shape.own and shape.length:
            stores.write("alice", "mine", conversation_id=one)
        stores.edit(
            "members",
            key,
            read_seq=shape.read,
            read_number=shape.read,
            delivered_seq=shape.delivered,
            joined_seq=shape.joined,
            hidden_seq=shape.hidden,
        )
    ways.is_stale = ways.is_short = stale
    with stores.calls.quietly():
        return stores, stores.memberships.of_user("alice")


def tails(stores: Simulated, members: Sequence[Member]) -> Mapping[str, Entry | None]:
    with stores.calls.quietly():
        return {
            one.conversation_id: next(iter(stores.log.read_back(one.conversation_id, limit=1)), None) for one in members
        }


@settings(max_examples=60)
@given(st.lists(logs(), min_size=FEW + 1, max_size=45), st.booleans(), st.booleans())
def test_heads_are_what_a_query_of_each_log_shows(shapes: list[Log], whole: bool, stale: bool) -> None:
    stores, members = made(shapes, stale=stale)
    heads = heads_of(members, whole=whole, stores=stores, services=rest_services())
    for member, shape in zip(members, shapes, strict=True):
        tail, head = tails(stores, [member])[member.conversation_id], heads[member.conversation_id]
        assert head.seq == (tail.seq if tail else 0)
        assert unread(member, head.entry) == unread(member, tail)
        if whole or shape.hidden is not None:
            assert (head.entry and head.entry.seq) == (tail and tail.seq)


@settings(max_examples=30)
@given(st.lists(logs(), min_size=FEW + 1, max_size=45), st.data(), st.booleans())
def test_a_sync_of_many_says_what_one_of_each_alone_says(shapes: list[Log], data: st.DataObject, stale: bool) -> None:
    stores, members = made(shapes, stale=stale)
    ids = [member.conversation_id for member in members]
    named = data.draw(st.sets(st.sampled_from(ids)))
    held = {one: data.draw(st.integers(0, 45)) for one in sorted(named)}

    def asked(some: Mapping[str, int]) -> dict[str, Any]:
        found = sync(Catching("alice", some, room=110_000), size=lambda _: 20, stores=stores, services=rest_services())
        assert not found.has_more
        return {one.conversation_id: replace(one, entries=tuple(one.entries)) for one in found.conversations}

    together = asked(held)
    alone = {one: asked({one: seq})[one] for one, seq in held.items()}
    assert {one: together[one] for one in held} == alone
    expected = {one: tail.seq if tail else 0 for one, tail in tails(stores, members).items()}
    assert {one: synced.head for one, synced in together.items()} == {one: expected[one] for one in together}


def test_an_inbox_shows_the_last_messages_as_they_are_now_though_copies_are_behind() -> None:
    stores, members = made([Log(2, read=2) for _ in range(20)], stale=True)
    for member in members:
        stores.delete(2, member.conversation_id)
    fresh = [replace(member, read_seq=3, read_number=2) for member in members]
    for member in fresh:
        stores.memberships.move_read(member)
    found = inbox("alice", limit=100, stores=stores, services=rest_services(), now=0)
    assert len(found.conversations) == 20
    for one in found.conversations:
        assert one.head is not None
        assert one.last_message is not None
        assert (one.head.seq, one.last_message.deleted_at, one.last_message.content, one.unread) == (3, 2, None, 0)


def test_an_inbox_and_a_badge_of_many_count_as_those_of_few() -> None:
    stores, members = made([Log(number % 7, read=min(number % 3, number % 7)) for number in range(60)])
    expected = {
        member.conversation_id: unread(member, tails(stores, [member])[member.conversation_id]) for member in members
    }
    found = inbox("alice", limit=100, stores=stores, services=rest_services(), now=0)
    assert {one.conversation_id: one.unread for one in found.conversations} == expected
    badge = badge_of("alice", stores=stores, services=rest_services(), now=0)
    assert (badge.of, badge.total) == (expected, sum(expected.values()))


@pytest.mark.parametrize("reading", [{}, {"whole": True}])
def test_an_entry_that_comes_while_the_heads_are_looked_for_is_the_head_or_is_not(reading: dict[str, bool]) -> None:
    stores, members = made([Log(3, read=1) for _ in range(30)])
    seen: list[str] = []

    def meanwhile(operation: str, _: Mapping[str, Any]) -> None:
        if operation == "BatchGetItem":
            seen.append(operation)
            stores.write("u", "meanwhile", conversation_id=members[0].conversation_id)

    stores.calls.before = meanwhile
    heads = heads_of(members, stores=stores, services=rest_services(), **reading)
    assert 3 <= heads[members[0].conversation_id].seq <= 3 + len(seen)
    assert {heads[member.conversation_id].seq for member in members[1:]} == {3}
    assert 0 < len(seen) <= stores.calls.reads(LOG)
