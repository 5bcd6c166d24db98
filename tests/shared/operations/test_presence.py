"""Presence: who may see whom, and each coming and going told once."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass

import pytest

from shared.adapters.dynamodb.schema import contact_key
from shared.domain.connections import (
    HEARTBEAT_WINDOW_MS,
    MAX_GRACE_MS,
    MAX_LIFETIME_MS,
    Connection,
    Gone,
    Identity,
    PostOutcome,
    Presence,
    opened,
)
from shared.domain.contacts import ACCEPTED, INCOMING, REQUESTED, ContactStatus
from shared.errors import Unavailable
from shared.operations.connections import keep_alive, register
from shared.operations.conversations import create_private
from shared.operations.presence import (
    announce_online,
    check_offline,
    hide_presence,
    presence_of,
    seen_by,
    show_presence,
    watch,
)
from shared.operations.sessions import close_connection
from tests.fakes import FakeClock, FakeNonces
from tests.harness import Harness
from tests.shared.operations.conversation_harness import found_group
from tests.stepping import Stepper, explore
from tests.stores import MEMBERS, SESSIONS
from tests.wiring import make_context, parts

NOW = FakeClock()()
NEVER = NOW + 100 * MAX_LIFETIME_MS
GRACE_MS = 10_000


@dataclass
class PresenceHarness(Harness):
    """Bob watches Alice, who is his contact, on the connection b1. `tick` (ms) is what each look at the clock takes."""

    tick: int = 0

    def __post_init__(self) -> None:
        self.befriend("alice", "bob")
        self.stores.connect("bob", "b1", at=NOW)
        self.stores.watches.replace("bob", "b1", ["alice"], expires_at=NEVER)

    def befriend(self, one: str, other: str, status: ContactStatus = ACCEPTED) -> None:
        back: ContactStatus = INCOMING if status == REQUESTED else status
        self.stores.know(one, other, status, back)

    def now(self) -> int:
        return self.clock.advance(self.tick)

    def seen(self, *users: str, by: str = "bob") -> list[Presence]:
        return presence_of(users, user_id=by, stores=self.stores, services=self.services, now=self.clock())

    def come(self, name: str, user: str = "alice") -> None:
        connection = opened(name, Identity(user, NEVER), device_id="", connected_at=self.clock())
        register(connection, limit=5, stores=self.stores, services=self.services, now=self.now)

    def go(self, name: str, user: str = "alice") -> bool:
        return close_connection(user, name, stores=self.stores, now=self.clock())

    def look(self, user: str = "alice") -> bool:
        return self.check(Gone(user, NOW))

    def check(self, gone: Gone, *, again: bool = False) -> bool:
        return check_offline(gone, again=again, stores=self.stores, services=self.services, now=self.now)

    def hide(self, *, hidden: bool, user: str = "alice") -> None:
        (hide_presence if hidden else show_presence)(user, stores=self.stores, services=self.services, now=self.clock)

    def told(self) -> list[str]:
        """What b1 was told since the last look."""
        events = self.events("b1")
        self.gateway.posts.clear()
        assert all(event["type"] == "presence" for event in events)
        return [event["status"] for event in events]


def both_online(harness: PresenceHarness) -> None:
    for one, other in (("alice", "bob"), ("bob", "alice")):
        harness.stores.drop(MEMBERS, contact_key(one, other))
    harness.stores.connect("alice", "a1", at=NOW)


def as_fellows(harness: PresenceHarness) -> None:
    found_group(harness.stores, "zoe", "alice", "bob")


def as_contacts(harness: PresenceHarness) -> None:
    harness.befriend("alice", "bob")


def blocking(arrange: Callable[[PresenceHarness], object], *block: str) -> Callable[[PresenceHarness], object]:
    def both(harness: PresenceHarness) -> None:
        arrange(harness)
        harness.stores.blocks.put(block[0], block[1], now=1)

    return both


def writing(*senders: str) -> Callable[[PresenceHarness], object]:
    def write(harness: PresenceHarness) -> None:
        for sender in senders:
            harness.stores.write(sender, "hi")

    return write


def making(user: str, other: str) -> Callable[[PresenceHarness], object]:
    return lambda harness: create_private(user, other, **parts(harness.stores))


def as_hidden_contact(harness: PresenceHarness) -> None:
    as_contacts(harness)
    harness.stores.edit(SESSIONS, {"user_id": "alice"}, hidden=True)


MATRIX: dict[str, tuple[Callable[[PresenceHarness], object], bool]] = {
    "stranger": (lambda _: None, False),
    "contact": (as_contacts, True),
    "requested": (lambda harness: harness.befriend("bob", "alice", REQUESTED), False),
    "incoming": (lambda harness: harness.befriend("alice", "bob", REQUESTED), False),
    "private, both have written": (writing("alice", "bob"), True),
    "private, both have written often": (writing("bob", "alice", "alice", "bob"), True),
    "private, the seen one has written": (writing("alice", "alice"), False),
    "private, the looking one has written": (writing("bob", "bob"), False),
    "private, made by the looking one": (making("bob", "alice"), False),
    "private, made by the seen one": (making("alice", "bob"), False),
    "private, blocks after both have written": (blocking(writing("alice", "bob"), "alice", "bob"), False),
    "private, blocked after both have written": (blocking(writing("alice", "bob"), "bob", "alice"), False),
    "fellow": (as_fellows, True),
    "contact who blocks": (blocking(as_contacts, "alice", "bob"), False),
    "blocked contact": (blocking(as_contacts, "bob", "alice"), False),
    "fellow who blocks": (blocking(as_fellows, "alice", "bob"), False),
    "blocked fellow": (blocking(as_fellows, "bob", "alice"), False),
    "contact who hides": (as_hidden_contact, False),
}


@pytest.fixture
def harness() -> PresenceHarness:
    return PresenceHarness()


@pytest.mark.parametrize("relation", MATRIX)
def test_who_sees_whom(harness: PresenceHarness, relation: str) -> None:
    both_online(harness)
    arrange, visible = MATRIX[relation]
    arrange(harness)
    unknown = Presence("nobody", "offline")
    expected = Presence("alice", "online") if visible else Presence("alice", "offline")
    assert harness.seen("alice", "nobody") == [expected, unknown]
    announce_online("alice", stores=harness.stores, services=harness.services, now=NOW)
    allowed = visible or relation == "contact who hides"  # who hides is not announced at all: see below
    assert harness.told() == (["online"] if allowed else [])


def test_who_may_not_be_seen_looks_like_somebody_who_was_never_here(harness: PresenceHarness) -> None:
    harness.come("a1")
    harness.go("a1")
    harness.look()
    assert harness.seen("alice") == [Presence("alice", "offline", NOW)]
    harness.hide(hidden=True)
    assert harness.seen("alice") == [Presence("alice", "offline")]
    harness.hide(hidden=False)
    for one, other in (("alice", "bob"), ("bob", "alice")):
        harness.stores.drop(MEMBERS, contact_key(one, other))
    assert harness.seen("alice") == [Presence("alice", "offline")]


def test_one_sees_oneself(harness: PresenceHarness) -> None:
    assert harness.seen("bob", by="bob") == [Presence("bob", "online")]


def test_the_answer_keeps_the_order_and_the_doubles_asked_for(harness: PresenceHarness) -> None:
    harness.come("a1")
    assert [one.user_id for one in harness.seen("zoe", "alice", "zoe", "bob")] == ["zoe", "alice", "zoe", "bob"]
    assert harness.seen() == []


def test_seeing_goes_both_ways(harness: PresenceHarness) -> None:
    assert seen_by("alice", ["bob", "zoe"], stores=harness.stores, services=harness.services) == {"bob"}
    assert seen_by("bob", ["alice", "zoe"], stores=harness.stores, services=harness.services) == {"alice"}
    assert seen_by("bob", [], stores=harness.stores, services=harness.services) == set()


def test_coming_and_going_are_told_once_however_many_devices(harness: PresenceHarness) -> None:
    harness.come("a1")
    harness.come("a2")
    assert harness.told() == ["online"]
    assert not harness.go("a1")
    assert harness.go("a2")
    assert harness.told() == []
    harness.clock.advance(GRACE_MS)
    assert [harness.look() for _ in range(3)] == [True, False, False]
    assert harness.told() == ["offline"]
    harness.come("a3")
    assert harness.told() == ["online"]


def test_a_reconnect_within_the_grace_period_leaves_no_trace(harness: PresenceHarness) -> None:
    harness.come("a1")
    harness.told()
    harness.go("a1")
    harness.clock.advance(GRACE_MS - 1)
    harness.come("a2")
    harness.clock.advance(1)
    assert not harness.look()
    assert harness.told() == []
    assert harness.seen("alice") == [Presence("alice", "online")]


def test_a_connection_that_decayed_is_announced_again_with_the_next(harness: PresenceHarness) -> None:
    harness.come("a1")
    harness.told()
    harness.clock.advance(MAX_LIFETIME_MS)
    (shown,) = harness.seen("alice")
    assert (shown.status, shown.last_seen) == ("offline", NOW + MAX_LIFETIME_MS - HEARTBEAT_WINDOW_MS)
    harness.come("a2")
    assert harness.told() == ["online"]


def test_a_connection_that_decayed_soon_after_another_had_ended_is_announced_again_too(
    harness: PresenceHarness,
) -> None:
    harness.come("a1")
    harness.go("a1")
    harness.come("a2")
    connection = harness.stores.connections("alice")["a2"]
    ping(harness, connection)
    harness.told()
    harness.clock.advance(HEARTBEAT_WINDOW_MS)
    assert [one.status for one in harness.seen("alice")] == ["offline"]
    harness.come("a3")
    assert harness.told() == ["online"]


def test_a_look_that_was_lost_does_not_silence_the_next_coming(harness: PresenceHarness) -> None:
    harness.come("a1")
    harness.go("a1")
    harness.told()
    harness.clock.advance(MAX_GRACE_MS)
    harness.come("a2")
    assert harness.told() == ["online"]


def test_who_asks_in_the_grace_period_is_told_what_the_watchers_believe(harness: PresenceHarness) -> None:
    """The return is announced to none, so "offline" would stand for good with who has just asked."""
    harness.come("a1")
    harness.told()
    harness.go("a1")
    assert [one.status for one in harness.seen("alice")] == ["online"]
    harness.come("a2")
    harness.look()
    assert harness.told() == []
    assert [one.status for one in harness.seen("alice")] == ["online"]

    harness.go("a2")
    harness.look()
    assert harness.told() == ["offline"]
    assert [one.status for one in harness.seen("alice")] == ["offline"]


def test_a_look_that_never_came_leaves_nobody_online(harness: PresenceHarness) -> None:
    harness.come("a1")
    harness.go("a1")
    harness.clock.advance(MAX_GRACE_MS)
    assert harness.seen("alice") == [Presence("alice", "offline", NOW)]


def test_offline_says_when_the_user_was_last_there(harness: PresenceHarness) -> None:
    harness.come("a1")
    harness.clock.advance(5_000)
    harness.go("a1")
    harness.clock.advance(GRACE_MS)
    harness.look()
    (*_, event) = [json.loads(data) for data in harness.gateway.received("b1")]
    assert (event["status"], event["last_seen"], event["timestamp"]) == ("offline", NOW + 5_000, NOW + 15_000)


def test_who_hides_comes_and_goes_unseen(harness: PresenceHarness) -> None:
    harness.hide(hidden=True)
    harness.come("a1")
    harness.go("a1")
    harness.clock.advance(GRACE_MS)
    harness.look()
    assert harness.told() == []


def test_hiding_while_online_looks_like_going_and_showing_like_coming(harness: PresenceHarness) -> None:
    harness.come("a1")
    harness.told()
    for hidden in (True, True, False, False):
        harness.hide(hidden=hidden)
    assert harness.told() == ["offline", "online"]


def test_hiding_within_the_grace_period_is_told_too(harness: PresenceHarness) -> None:
    harness.come("a1")
    harness.go("a1")
    harness.hide(hidden=True)
    harness.clock.advance(GRACE_MS)
    harness.look()
    assert harness.told() == ["online", "offline"]


def test_coming_back_after_hiding_and_showing_again_is_told(harness: PresenceHarness) -> None:
    harness.come("a1")
    harness.hide(hidden=True)
    harness.go("a1")
    harness.hide(hidden=False)
    harness.come("a2")
    assert harness.told() == ["online", "offline", "online"]


def test_going_after_hiding_and_showing_again_is_told(harness: PresenceHarness) -> None:
    harness.come("a1")
    for hidden in (True, False):
        harness.hide(hidden=hidden)
    harness.go("a1")
    harness.clock.advance(GRACE_MS)
    harness.look()
    assert harness.told() == ["online", "offline", "online", "offline"]


def test_who_hides_while_away_takes_back_when_they_were_last_there(harness: PresenceHarness) -> None:
    harness.come("a1")
    harness.go("a1")
    harness.clock.advance(GRACE_MS)
    harness.look()
    harness.told()
    harness.hide(hidden=True)
    assert [json.loads(data)["last_seen"] for data in harness.gateway.received("b1")] == [None]
    harness.hide(hidden=True)
    harness.hide(hidden=False)
    assert harness.told() == ["offline"]


def test_hiding_without_ever_having_been_there_tells_nobody(harness: PresenceHarness) -> None:
    harness.hide(hidden=True)
    harness.hide(hidden=False)
    assert harness.told() == []


def showing_and(other: Callable[[PresenceHarness], object], *, here: bool) -> Callable[[Stepper], PresenceHarness]:
    """Alice, who hides, shows herself; meanwhile something else happens, in every order of the steps."""

    def build(stepper: Stepper) -> PresenceHarness:
        harness = PresenceHarness()
        if here:
            harness.come("a1")
        harness.hide(hidden=True)
        harness.gateway.posts.clear()
        stepped = copy(harness)
        stepped.stores = harness.stores.stepped(stepper, watches=("of",), sessions=())
        stepper.add(lambda: stepped.hide(hidden=False))
        stepper.add(lambda: other(stepped))
        return harness

    return build


def _go(harness: PresenceHarness) -> None:
    harness.go("a1")


def _come(harness: PresenceHarness) -> None:
    harness.come("a1")


def _hide(harness: PresenceHarness) -> None:
    harness.hide(hidden=True)


def last_told(harness: PresenceHarness) -> str | None:
    """What counts is what has the latest timestamp, and of those what came last."""
    events = [json.loads(data) for data in harness.gateway.received("b1")]
    in_order = sorted(events, key=lambda event: int(event["timestamp"]))
    return in_order[-1]["status"] if in_order else None


def test_who_comes_for_the_first_time_while_showing_themselves_is_told_in_every_interleaving() -> None:
    for harness in explore(showing_and(_come, here=False)):
        assert harness.stores.session("alice").shown == "online"
        assert last_told(harness) == "online"
        harness.go("a1")
        harness.clock.advance(GRACE_MS)
        harness.look()
        assert last_told(harness) == "offline"


def test_who_goes_while_showing_themselves_is_not_left_online_in_any_interleaving() -> None:
    for harness in explore(showing_and(_go, here=True)):
        harness.clock.advance(GRACE_MS)
        harness.look()
        assert last_told(harness) in (None, "offline")
        assert harness.stores.session("alice").shown == "offline"


def test_of_two_wishes_at_once_what_is_told_is_that_which_is_kept_in_every_interleaving() -> None:
    for harness in explore(showing_and(_hide, here=True)):
        expected = (None, "offline") if harness.stores.session("alice").hidden else ("online",)
        assert last_told(harness) in expected


def ping(harness: PresenceHarness, connection: Connection) -> None:
    context = make_context(harness.clock, FakeNonces(), connection_limit=5)
    keep_alive(connection, stores=harness.stores, services=harness.services, context=context)


def subscribe(harness: PresenceHarness, *users: str, connection_id: str = "b1") -> list[Presence]:
    connection = Connection(connection_id, "bob", "", NOW, NEVER, NEVER)
    return watch(users, connection=connection, stores=harness.stores, services=harness.services, now=harness.clock())


def test_no_change_falls_between_subscribing_and_the_answer_in_any_interleaving() -> None:
    """A user who comes online meanwhile is in the answer, or told, or both."""
    for harness, found in explore(subscribing_and_coming):
        assert [one.status for one in found] == ["online"] or harness.told() == ["online"]


def subscribing_and_coming(stepper: Stepper) -> tuple[PresenceHarness, list[Presence]]:
    harness = PresenceHarness()
    harness.stores.watches.replace("bob", "b1", [], expires_at=NEVER)
    stepped = copy(harness)
    stepped.stores = harness.stores.stepped(stepper, watches=(), sessions=())
    found: list[Presence] = []
    stepper.add(lambda: found.extend(subscribe(stepped, "alice")))
    stepper.add(lambda: stepped.come("a1"))
    return harness, found


def test_who_begins_to_watch_while_somebody_is_told_to_be_away_learns_it_in_every_interleaving() -> None:
    """Right after all connections were closed: a look at that time says that the user is only just away."""
    for harness, found in explore(subscribing_and_looking):
        assert harness.stores.session("alice").shown == "offline"
        assert [one.status for one in found] == ["offline"] or last_told(harness) == "offline"


def subscribing_and_looking(stepper: Stepper) -> tuple[PresenceHarness, list[Presence]]:
    harness = PresenceHarness()
    harness.stores.watches.replace("bob", "b1", [], expires_at=NEVER)
    harness.come("a1")
    harness.go("a1")
    stepped = copy(harness)
    stepped.stores = harness.stores.stepped(stepper, watches=(), sessions=())
    found: list[Presence] = []
    stepper.add(lambda: found.extend(subscribe(stepped, "alice")))
    stepper.add(stepped.look)
    return harness, found


def test_a_subscription_answers_with_the_state_and_replaces_the_one_before(harness: PresenceHarness) -> None:
    harness.befriend("bob", "carol")
    assert subscribe(harness, "carol", "bob", "alice") == [
        Presence("carol", "offline"),
        Presence("bob", "online"),
        Presence("alice", "offline"),
    ]
    harness.come("a1")
    harness.come("c1", "carol")
    assert harness.told() == ["online", "online"]
    subscribe(harness, "carol")
    harness.go("a1")
    harness.clock.advance(GRACE_MS)
    harness.look()
    assert harness.told() == []
    assert subscribe(harness) == []
    assert [row for row in harness.stores.rows(MEMBERS) if row["pk"].startswith("watch#")] == []


def test_who_becomes_a_contact_later_is_heard_of_without_a_new_subscription(harness: PresenceHarness) -> None:
    subscribe(harness, "zoe")
    harness.come("z1", "zoe")
    assert harness.told() == []
    harness.befriend("bob", "zoe")
    harness.go("z1", "zoe")
    harness.clock.advance(GRACE_MS)
    harness.look("zoe")
    assert harness.told() == ["offline"]


def test_a_watch_that_has_ended_is_told_nothing_and_a_dead_one_is_forgotten(harness: PresenceHarness) -> None:
    harness.stores.watches.replace("bob", "b0", ["alice"], expires_at=NOW)
    harness.stores.watches.replace("bob", "b2", ["alice"], expires_at=NEVER)
    harness.gateway.outcomes = {"b2": PostOutcome.GONE}
    harness.come("a1")
    assert [target for target, _ in harness.gateway.posts] == ["b1"]
    assert [watch.connection_id for watch in harness.stores.watches.of("alice")] == ["b0", "b1"]


def test_a_ping_keeps_presence_and_its_absence_ends_it(harness: PresenceHarness) -> None:
    harness.come("a1")
    connection = harness.stores.connections("alice")["a1"]
    ping(harness, connection)
    harness.clock.advance(HEARTBEAT_WINDOW_MS - 1)
    assert harness.seen("alice") == [Presence("alice", "online")]
    harness.clock.advance(1)
    assert harness.seen("alice") == [Presence("alice", "offline", NOW)]


def coming_and_looking(*processes: str) -> Callable[[Stepper], PresenceHarness]:
    """Alice has just gone. `look`s and a reconnect (`come`) run at once, in every order of their steps."""

    def build(stepper: Stepper) -> PresenceHarness:
        harness = PresenceHarness()
        harness.come("a1")
        harness.go("a1")
        harness.gateway.posts.clear()
        stepped = copy(harness)
        stepped.stores = harness.stores.stepped(stepper, watches=("of",), sessions=())
        stepped.gateway, stepped.tick = stepper.wrap(harness.gateway), 1
        harness.clock.advance(GRACE_MS)
        for process in processes:
            stepper.add(stepped.look if process == "look" else lambda: stepped.come("a2"))
        return harness

    return build


def test_several_looks_at_once_say_the_same_in_every_interleaving() -> None:
    tried = 0
    for harness in explore(coming_and_looking("look", "look")):
        tried += 1
        assert harness.told() in (["offline"], ["offline", "offline"])
        assert harness.stores.session("alice").shown == "offline"
    assert tried > 10


def test_a_look_that_dies_before_it_is_done_is_made_up_for_by_its_repetition(harness: PresenceHarness) -> None:
    harness.come("a1")
    harness.go("a1")
    harness.clock.advance(GRACE_MS)
    harness.gateway.posts.clear()

    def fail(_: str, request: object) -> None:
        if "watch#" in str(request):
            raise Unavailable

    harness.stores.calls.before = fail
    with pytest.raises(Unavailable):
        harness.look()
    harness.stores.calls.before = lambda *_: None
    assert not harness.look()
    assert harness.check(Gone("alice", NOW), again=True)
    assert harness.told() == ["offline"]


def test_a_repeated_look_tells_nothing_of_who_hides_or_is_back(harness: PresenceHarness) -> None:
    harness.come("a1")
    assert not harness.check(Gone("alice", NOW), again=True)
    harness.hide(hidden=True)
    harness.go("a1")
    harness.gateway.posts.clear()
    harness.check(Gone("alice", NOW), again=True)
    assert harness.told() == []


def test_a_look_whose_note_was_stored_while_its_answer_was_lost_tells_all_the_same(harness: PresenceHarness) -> None:
    harness.come("a1")
    harness.go("a1")
    harness.gateway.posts.clear()
    session = harness.stores.session("alice")
    harness.stores.calls.before = lambda operation, _: (
        harness.stores.sessions.show_offline("alice", session) if operation == "UpdateItem" else None
    )
    assert harness.look()
    assert harness.told() == ["offline"]


def test_whoever_comes_back_while_being_looked_at_ends_up_shown_online_in_every_interleaving() -> None:
    """Whichever of the two events comes first."""
    ways = set()
    for harness in explore(coming_and_looking("look", "come")):
        assert harness.stores.session("alice").shown == "online"
        assert last_told(harness) in (None, "online")
        ways.add(tuple(harness.told()))
    assert ways == {(), ("offline", "online"), ("online", "offline")}
