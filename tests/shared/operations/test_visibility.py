"""What two users are told of each other when one may see the other from now on, or may not any more."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from typing import Any

import pytest

from shared.domain.changes import Added, Removed
from shared.domain.connections import MAX_GRACE_MS, MAX_LIFETIME_MS, Connection, Gone, Identity, PostOutcome, opened
from shared.operations.connections import register
from shared.operations.contacts import block_user, remove_contact, request_contact
from shared.operations.presence import check_offline, hide_presence, presence_of, show_presence, watch
from shared.operations.visibility import tell_blocked, tell_granted, tell_joined, tell_withdrawn
from tests.fakes import FakeClock
from tests.harness import Harness
from tests.shared.operations.conversation_harness import GROUP, found_group
from tests.stepping import Stepper, explore
from tests.stores import SESSIONS
from tests.wiring import parts

NOW = FakeClock()()
NEVER = NOW + 100 * MAX_LIFETIME_MS


@dataclass
class VisibilityHarness(Harness):
    """Alice and Bob are online with one device each (a1, b1), which watch the other, and mean nothing to each other.

    Time passes with each look at the clock.
    """

    ticks: Any = field(default_factory=lambda: count(NOW + 1))

    def __post_init__(self) -> None:
        for user, other in (("alice", "bob"), ("bob", "alice")):
            self.stores.connect(user, f"{user[0]}1", at=NOW)
            self.stores.watches.replace(user, f"{user[0]}1", [other], expires_at=NEVER)

    def now(self) -> int:
        return int(next(self.ticks))

    def befriend(self, one: str = "alice", other: str = "bob") -> None:
        self.stores.know(one, other)

    def tell(self, tell: Callable[..., None], *about: object) -> None:
        tell(*about, stores=self.stores, services=self.services, now=self.now)

    # -- the operations, as the functions carry them out

    def block(self, user: str = "alice", other: str = "bob") -> None:
        if block_user(user, other, **parts(self.stores)):
            self.tell(tell_blocked, user, other)

    def unblock(self, user: str = "alice", other: str = "bob") -> None:
        self.stores.blocks.remove(user, other)
        self.tell(tell_granted, user, other)

    def accept(self) -> None:
        for user, other in (("bob", "alice"), ("alice", "bob")):
            request_contact(user, other, **parts(self.stores))
        self.tell(tell_granted, "alice", "bob")

    def end_contact(self) -> None:
        remove_contact("bob", "alice", **parts(self.stores))
        self.tell(tell_withdrawn, "bob", ["alice"])

    def write(self, *senders: str) -> None:
        for sender in senders:
            (entry,) = self.stores.write(sender, "hi")
            if entry.first_answer:
                self.tell(tell_granted, "alice", "bob")

    def join(self, *users: str) -> None:
        """`users` are added to the group, or make it."""
        if self.stores.entries(GROUP):
            self.stores.change(Added(users, size=9), place=GROUP, by="zoe")
        else:
            found_group(self.stores, *users)
        self.tell(tell_joined, GROUP, users, [*self.seats()])

    def leave(self, *users: str) -> None:
        self.stores.change(Removed(users, size=1), place=GROUP, by="zoe")
        for user in users:
            self.tell(tell_withdrawn, user, [*self.seats()])

    def seats(self) -> list[str]:
        roster = self.stores.memberships.roster(GROUP)
        return list(roster.seats) if roster else []

    def come(self, user: str, name: str) -> None:
        connection = opened(name, Identity(user, NEVER), device_id="", connected_at=self.now())
        register(connection, limit=5, stores=self.stores, services=self.services, now=self.now)

    def wish(self, change: Callable[..., None]) -> None:
        """Alice hides, or shows herself again."""
        change("alice", stores=self.stores, services=self.services, now=self.now)

    def look(self) -> None:
        check_offline(Gone("alice", NOW), stores=self.stores, services=self.services, now=self.now)

    # -- what comes of them

    def heard(self, name: str) -> list[tuple[str, str, int | None]]:
        """What this connection was told since the last look."""
        events = self.events(name)
        self.gateway.posts = [(target, data) for target, data in self.gateway.posts if target != name]
        assert all(event["type"] == "presence" for event in events)
        return [(event["user_id"], event["status"], event["last_seen"]) for event in events]

    def both_heard(self) -> list[tuple[str, str, int | None]]:
        """What each was told of the other, which has to be the same on both sides but for the name."""
        of_bob, of_alice = self.heard("a1"), self.heard("b1")
        assert [(status, seen) for _, status, seen in of_bob] == [(status, seen) for _, status, seen in of_alice]
        assert {user for user, *_ in of_bob} <= {"bob"}
        assert {user for user, *_ in of_alice} <= {"alice"}
        return of_alice


ONLINE = ("alice", "online", None)
OFFLINE = ("alice", "offline", None)

Step = Callable[[VisibilityHarness], object]
# Each step of a story, and what both are told of each other by it.
STORIES: dict[str, list[tuple[Step, list[tuple[str, str, int | None]]]]] = {
    "contact": [(VisibilityHarness.accept, [ONLINE]), (VisibilityHarness.end_contact, [OFFLINE])],
    "blocked contact": [
        (VisibilityHarness.accept, [ONLINE]),
        (VisibilityHarness.block, [OFFLINE]),
        (partial(VisibilityHarness.block, user="bob", other="alice"), []),
        (VisibilityHarness.unblock, []),
        (partial(VisibilityHarness.unblock, user="bob", other="alice"), [ONLINE]),
    ],
    "strangers": [
        (VisibilityHarness.block, []),
        (VisibilityHarness.unblock, []),
        (partial(VisibilityHarness.block, user="bob", other="alice"), []),
    ],
    "private": [
        (lambda harness: harness.write("alice", "alice"), []),
        (lambda harness: harness.write("bob"), [ONLINE]),
        (lambda harness: harness.write("alice", "bob"), []),
        (VisibilityHarness.block, [OFFLINE]),
        (VisibilityHarness.unblock, [ONLINE]),
    ],
    "fellows": [
        (lambda harness: harness.join("zoe", "alice"), []),
        (lambda harness: harness.join("bob"), [ONLINE]),
        (VisibilityHarness.block, [OFFLINE]),
        (VisibilityHarness.unblock, [ONLINE]),
        (lambda harness: harness.leave("bob"), [OFFLINE]),
        (lambda harness: harness.join("bob", "carol"), [ONLINE]),
        (lambda harness: harness.leave("alice"), [OFFLINE]),
    ],
    "a group of both from its start": [(lambda harness: harness.join("zoe", "bob", "alice"), [ONLINE])],
    "a fellow who is a contact": [
        (VisibilityHarness.accept, [ONLINE]),
        (lambda harness: harness.join("zoe", "alice", "bob"), []),
        (lambda harness: harness.leave("bob"), []),
        (lambda harness: harness.join("bob"), []),
        (VisibilityHarness.end_contact, []),
        (lambda harness: harness.leave("bob"), [OFFLINE]),
    ],
    "a fellow who blocks": [
        (partial(VisibilityHarness.block, user="bob", other="alice"), []),
        (lambda harness: harness.join("zoe", "alice", "bob"), []),
        (partial(VisibilityHarness.unblock, user="bob", other="alice"), [ONLINE]),
    ],
}


@pytest.fixture
def harness() -> VisibilityHarness:
    return VisibilityHarness()


@pytest.mark.parametrize("story", STORIES)
def test_what_permits_and_forbids_is_told_both_ways_at_its_moment(harness: VisibilityHarness, story: str) -> None:
    for number, (step, expected) in enumerate(STORIES[story]):
        step(harness)
        assert harness.both_heard() == expected, (story, number)
        for user, other in (("alice", "bob"), ("bob", "alice")):  # and who asks is answered what was said last
            (shown,) = presence_of(
                [other], user_id=user, stores=harness.stores, services=harness.services, now=harness.now()
            )
            told = [status for _, expectations in STORIES[story][: number + 1] for _, status, _ in expectations]
            assert shown.status == (told[-1] if told else "offline")


def test_of_who_is_away_is_withdrawn_when_they_were_last_there(harness: VisibilityHarness) -> None:
    harness.stores.sessions.remove("alice", "a1", now=NOW + 1)
    harness.stores.sessions.show_offline("alice", harness.stores.sessions.whole(["alice"])["alice"])
    harness.accept()
    assert harness.heard("b1") == []
    harness.block()
    assert harness.heard("b1") == [OFFLINE]


def test_who_is_away_for_a_moment_is_online_to_whom_they_are_shown(harness: VisibilityHarness) -> None:
    """Their return is announced to none."""
    harness.stores.sessions.remove("alice", "a1", now=NOW + 1)
    harness.accept()
    assert harness.heard("b1") == [ONLINE]


@pytest.mark.parametrize("how", ["hidden", "never there"])
def test_there_is_nothing_to_tell_of_who_hides_or_was_never_there(harness: VisibilityHarness, how: str) -> None:
    if how == "hidden":
        harness.stores.edit(SESSIONS, {"user_id": "alice"}, hidden=True)
    else:
        harness.stores.drop(SESSIONS, {"user_id": "alice"})
    harness.accept()
    assert harness.heard("b1") == []


def test_only_living_connections_that_watch_are_told_and_dead_ones_are_forgotten(harness: VisibilityHarness) -> None:
    harness.stores.watches.replace("bob", "ended", ["alice"], expires_at=NOW)
    harness.stores.watches.replace("bob", "dead", ["alice", "zoe"], expires_at=NEVER)
    harness.stores.watches.replace("bob", "elsewhere", ["zoe"], expires_at=NEVER)
    harness.stores.watches.replace("carol", "c1", ["alice", "bob"], expires_at=NEVER)
    harness.gateway.outcomes = {"dead": PostOutcome.GONE}
    harness.befriend("carol", "bob")
    harness.accept()
    harness.join("zoe", "alice", "bob")
    assert {name for name, _ in harness.gateway.posts} == {"a1", "b1"}
    assert "dead" not in {watch.connection_id for watch in harness.stores.watches.of("alice")}


def test_in_a_group_each_newcomer_and_each_member_is_told_once(harness: VisibilityHarness) -> None:
    harness.stores.connect("carol", "c1", at=NOW)
    harness.stores.watches.replace("carol", "c1", ["alice", "bob", "stranger"], expires_at=NEVER)
    harness.join("zoe", "alice", "bob", "carol")
    assert harness.both_heard() == [ONLINE]
    assert sorted(harness.heard("c1")) == [ONLINE, ("bob", "online", None)]


def test_who_has_left_the_group_again_before_it_is_told_is_told_nothing(harness: VisibilityHarness) -> None:
    found_group(harness.stores, "zoe", "alice", "bob")
    harness.stores.leave(GROUP, "bob")
    harness.tell(tell_joined, GROUP, ("alice", "bob"), ["zoe", "alice", "bob"])
    assert harness.both_heard() == []


def last_word(harness: VisibilityHarness, name: str) -> str:
    """What this connection shows: of two events the one with the later timestamp counts."""
    events = [json.loads(data) for data in harness.gateway.received(name)]
    return str(max(events, key=lambda event: event["timestamp"])["status"]) if events else "offline"


def racing(before: Step, *processes: Step) -> Callable[[Stepper], VisibilityHarness]:
    """`processes` at once, after `before`, in every order of their steps."""

    def build(stepper: Stepper) -> VisibilityHarness:
        harness = VisibilityHarness()
        before(harness)
        stepped = copy(harness)
        # What is stored, and what is asked of it: these are where one can come between another's two.
        stepped.stores = harness.stores.stepped(
            stepper, sessions=("register", "whole"), watches=("by", "of", "replace")
        )
        for process in processes:
            stepper.add(partial(process, stepped))
        return harness

    return build


def alice_away(harness: VisibilityHarness) -> None:
    harness.befriend()
    harness.stores.sessions.remove("alice", "a1", now=NOW)
    for user in ("alice", "bob"):
        harness.stores.edit(SESSIONS, {"user_id": user}, shown=None)


def alice_blocking_and_away(harness: VisibilityHarness) -> None:
    alice_away(harness)
    harness.block()
    harness.gateway.posts.clear()


def bob_not_watching(harness: VisibilityHarness) -> None:
    harness.befriend()
    harness.stores.watches.replace("bob", "b1", [], expires_at=NEVER)


def subscribe(harness: VisibilityHarness) -> None:
    connection = Connection("b1", "bob", "", NOW, NEVER, NEVER)
    watch(["alice"], connection=connection, stores=harness.stores, services=harness.services, now=harness.now())


def fellows(harness: VisibilityHarness) -> None:
    harness.join("zoe", "alice", "bob")


def fellows_blocked(harness: VisibilityHarness) -> None:
    fellows(harness)
    harness.block()


def alice_hiding(harness: VisibilityHarness) -> None:
    fellows(harness)
    harness.wish(hide_presence)
    harness.gateway.posts.clear()


def alice_gone(harness: VisibilityHarness) -> None:
    """For the whole grace period, and no watcher was told yet."""
    harness.befriend()
    harness.stores.sessions.remove("alice", "a1", now=NOW - MAX_GRACE_MS)


RACES: dict[str, tuple[Step, tuple[Step, ...]]] = {
    "hiding and accepting": (fellows, (lambda harness: harness.wish(hide_presence), VisibilityHarness.accept)),
    "hiding and a block's end": (
        fellows_blocked,
        (lambda harness: harness.wish(hide_presence), VisibilityHarness.unblock),
    ),
    "hiding and a new subscription": (bob_not_watching, (lambda harness: harness.wish(hide_presence), subscribe)),
    "showing oneself and accepting": (
        alice_hiding,
        (lambda harness: harness.wish(show_presence), VisibilityHarness.accept),
    ),
    "showing oneself and a block": (
        alice_hiding,
        (lambda harness: harness.wish(show_presence), VisibilityHarness.block),
    ),
    "being gone and coming back": (alice_gone, (VisibilityHarness.look, lambda harness: harness.come("alice", "a2"))),
    "a block and coming online": (alice_away, (VisibilityHarness.block, lambda harness: harness.come("alice", "a2"))),
    "an unblock and coming online": (
        alice_blocking_and_away,
        (VisibilityHarness.unblock, lambda harness: harness.come("alice", "a2")),
    ),
    "a block and the end of the contact": (
        VisibilityHarness.accept,
        (VisibilityHarness.block, VisibilityHarness.end_contact),
    ),
    "two blocks": (
        VisibilityHarness.accept,
        (VisibilityHarness.block, partial(VisibilityHarness.block, user="bob", other="alice")),
    ),
    "a block and accepting": (lambda _: None, (VisibilityHarness.block, VisibilityHarness.accept)),
    "a block and its end": (VisibilityHarness.accept, (VisibilityHarness.block, VisibilityHarness.unblock)),
    "leaving and a block": (
        lambda harness: harness.join("zoe", "alice", "bob"),
        (lambda harness: harness.leave("bob"), VisibilityHarness.block),
    ),
    "a block and a new subscription": (bob_not_watching, (VisibilityHarness.block, subscribe)),
}


@pytest.mark.parametrize("race", RACES)
def test_what_is_said_last_is_what_is_so_whatever_comes_between(race: str) -> None:
    before, processes = RACES[race]
    for harness in explore(racing(before, *processes)):
        (shown,) = presence_of(
            ["alice"], user_id="bob", stores=harness.stores, services=harness.services, now=harness.now()
        )
        assert last_word(harness, "b1") == shown.status
