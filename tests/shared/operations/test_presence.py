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
    watch,
)
from shared.operations.sessions import close_connection
from shared.ports.services import RestServices
from tests.fakes import (
    FakeClock,
    FakeNonces,
)
from tests.harness import Harness
from tests.shared.operations.conversation_harness import found_group
from tests.stepping import Stepper, explore
from tests.stores import MEMBERS, SESSIONS
from tests.wiring import make_context, rest_services

NOW = FakeClock()()
NEVER = NOW + 100 * MAX_LIFETIME_MS
GRACE_MS = 10_000


@dataclass
class House(Harness):
    """Bob watches Alice, who is his contact, on the connection b1."""

    def __post_init__(self) -> None:
        self.befriend("alice", "bob")
        self.stores.connect("bob", "b1", at=NOW)
        self.stores.watches.replace("bob", "b1", ["alice"], expires_at=NEVER)

    @property
    def services(self) -> RestServices:
        return rest_services(self.gateway)

    def befriend(self, one: str, other: str, status: ContactStatus = ACCEPTED) -> None:
        back: ContactStatus = INCOMING if status == REQUESTED else status
        self.stores.know(one, other, status, back)

    def seen(self, *users: str, by: str = "bob") -> list[Presence]:
        return presence_of(users, user_id=by, stores=self.stores, services=self.services, now=self.clock())

    def come(self, name: str, user: str = "alice") -> None:
        connection = opened(name, Identity(user, NEVER), device_id="", connected_at=self.clock())
        services, now = self.services, self.clock()
        register(connection, limit=5, stores=self.stores, services=services, now=now)

    def go(self, name: str, user: str = "alice") -> bool:
        return close_connection(user, name, stores=self.stores, now=self.clock()).went_offline

    def look(self, user: str = "alice") -> bool:
        return check_offline(
            Gone(user, NOW),
            stores=self.stores,
            services=self.services,
            now=self.clock(),
        )

    def hide(self, *, hidden: bool, user: str = "alice") -> None:
        hide_presence(
            user,
            hidden=hidden,
            stores=self.stores,
            services=self.services,
            now=self.clock(),
        )

    def told(self) -> list[str]:
        """What b1 was told since the last look."""
        events = [json.loads(data) for data in self.gateway.received("b1")]
        self.gateway.posts.clear()
        assert all(event["type"] == "presence" for event in events)
        return [event["status"] for event in events]


def both_online(house: House) -> None:
    for one, other in (("alice", "bob"), ("bob", "alice")):
        house.stores.drop(MEMBERS, contact_key(one, other))
    house.stores.connect("alice", "a1", at=NOW)


def as_fellows(house: House) -> None:
    found_group(house.stores, "zoe", "alice", "bob")


def as_contacts(house: House) -> None:
    house.befriend("alice", "bob")


def blocking(arrange: Callable[[House], object], *block: str) -> Callable[[House], object]:
    def both(house: House) -> None:
        arrange(house)
        house.stores.blocks.put(block[0], block[1], now=1)

    return both


def writing(*senders: str) -> Callable[[House], object]:
    def write(house: House) -> None:
        for sender in senders:
            house.stores.write(sender, "hi")

    return write


def making(user: str, other: str) -> Callable[[House], object]:
    return lambda house: create_private(user, other, stores=house.stores, now=1)


def as_hidden_contact(house: House) -> None:
    as_contacts(house)
    house.stores.edit(SESSIONS, {"user_id": "alice"}, hidden=True)


MATRIX: dict[str, tuple[Callable[[House], object], bool]] = {
    "stranger": (lambda _: None, False),
    "contact": (as_contacts, True),
    "requested": (lambda house: house.befriend("bob", "alice", REQUESTED), False),
    "incoming": (lambda house: house.befriend("alice", "bob", REQUESTED), False),
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


@pytest.mark.parametrize("relation", MATRIX)
def test_who_sees_whom(relation: str) -> None:
    house = House()
    both_online(house)
    arrange, visible = MATRIX[relation]
    arrange(house)
    unknown = Presence("nobody", "offline")
    expected = Presence("alice", "online") if visible else Presence("alice", "offline")
    assert house.seen("alice", "nobody") == [expected, unknown]
    announce_online("alice", stores=house.stores, services=house.services, now=NOW)
    allowed = visible or relation == "contact who hides"  # who hides is not announced at all: see below
    assert house.told() == (["online"] if allowed else [])


def test_who_may_not_be_seen_looks_like_somebody_who_was_never_here() -> None:
    house = House()
    house.come("a1")
    house.go("a1")
    house.look()
    assert house.seen("alice") == [Presence("alice", "offline", NOW)]
    house.hide(hidden=True)
    assert house.seen("alice") == [Presence("alice", "offline")]
    house.hide(hidden=False)
    for one, other in (("alice", "bob"), ("bob", "alice")):
        house.stores.drop(MEMBERS, contact_key(one, other))
    assert house.seen("alice") == [Presence("alice", "offline")]


def test_one_sees_oneself() -> None:
    house = House()
    assert house.seen("bob", by="bob") == [Presence("bob", "online")]


def test_the_answer_keeps_the_order_and_the_doubles_asked_for() -> None:
    house = House()
    house.come("a1")
    assert [one.user_id for one in house.seen("zoe", "alice", "zoe", "bob")] == ["zoe", "alice", "zoe", "bob"]
    assert house.seen() == []


def test_seeing_goes_both_ways() -> None:
    house = House()
    assert seen_by("alice", ["bob", "zoe"], stores=house.stores, services=house.services) == {"bob"}
    assert seen_by("bob", ["alice", "zoe"], stores=house.stores, services=house.services) == {"alice"}
    assert seen_by("bob", [], stores=house.stores, services=house.services) == set()


def test_coming_and_going_are_told_once_however_many_devices() -> None:
    house = House()
    house.come("a1")
    house.come("a2")
    assert house.told() == ["online"]
    assert not house.go("a1")
    assert house.go("a2")
    assert house.told() == []
    house.clock.advance(GRACE_MS)
    assert [house.look() for _ in range(3)] == [True, False, False]
    assert house.told() == ["offline"]
    house.come("a3")
    assert house.told() == ["online"]


def test_a_reconnect_within_the_grace_period_leaves_no_trace() -> None:
    house = House()
    house.come("a1")
    house.told()
    house.go("a1")
    house.clock.advance(GRACE_MS - 1)
    house.come("a2")
    house.clock.advance(1)
    assert not house.look()
    assert house.told() == []
    assert house.seen("alice") == [Presence("alice", "online")]


def test_a_connection_that_decayed_is_announced_again_with_the_next() -> None:
    house = House()
    house.come("a1")
    house.told()
    house.clock.advance(MAX_LIFETIME_MS)
    (shown,) = house.seen("alice")
    assert (shown.status, shown.last_seen) == ("offline", NOW + MAX_LIFETIME_MS - HEARTBEAT_WINDOW_MS)
    house.come("a2")
    assert house.told() == ["online"]


def test_a_connection_that_decayed_soon_after_another_had_ended_is_announced_again_too() -> None:
    house = House()
    house.come("a1")
    house.go("a1")
    house.come("a2")
    connection = house.stores.connections("alice")["a2"]
    ping(house, connection)
    house.told()
    house.clock.advance(HEARTBEAT_WINDOW_MS)
    assert [one.status for one in house.seen("alice")] == ["offline"]
    house.come("a3")
    assert house.told() == ["online"]


def test_a_look_that_was_lost_does_not_silence_the_next_coming() -> None:
    house = House()
    house.come("a1")
    house.go("a1")
    house.told()
    house.clock.advance(MAX_GRACE_MS)
    house.come("a2")
    assert house.told() == ["online"]


def test_who_asks_in_the_grace_period_is_told_what_the_watchers_believe() -> None:
    """The return is announced to none, so "offline" would stand for good with who has just asked."""
    house = House()
    house.come("a1")
    house.told()
    house.go("a1")
    assert [one.status for one in house.seen("alice")] == ["online"]
    house.come("a2")
    house.look()
    assert house.told() == []
    assert [one.status for one in house.seen("alice")] == ["online"]

    house.go("a2")
    house.look()
    assert house.told() == ["offline"]
    assert [one.status for one in house.seen("alice")] == ["offline"]


def test_a_look_that_never_came_leaves_nobody_online() -> None:
    house = House()
    house.come("a1")
    house.go("a1")
    house.clock.advance(MAX_GRACE_MS)
    assert house.seen("alice") == [Presence("alice", "offline", NOW)]


def test_offline_says_when_the_user_was_last_there() -> None:
    house = House()
    house.come("a1")
    house.clock.advance(5_000)
    house.go("a1")
    house.clock.advance(GRACE_MS)
    house.look()
    (*_, event) = [json.loads(data) for data in house.gateway.received("b1")]
    assert (event["status"], event["last_seen"], event["timestamp"]) == ("offline", NOW + 5_000, NOW + 15_000)


def test_who_hides_comes_and_goes_unseen() -> None:
    house = House()
    house.hide(hidden=True)
    house.come("a1")
    house.go("a1")
    house.clock.advance(GRACE_MS)
    house.look()
    assert house.told() == []


def test_hiding_while_online_looks_like_going_and_showing_like_coming() -> None:
    house = House()
    house.come("a1")
    house.told()
    for hidden in (True, True, False, False):
        house.hide(hidden=hidden)
    assert house.told() == ["offline", "online"]


def test_hiding_within_the_grace_period_is_told_too() -> None:
    house = House()
    house.come("a1")
    house.go("a1")
    house.hide(hidden=True)
    house.clock.advance(GRACE_MS)
    house.look()
    assert house.told() == ["online", "offline"]


def test_coming_back_after_hiding_and_showing_again_is_told() -> None:
    house = House()
    house.come("a1")
    house.hide(hidden=True)
    house.go("a1")
    house.hide(hidden=False)
    house.come("a2")
    assert house.told() == ["online", "offline", "online"]


def test_going_after_hiding_and_showing_again_is_told() -> None:
    house = House()
    house.come("a1")
    for hidden in (True, False):
        house.hide(hidden=hidden)
    house.go("a1")
    house.clock.advance(GRACE_MS)
    house.look()
    assert house.told() == ["online", "offline", "online", "offline"]


def test_who_hides_while_away_takes_back_when_they_were_last_there() -> None:
    house = House()
    house.come("a1")
    house.go("a1")
    house.clock.advance(GRACE_MS)
    house.look()
    house.told()
    house.hide(hidden=True)
    assert [json.loads(data)["last_seen"] for data in house.gateway.received("b1")] == [None]
    house.hide(hidden=True)
    house.hide(hidden=False)
    assert house.told() == ["offline"]


def test_hiding_without_ever_having_been_there_tells_nobody() -> None:
    house = House()
    house.hide(hidden=True)
    house.hide(hidden=False)
    assert house.told() == []


def showing_and(other: Callable[[House], object], *, here: bool) -> Callable[[Stepper], House]:
    """Alice, who hides, shows herself; meanwhile something else happens, in every order of the steps."""

    def build(stepper: Stepper) -> House:
        house = House()
        if here:
            house.come("a1")
        house.hide(hidden=True)
        house.gateway.posts.clear()
        stepped = copy(house)
        stepped.stores = house.stores.stepped(stepper, watches=("of",), sessions=())
        stepper.add(lambda: stepped.hide(hidden=False))
        stepper.add(lambda: other(stepped))
        return house

    return build


def _go(house: House) -> None:
    house.go("a1")


def _come(house: House) -> None:
    house.come("a1")


def _hide(house: House) -> None:
    house.hide(hidden=True)


def last_told(house: House) -> str | None:
    """What counts is what has the latest timestamp, and of those what came last."""
    events = [json.loads(data) for data in house.gateway.received("b1")]
    in_order = sorted(events, key=lambda event: int(event["timestamp"]))
    return in_order[-1]["status"] if in_order else None


def test_who_comes_for_the_first_time_while_showing_themselves_is_told_in_every_interleaving() -> None:
    for house in explore(showing_and(_come, here=False)):
        assert house.stores.session("alice").shown == "online"
        assert last_told(house) == "online"
        house.go("a1")
        house.clock.advance(GRACE_MS)
        house.look()
        assert last_told(house) == "offline"


def test_who_goes_while_showing_themselves_is_not_left_online_in_any_interleaving() -> None:
    for house in explore(showing_and(_go, here=True)):
        house.clock.advance(GRACE_MS)
        house.look()
        assert last_told(house) in (None, "offline")
        assert house.stores.session("alice").shown == "offline"


def test_of_two_wishes_at_once_what_is_told_is_that_which_is_kept_in_every_interleaving() -> None:
    for house in explore(showing_and(_hide, here=True)):
        expected = (None, "offline") if house.stores.session("alice").hidden else ("online",)
        assert last_told(house) in expected


def ping(house: House, connection: Connection) -> None:
    context = make_context(house.clock, FakeNonces(), connection_limit=5)
    keep_alive(connection, stores=house.stores, services=house.services, context=context)


def subscribe(house: House, *users: str, connection_id: str = "b1") -> list[Presence]:
    connection = Connection(connection_id, "bob", "", NOW, NEVER, NEVER)
    return watch(users, connection=connection, stores=house.stores, services=house.services, now=house.clock())


def test_no_change_falls_between_subscribing_and_the_answer_in_any_interleaving() -> None:
    """Whoever comes online meanwhile is in the answer, or told, or both."""
    for house, found in explore(subscribing_and_coming):
        assert [one.status for one in found] == ["online"] or house.told() == ["online"]


def subscribing_and_coming(stepper: Stepper) -> tuple[House, list[Presence]]:
    house = House()
    house.stores.watches.replace("bob", "b1", [], expires_at=NEVER)
    stepped = copy(house)
    stepped.stores = house.stores.stepped(stepper, watches=(), sessions=())
    found: list[Presence] = []
    stepper.add(lambda: found.extend(subscribe(stepped, "alice")))
    stepper.add(lambda: stepped.come("a1"))
    return house, found


def test_a_subscription_answers_with_the_state_and_replaces_the_one_before() -> None:
    house = House()
    house.befriend("bob", "carol")
    assert subscribe(house, "carol", "bob", "alice") == [
        Presence("carol", "offline"),
        Presence("bob", "online"),
        Presence("alice", "offline"),
    ]
    house.come("a1")
    house.come("c1", "carol")
    assert house.told() == ["online", "online"]
    subscribe(house, "carol")
    house.go("a1")
    house.clock.advance(GRACE_MS)
    house.look()
    assert house.told() == []
    assert subscribe(house) == []
    assert [row for row in house.stores.rows(MEMBERS) if row["pk"].startswith("watch#")] == []


def test_who_becomes_a_contact_later_is_heard_of_without_a_new_subscription() -> None:
    house = House()
    subscribe(house, "zoe")
    house.come("z1", "zoe")
    assert house.told() == []
    house.befriend("bob", "zoe")
    house.go("z1", "zoe")
    house.clock.advance(GRACE_MS)
    house.look("zoe")
    assert house.told() == ["offline"]


def test_a_watch_that_has_ended_is_told_nothing_and_a_dead_one_is_forgotten() -> None:
    house = House()
    house.stores.watches.replace("bob", "b0", ["alice"], expires_at=NOW)
    house.stores.watches.replace("bob", "b2", ["alice"], expires_at=NEVER)
    house.gateway.outcomes = {"b2": PostOutcome.GONE}
    house.come("a1")
    assert [target for target, _ in house.gateway.posts] == ["b1"]
    assert [watch.connection_id for watch in house.stores.watches.of("alice")] == ["b0", "b1"]


def test_a_ping_keeps_presence_and_its_absence_ends_it() -> None:
    house = House()
    house.come("a1")
    connection = house.stores.connections("alice")["a1"]
    ping(house, connection)
    house.clock.advance(HEARTBEAT_WINDOW_MS - 1)
    assert house.seen("alice") == [Presence("alice", "online")]
    house.clock.advance(1)
    assert house.seen("alice") == [Presence("alice", "offline", NOW)]


def coming_and_looking(*processes: str) -> Callable[[Stepper], House]:
    """Alice has just gone. `look`s and a reconnect (`come`) run at once, in every order of their steps."""

    def build(stepper: Stepper) -> House:
        house = House()
        house.come("a1")
        house.go("a1")
        house.gateway.posts.clear()
        stepped = copy(house)
        stepped.stores = house.stores.stepped(stepper, watches=("of",), sessions=())
        stepped.gateway = stepper.wrap(house.gateway)
        house.clock.advance(GRACE_MS)
        for process in processes:
            stepper.add(stepped.look if process == "look" else lambda: stepped.come("a2"))
        return house

    return build


def test_several_looks_at_once_say_the_same_in_every_interleaving() -> None:
    tried = 0
    for house in explore(coming_and_looking("look", "look")):
        tried += 1
        assert house.told() in (["offline"], ["offline", "offline"])
        assert house.stores.session("alice").shown == "offline"
    assert tried > 10


def test_a_look_that_dies_before_it_is_done_is_made_up_for_by_its_repetition() -> None:
    house = House()
    house.come("a1")
    house.go("a1")
    house.clock.advance(GRACE_MS)
    house.gateway.posts.clear()

    def fail(_: str, request: object) -> None:
        if "watch#" in str(request):
            raise Unavailable

    house.stores.calls.before = fail
    with pytest.raises(Unavailable):
        house.look()
    house.stores.calls.before = lambda *_: None
    house.look()
    assert house.told() == ["offline"]


def test_whoever_comes_back_while_being_looked_at_ends_up_shown_online_in_every_interleaving() -> None:
    ways = set()
    for house in explore(coming_and_looking("look", "come")):
        assert house.stores.session("alice").shown == "online"
        ways.add(tuple(house.told()))
    assert ways == {(), ("offline", "online")}
