"""Users' coming and going as events: each once, numbered, and the last one says how it stands."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from shared.adapters.aws.event_queues import errand_from
from shared.adapters.dynamodb.presence_stores import with_transitions
from shared.adapters.dynamodb.schema import PASSING_MS, Tables
from shared.adapters.dynamodb.transitions import DynamoDbTransitions
from shared.clock import DAY_MS
from shared.domain.connections import Connection, Gone
from shared.domain.text import transitions_id
from shared.domain.webhooks import Cursor, Webhook, kind_of
from shared.errors import Unavailable
from shared.operations.dispatching import run_errand
from shared.operations.events_out import announce
from shared.operations.presence import note_transition
from shared.ports.jobs import LOG, MEMBERS
from shared.ports.webhooks import EventServices, EventStores
from shared.wire.outgoing import outgoing, trial_event
from tests.fakes import FakeClock, FakeNonces, FakeObserver, FakePresenceChecks
from tests.fakes.webhooks import FakeErrands, FakeGivenUp, FakeReceiver
from tests.shared.operations.test_presence import GRACE_MS, NOW, PresenceHarness
from tests.stepping import Stepper, explore
from tests.stores import SESSIONS, TICKETS
from tests.wiring import make_context

TABLES = Tables(members=MEMBERS, sessions=SESSIONS, log=LOG, tickets=TICKETS)
ALICES = transitions_id("alice")


def told_team(harness: PresenceHarness) -> PresenceHarness:
    harness.stores = with_transitions(harness.stores, harness.stores.calls, TABLES)
    return harness


@pytest.fixture
def harness() -> PresenceHarness:
    return told_team(PresenceHarness())


def events(harness: PresenceHarness) -> list[dict[str, Any]]:
    return [json.loads(outgoing(entry).body) for entry in harness.stores.entries(ALICES)]


def said(harness: PresenceHarness) -> list[str]:
    """In the order of the places, which have no gap."""
    found = events(harness)
    assert all(after["seq"] == before["seq"] + 1 for before, after in pairwise(found))
    return [event["data"]["status"] for event in found]


def leave(harness: PresenceHarness, name: str) -> None:
    harness.go(name)
    harness.clock.advance(GRACE_MS)
    harness.look()


def test_each_coming_and_going_is_an_event_and_the_first_one_stands_at_its_time(harness: PresenceHarness) -> None:
    harness.come("a1")
    harness.clock.advance(60_000)
    leave(harness, "a1")
    online, offline = events(harness)
    assert [online["id"], offline["id"]] == [f"presence:alice/{NOW}", f"presence:alice/{NOW + 1}"]
    assert online["data"] == {
        "type": "presence",
        "user_id": "alice",
        "status": "online",
        "last_seen": None,
        "seq": NOW,
        "timestamp": NOW,
    }
    assert (offline["type"], offline["data"]["status"]) == ("presence", "offline")
    assert offline["data"]["last_seen"] == NOW + 60_000
    assert kind_of(online["conversation_id"]) == "presence"


def test_what_watchers_do_not_notice_is_no_event(harness: PresenceHarness) -> None:
    harness.come("a1")
    harness.come("a2")  # another device
    harness.go("a2")
    harness.look()
    harness.go("a1")
    harness.clock.advance(GRACE_MS // 2)
    harness.come("a3")  # within the grace period
    harness.look()
    harness.check(Gone("alice", NOW), again=True)
    assert said(harness) == ["online"]


def test_a_check_that_comes_twice_tells_once(harness: PresenceHarness) -> None:
    harness.come("a1")
    leave(harness, "a1")
    harness.check(Gone("alice", NOW), again=True)
    assert said(harness) == ["online", "offline"]


def test_who_hides_is_offline_and_nothing_tells_when_they_were_there(harness: PresenceHarness) -> None:
    def hide(*, hidden: bool) -> None:
        harness.hide(hidden=hidden)
        note_transition("alice", stores=harness.stores, now=harness.clock())

    harness.come("a1")
    for hidden in (True, True, False):
        hide(hidden=hidden)
    assert said(harness) == ["online", "offline", "online"]
    assert [event["data"]["last_seen"] for event in events(harness)] == [None] * 3
    hide(hidden=True)
    harness.come("a2")
    leave(harness, "a2")
    assert said(harness) == ["online", "offline", "online", "offline"]


def test_who_was_never_there_has_no_event(harness: PresenceHarness) -> None:
    harness.look()
    note_transition("alice", stores=harness.stores, now=NOW)
    assert said(harness) == []


def _coming_and_leaving(*, before: bool) -> Callable[[Stepper], PresenceHarness]:
    """One comes while a check finds them away: after this, or (`before`) also at first, they were there."""

    def build(stepper: Stepper) -> PresenceHarness:
        harness = told_team(PresenceHarness())
        if before:
            harness.come("a1")
        harness.go("a1")
        harness.clock.advance(GRACE_MS)
        stepped = copy(harness)
        stepped.stores = harness.stores.stepped(stepper, sessions=("show_offline", "register"))
        transitions = DynamoDbTransitions(harness.stores.calls, TABLES, sessions=harness.stores.sessions)
        looked: Any = transitions
        looked._log = stepper.wrap(harness.stores.log, only=("read_back", "put"))  # a look is one step
        stepped.stores = replace(stepped.stores, transitions=transitions)
        stepper.add(stepped.look)
        stepper.add(lambda: stepped.come("a2"))
        return harness

    return build


@pytest.mark.parametrize("before", [True, False])
def test_of_a_coming_and_a_going_at_once_the_last_event_is_right_in_every_interleaving(before: bool) -> None:
    tried = 0
    for harness in explore(_coming_and_leaving(before=before)):
        tried += 1
        assert said(harness)[-1] == "online"
        leave(harness, "a2")
        assert said(harness)[-1] == "offline"
        assert all(one != other for one, other in pairwise(said(harness)))
    assert tried > 10


def test_what_a_handshake_could_not_note_a_check_does(harness: PresenceHarness) -> None:
    checks = FakePresenceChecks()
    harness.stores = with_transitions(harness.stores, harness.stores.calls, TABLES, checks=checks)
    harness.stores.calls.fail("presence:alice")
    harness.come("a1")
    harness.stores.calls.let_through()
    assert (said(harness), [gone.user_id for gone in checks.scheduled]) == ([], ["alice"])
    for gone in checks.scheduled:
        harness.check(gone)
    assert said(harness) == ["online"]


def test_a_check_that_can_not_note_it_comes_again(harness: PresenceHarness) -> None:
    harness.come("a1")
    harness.go("a1")
    harness.clock.advance(GRACE_MS)
    harness.stores.calls.fail("presence:alice")
    with pytest.raises(Unavailable):
        harness.look()
    harness.stores.calls.let_through()
    harness.check(Gone("alice", NOW), again=True)
    assert said(harness) == ["online", "offline"]


def test_a_place_is_not_there_twice_after_the_log_has_ended(harness: PresenceHarness) -> None:
    harness.come("a1")
    leave(harness, "a1")
    harness.clock.advance(PASSING_MS - DAY_MS // 2)  # its last rows are about to go
    harness.come("a2")
    later = events(harness)[-1]
    assert later["seq"] == harness.clock()
    leave(harness, "a2")
    assert events(harness)[-1]["seq"] == later["seq"] + 1
    rows = harness.stores.rows(LOG, conversation_id=ALICES)
    assert all(row["ttl"] == (row["created_at"] + PASSING_MS) // 1_000 for row in rows)


def test_who_stays_for_longer_than_the_log_is_told_to_leave(harness: PresenceHarness) -> None:
    harness.come("a1")
    for row in harness.stores.rows(LOG, conversation_id=ALICES):
        harness.stores.drop(LOG, {name: row[name] for name in ("conversation_id", "seq")})
    leave(harness, "a1")
    assert said(harness) == ["offline"]


def test_without_them_no_call_is_made() -> None:
    def calls_of(harness: PresenceHarness) -> list[str]:
        harness.come("a1")
        leave(harness, "a1")
        return harness.stores.calls.made

    off, on = calls_of(PresenceHarness()), calls_of(told_team(PresenceHarness()))
    assert not [call for call in off if "log" in call]
    assert [call for call in on if "log" in call] == ["Query log", "PutItem log", "Query log"] * 2
    assert len(on) - len(off) == 10  # and the session, with each look at the log


def test_a_webhook_is_told_of_all_that_came_since_it_was_made(harness: PresenceHarness) -> None:
    harness.come("a0")
    leave(harness, "a0")
    harness.clock.advance(1_000)
    stores, clock, receiver = harness.stores, FakeClock(harness.clock()), FakeReceiver()
    errands, began = FakeErrands(clock), len(events(harness))
    out = EventStores(stores.log, stores.webhooks, stores.cursors)
    services = EventServices(errands, FakeGivenUp(), receiver, outgoing, trial_event, FakeObserver())
    stores.webhooks.make(Webhook("crm", "https://x.example.com", harness.clock(), ("whsec_c2VjcmV0",)))
    harness.come("a1")
    leave(harness, "a1")
    announce({ALICES: events(harness)[-1]["seq"]}, stores=out, errands=errands)  # of one batch the last place
    while (body := errands.due()) is not None:
        run_errand(
            errand_from(json.loads(body)), stores=out, services=services, context=make_context(clock, FakeNonces())
        )
    assert receiver.ids == [event["id"] for event in events(harness)[began:]]
    assert len(receiver.ids) == 2


def test_an_erasure_takes_them_and_how_far_they_are_told(harness: PresenceHarness) -> None:
    harness.come("a1")
    harness.stores.cursors.rewind(Cursor("crm", ALICES, 1, 1))
    walked = {table: harness.stores.walks.page(table, "alice", after=None).found for table in (LOG, MEMBERS)}
    assert [one.key["conversation_id"] for one in walked[LOG] if one.is_theirs and not one.line] == [ALICES]
    assert [one for one in walked[MEMBERS] if one.key["sk"] == ALICES and one.is_theirs]
    assert not [one for one in harness.stores.walks.page(LOG, "bob", after=None).found if one.is_theirs]


def test_connections_of_one_user_say_nothing_of_another(harness: PresenceHarness) -> None:
    harness.stores.sessions.register(Connection("c1", "carol", "", NOW, NOW + 1_000, 0), limit=5)
    note_transition("carol", stores=harness.stores, now=NOW)
    assert said(harness) == []
    assert len(harness.stores.entries(transitions_id("carol"))) == 1
