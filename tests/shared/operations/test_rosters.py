"""Kept rosters: read again only when the log says that something has changed, and good for a yes alone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import pytest

from shared.domain.entries import Entry
from shared.domain.members import Roster
from shared.domain.rules import Audience
from shared.errors import BadRequest, NotAMember
from shared.operations.audiences import roster_behind
from shared.operations.rosters import SETTLED_MS, Rosters
from tests.fakes import DM, FakeNonces
from tests.shared.operations.conversation_harness import GROUP, ChatHarness
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
class Place(ChatHarness):
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


@pytest.fixture
def harness() -> Place:
    return Place()


def test_every_entry_of_a_group_carries_where_its_roster_last_changed(harness: Place) -> None:
    harness.say()
    harness.add("dave")
    harness.react(2, "👍", place=GROUP)
    harness.rename("others")
    harness.edit(2, "y", place=GROUP)
    harness.role("bob", "admin")
    harness.delete(2, place=GROUP)
    harness.remove("dave")
    harness.say()
    assert [entry.roster_seq for entry in harness.entries()] == [1, 1, 3, 3, 5, 5, 7, 7, 9, 9]


def test_a_private_conversation_carries_none() -> None:
    harness = ChatHarness()
    harness.send("x")
    harness.react(1, "👍")
    assert [entry.roster_seq for entry in harness.entries(DM)] == [None, None]


def test_a_roster_is_read_once_for_as_long_as_it_does_not_change(harness: Place) -> None:
    for user in ("alice", "bob", "carol"):
        entry = harness.say(user)
        harness.react(entry.seq, "👍", user, place=GROUP)
        harness.edit(entry.seq, "y", user, place=GROUP)
    assert harness.read() == 1
    harness.add("dave")
    harness.say("dave")
    harness.remove("dave")
    harness.say("bob")
    assert harness.read() == 0  # who changes it knows what it is behind the change


def test_another_instance_reads_what_has_changed() -> None:
    harness, other = Place(), Place()
    other.stores = harness.stores
    other.say("bob")
    harness.say("bob")
    harness.remove("bob")
    harness.read()
    with pytest.raises(NotAMember):
        other.say("bob")
    assert harness.read() == 1


def test_a_removed_members_late_message_behind_an_old_entry_is_refused(harness: Place) -> None:
    """The kept roster goes with the entry that it is put behind; what is met on the way says who is gone."""
    last = harness.say("bob")
    other = Rosters()
    other.keep(GROUP, 1, harness.rosters.get(GROUP, 1) or Audience({}))
    harness.remove("bob")
    harness.rosters = other
    with pytest.raises(NotAMember):
        harness.say("bob", after=last.seq)
    with pytest.raises(NotAMember):
        harness.react(last.seq, "👍", "bob", place=GROUP)


def test_who_is_back_is_not_refused_by_a_roster_kept_from_in_between(harness: Place) -> None:
    before = harness.say()
    harness.remove("bob")
    kept = Rosters()
    kept.keep(GROUP, harness.entries()[-1].seq, harness.rosters.get(GROUP, 3) or Audience({}))
    harness.add("bob")
    harness.rosters = kept
    assert harness.say("bob", after=before.seq).seq == 5
    harness.rosters = kept
    harness.say("alice", after=before.seq, mentions=("bob",))


def test_who_is_missing_in_a_kept_roster_is_looked_for_in_what_is_stored(harness: Place) -> None:
    """It was read while they were gone, and they are back since."""
    base = harness.say()
    harness.rosters.keep(GROUP, base.roster_seq or 0, Audience.of_one("alice"))
    harness.read()
    audience = roster_behind(base, needed=("bob",), stores=harness.stores, context=harness.context)
    assert audience is not None
    assert "bob" in audience
    assert harness.read() == 1


def test_who_was_removed_since_the_entry_can_not_be_mentioned_whatever_is_kept(harness: Place) -> None:
    before = harness.say()
    kept = Rosters()
    kept.keep(GROUP, 1, harness.rosters.get(GROUP, 1) or Audience({}))
    harness.remove("bob")
    harness.rosters = kept
    with pytest.raises(BadRequest):
        harness.say(after=before.seq, mentions=("bob",))


def test_who_is_no_member_can_not_be_mentioned(harness: Place) -> None:
    harness.say()
    with pytest.raises(BadRequest):
        harness.say(mentions=("dave",))


def test_an_entry_of_the_first_edition_has_the_roster_read_and_the_next_one_says_more(harness: Place) -> None:
    """It does not say where the roster changed: anything that did was at it or before it."""
    first = harness.say()
    for entry in harness.entries():
        harness.stores.overwrite(_without(entry))
    harness.rosters = Rosters()
    harness.read()
    second = harness.say(after=first.seq)
    assert (second.roster_seq, harness.read()) == (first.seq, 1)
    harness.say(after=second.seq)
    assert harness.read() == 1
    harness.clock.ms += SETTLED_MS
    harness.say()
    harness.say()
    assert harness.read() == 1


def _without(entry: Entry) -> Entry:
    return replace(entry, roster_seq=None)


class Halfway(Counted):
    """A transaction's items become visible one after the other: the entry is there, and one of its members not yet."""

    def roster(self, conversation_id: str) -> Roster | None:
        found = super().roster(conversation_id)
        assert found is not None
        return Roster(found.group, {user: seat for user, seat in found.seats.items() if user != "user1"})


def test_what_may_be_visible_half_is_not_kept() -> None:
    harness = ChatHarness()
    harness.group("alice", "bob", "user1")
    harness.send("x", conversation_id=GROUP, sender_id="alice")
    rosters = Rosters()

    def look(memberships: Any) -> Collection[str]:
        base = harness.entries()[-1]
        found = roster_behind(
            base,
            stores=replace(harness.stores, memberships=memberships),
            context=replace(harness.context, rosters=rosters),
        )
        assert found is not None
        return found.members

    everyone = ("alice", "bob", "user1")
    assert look(Halfway(harness.stores.memberships)) == ("alice", "bob")
    assert look(harness.stores.memberships) == everyone
    harness.clock.ms += SETTLED_MS
    harness.send(
        "y", conversation_id=GROUP, sender_id="alice"
    )  # the group never rests, and what was seen is old enough
    counted = Counted(harness.stores.memberships)
    assert (look(counted), look(counted), counted.read) == (everyone, everyone, 1)


def test_of_many_groups_those_seen_longest_ago_are_seen_anew() -> None:
    rosters = Rosters()
    bases = [
        replace(ChatHarness().send("x").entry, conversation_id=f"{n}", roster_seq=1, created_at=0) for n in range(1_001)
    ]
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
    base = ChatHarness().send("x").entry
    assert roster_behind(base, stores=simulated(), context=make_context(lambda: 0, FakeNonces())) is None
