"""Kept rosters: read again only when the log says that something has changed, and good for a yes alone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import pytest

from shared.domain.entries import Entry
from shared.domain.members import Audience, Roster
from shared.errors import BadRequest, NotAMember
from shared.operations.audiences import roster_behind
from shared.operations.rosters import SETTLED_MS, Rosters
from tests.fakes import DM, FakeNonces
from tests.shared.operations.conversation_harness import GROUP, House
from tests.stores import simulated
from tests.wiring import make_context


class Counted:
    """Memberships that count what is read of rosters."""

    def __init__(self, memberships: Any) -> None:
        self._memberships = memberships
        self.read = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._memberships, name)

    def roster(self, conversation_id: str) -> Roster | None:
        self.read += 1
        found: Roster | None = self._memberships.roster(conversation_id)
        return found


@dataclass
class Place(House):
    """A group of Alice, Bob and Carol: who made it is remembered nowhere."""

    def __post_init__(self) -> None:
        self.group("alice", "bob", "carol")
        self.clock.ms += SETTLED_MS
        self.counted = Counted(self.stores.memberships)
        self.stores = replace(self.stores, memberships=self.counted)
        self.rosters = Rosters()

    def read(self) -> int:
        """How many rosters were read since the last look."""
        read, self.counted.read = self.counted.read, 0
        return read

    def say(self, user: str = "alice", **command: Any) -> Entry:
        return self.send("x", sender_id=user, conversation_id=GROUP, **command).entry


def test_every_entry_of_a_group_carries_where_its_roster_last_changed() -> None:
    house = Place()
    house.say()
    house.add("dave")
    house.react(2, "👍", place=GROUP)
    house.rename("others")
    house.edit(2, "y", place=GROUP)
    house.role("bob", "admin")
    house.delete(2, place=GROUP)
    house.remove("dave")
    house.say()
    assert [entry.roster_seq for entry in house.entries()] == [1, 1, 3, 3, 5, 5, 7, 7, 9, 9]


def test_a_private_conversation_carries_none() -> None:
    house = House()
    house.send("x")
    house.react(1, "👍")
    assert [entry.roster_seq for entry in house.entries(DM)] == [None, None]


def test_a_roster_is_read_once_for_as_long_as_it_does_not_change() -> None:
    house = Place()
    for user in ("alice", "bob", "carol"):
        entry = house.say(user)
        house.react(entry.seq, "👍", user, place=GROUP)
        house.edit(entry.seq, "y", user, place=GROUP)
    assert house.read() == 1
    house.add("dave")
    house.say("dave")
    house.remove("dave")
    house.say("bob")
    assert house.read() == 0  # who changes it knows what it is behind the change


def test_another_instance_reads_what_has_changed() -> None:
    house, other = Place(), Place()
    other.stores = house.stores
    other.say("bob")
    house.say("bob")
    house.remove("bob")
    house.read()
    with pytest.raises(NotAMember):
        other.say("bob")
    assert house.read() == 1


def test_a_removed_members_late_message_behind_an_old_entry_is_refused() -> None:
    """The kept roster goes with the entry that it is put behind; what is met on the way says who is gone."""
    house = Place()
    last = house.say("bob")
    other = Rosters()
    other.keep(GROUP, 1, house.rosters.get(GROUP, 1) or Audience({}))
    house.remove("bob")
    house.rosters = other
    with pytest.raises(NotAMember):
        house.say("bob", after=last.seq)
    with pytest.raises(NotAMember):
        house.react(last.seq, "👍", "bob", place=GROUP)


def test_who_is_back_is_not_refused_by_a_roster_kept_from_in_between() -> None:
    house = Place()
    before = house.say()
    house.remove("bob")
    kept = Rosters()
    kept.keep(GROUP, house.entries()[-1].seq, house.rosters.get(GROUP, 3) or Audience({}))
    house.add("bob")
    house.rosters = kept
    assert house.say("bob", after=before.seq).seq == 5
    house.rosters = kept
    house.say("alice", after=before.seq, mentions=("bob",))


def test_who_is_missing_in_a_kept_roster_is_looked_for_in_what_is_stored() -> None:
    """It was read while they were gone, and they are back since."""
    house = Place()
    base = house.say()
    house.rosters.keep(GROUP, base.roster_seq or 0, Audience.of_one("alice"))
    house.read()
    audience = roster_behind(base, needed=("bob",), stores=house.stores, context=house.context)
    assert audience is not None
    assert "bob" in audience
    assert house.read() == 1


def test_who_was_removed_since_the_entry_can_not_be_mentioned_whatever_is_kept() -> None:
    house = Place()
    before = house.say()
    kept = Rosters()
    kept.keep(GROUP, 1, house.rosters.get(GROUP, 1) or Audience({}))
    house.remove("bob")
    house.rosters = kept
    with pytest.raises(BadRequest):
        house.say(after=before.seq, mentions=("bob",))


def test_who_is_no_member_can_not_be_mentioned() -> None:
    house = Place()
    house.say()
    with pytest.raises(BadRequest):
        house.say(mentions=("dave",))


def test_an_entry_of_the_first_edition_has_the_roster_read_and_the_next_one_says_more() -> None:
    """It does not say where the roster changed: anything that did was at it or before it."""
    house = Place()
    first = house.say()
    for entry in house.entries():
        house.stores.overwrite(_without(entry))
    house.rosters = Rosters()
    house.read()
    second = house.say(after=first.seq)
    assert (second.roster_seq, house.read()) == (first.seq, 1)
    house.say(after=second.seq)
    assert house.read() == 1
    house.clock.ms += SETTLED_MS
    house.say()
    house.say()
    assert house.read() == 1


def _without(entry: Entry) -> Entry:
    return replace(entry, roster_seq=None)


class Halfway(Counted):
    """A transaction's items become visible one after the other: the entry is there, and one of its members not yet."""

    def roster(self, conversation_id: str) -> Roster | None:
        found = super().roster(conversation_id)
        assert found is not None
        return Roster(found.group, {user: seat for user, seat in found.seats.items() if user != "user1"})


def test_what_may_be_visible_half_is_not_kept() -> None:
    house = House()
    house.group("alice", "bob", "user1")
    house.send("x", conversation_id=GROUP, sender_id="alice")
    rosters = Rosters()

    def look(memberships: Any) -> Collection[str]:
        base = house.entries()[-1]
        found = roster_behind(
            base, stores=replace(house.stores, memberships=memberships), context=replace(house.context, rosters=rosters)
        )
        assert found is not None
        return found.members

    everyone = ("alice", "bob", "user1")
    assert look(Halfway(house.stores.memberships)) == ("alice", "bob")
    assert look(house.stores.memberships) == everyone
    house.clock.ms += SETTLED_MS
    house.send("y", conversation_id=GROUP, sender_id="alice")  # the group never rests, and what was seen is old enough
    counted = Counted(house.stores.memberships)
    assert (look(counted), look(counted), counted.read) == (everyone, everyone, 1)


def test_of_many_groups_those_seen_longest_ago_are_seen_anew() -> None:
    rosters = Rosters()
    bases = [replace(House().send("x").entry, conversation_id=f"{n}", roster_seq=1, created_at=0) for n in range(1_001)]
    assert not any(rosters.is_settled(base, 1) for base in bases)
    later = SETTLED_MS - 1
    assert not rosters.is_settled(bases[0], later)
    assert all(rosters.is_settled(replace(base, created_at=later), 1 + SETTLED_MS) for base in bases[2:])


def test_what_is_kept_is_bounded_by_members_and_what_was_used_longest_ago_goes_first() -> None:
    rosters = Rosters(max_seats=5)
    two = Audience({"a": "member", "b": "member"})
    for group in ("one", "two"):
        rosters.keep(group, 1, two)
    assert rosters.get("one", 1) is two
    rosters.keep("three", 1, two)
    assert [rosters.get(group, 1) for group in ("one", "two", "three")] == [two, None, two]
    rosters.keep("four", 1, Audience(dict.fromkeys("abcdef", "member")))
    assert [rosters.get(group, 1) for group in ("one", "three", "four")] == [None, None, None]


def test_a_later_roster_serves_an_earlier_entry_and_is_not_replaced_by_its_like() -> None:
    rosters, late, early = Rosters(), Audience({"a": "member"}), Audience({"b": "member"})
    rosters.keep("one", 7, late)
    rosters.keep("one", 5, early)
    assert (rosters.get("one", 6), rosters.get("one", 7), rosters.get("one", 8)) == (late, late, None)


def test_what_is_no_group_has_no_roster() -> None:
    base = House().send("x").entry
    assert roster_behind(base, stores=simulated(), context=make_context(lambda: 0, FakeNonces())) is None
