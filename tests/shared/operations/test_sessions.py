"""Opening, keeping and closing connections: the limit holds, and every transition is seen exactly once."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from shared.domain.connections import (
    EVICTED,
    HEARTBEAT_WINDOW_MS,
    MAX_LIFETIME_MS,
    Connection,
    Identity,
    opened,
)
from shared.errors import Unavailable
from shared.operations.connections import ensure_registered, keep_alive
from shared.operations.sessions import Opened, close_connection, open_connection
from shared.ports.stores import SessionStores
from shared.wire.events import encode_plainly
from tests.fakes import FakeClock, FakeGateway, FakeNonces
from tests.stepping import Stepper, explore
from tests.stores import SESSIONS, Simulated, simulated
from tests.wiring import make_context, rest_services

NOW = FakeClock()()
NEVER = NOW + 10 * MAX_LIFETIME_MS


def open_one(
    stores: Simulated, name: str, *, at: int = NOW, limit: int = 2, gateway: FakeGateway | None = None
) -> Opened:
    connection = opened(name, Identity("alice", NEVER), device_id="phone", connected_at=at)
    services = rest_services(gateway)
    return open_connection(connection, limit=limit, stores=stores, services=services, now=at)


def names(stores: Simulated) -> set[str]:
    return set(stores.connections("alice"))


def test_the_first_connection_comes_online_and_the_second_does_not(stores: Simulated) -> None:
    assert open_one(stores, "c1").came_online
    assert not open_one(stores, "c2").came_online


def test_a_stale_connection_is_nobody_online(stores: Simulated) -> None:
    open_one(stores, "c1")
    assert open_one(stores, "c2", at=NOW + MAX_LIFETIME_MS).came_online


def test_at_the_limit_the_oldest_is_told_why_and_closed() -> None:
    stores, gateway = simulated(), FakeGateway()
    for number, name in enumerate(("c1", "c2")):
        open_one(stores, name, at=NOW + number)
    result = open_one(stores, "c3", at=NOW + 5, gateway=gateway)
    assert [one.connection_id for one in result.evicted] == ["c1"]
    assert (gateway.posts, gateway.closed) == ([("c1", encode_plainly(EVICTED))], ["c1"])
    assert names(stores) == {"c2", "c3"}


def test_at_the_limit_stale_ones_go_before_the_living() -> None:
    stores, gateway = simulated(), FakeGateway()
    stores.connect("alice", "stale", at=NOW - 10, expires_at=NOW)
    stores.connect("alice", "old", at=NOW - 100)
    result = open_one(stores, "new", gateway=gateway)
    assert (list(result.evicted), gateway.closed) == ([], [])
    assert names(stores) == {"old", "new"}


def test_a_lowered_limit_is_reached_at_the_next_opening(stores: Simulated) -> None:
    for number in range(5):
        stores.connect("alice", f"c{number}", at=NOW + number)
    open_one(stores, "new", limit=2)
    assert names(stores) == {"c4", "new"}


def test_who_changes_the_session_meanwhile_makes_opening_look_again(stores: Simulated) -> None:
    for name in ("c1", "c2"):
        open_one(stores, name)
    sneaked: list[str] = []

    def sneak(*_: object) -> None:
        if not sneaked:
            sneaked.append("x")
            stores.sessions.remove("alice", "c1", now=NOW)
            stores.connect("alice", "x", at=NOW + 1)

    stores.calls.before = sneak
    open_one(stores, "new")
    assert names(stores) <= {"c2", "x", "new"}
    assert len(names(stores)) == 2


def test_a_session_that_never_stands_still_is_given_up(stores: Simulated) -> None:
    counter = iter(range(1_000))

    def churn(*_: object) -> None:
        for name in names(stores):
            stores.sessions.remove("alice", name, now=NOW)
        for number in range(2):
            stores.connect("alice", f"x{next(counter)}", at=NOW + number)

    stores.calls.before = churn
    with pytest.raises(Unavailable):
        open_one(stores, "new")


def test_racing_openings_and_closings_see_each_transition_once_in_every_interleaving() -> None:
    def build(stepper: Stepper) -> tuple[Simulated, list[str]]:
        stores = simulated()
        port, events = stepper.wrap(stores.sessions), list[str]()

        def come_and_go(name: str) -> None:
            connection = opened(name, Identity("alice", NEVER), device_id="", connected_at=NOW)
            watched = replace(stores, sessions=port)
            result = open_connection(connection, limit=5, stores=watched, services=rest_services(), now=NOW)
            events.append("online" if result.came_online else "")
            closed = close_connection("alice", name, stores=SessionStores(port), now=NOW)
            events.append("offline" if closed else "")

        for name in ("c1", "c2", "c3"):
            stepper.add(partial(come_and_go, name))
        return stores, events

    tried = 0
    for stores, events in explore(build):
        tried += 1
        assert names(stores) == set()
        transitions = [event for event in events if event]
        assert transitions[:2] == ["online", "offline"]
        assert transitions == ["online", "offline"] * (len(transitions) // 2)
    assert tried > 50


def test_a_first_registration_whose_answer_was_lost_is_told_by_its_repetition_though_others_came_in_between(
    stores: Simulated,
) -> None:
    first = opened("c1", Identity("alice", NEVER), device_id="phone", connected_at=NOW)
    stores.sessions.register(first, limit=2)  # the answer is lost
    assert not open_one(stores, "c2").announce
    assert open_one(stores, "c1").announce


def test_a_connection_that_is_registered_again_later_is_no_news_beside_others(stores: Simulated) -> None:
    assert open_one(stores, "c1").announce
    assert not open_one(stores, "c2").announce
    again = opened("c1", Identity("alice", NEVER), device_id="phone", connected_at=NOW)
    later = NOW + HEARTBEAT_WINDOW_MS // 2
    result = open_connection(again, limit=2, stores=stores, services=rest_services(), now=later)
    assert not result.announce


def test_a_late_close_removes_its_own_connection_only(stores: Simulated) -> None:
    open_one(stores, "old")
    open_one(stores, "new")
    assert not close_connection("alice", "old", stores=stores, now=NOW)
    assert not close_connection("alice", "old", stores=stores, now=NOW)
    assert names(stores) == {"new"}
    assert close_connection("alice", "new", stores=stores, now=NOW)


def test_the_end_of_a_connection_whose_token_had_ended_is_one_as_long_as_nobody_was_told(stores: Simulated) -> None:
    stores.connect("alice", "stale", at=NOW - 10, expires_at=NOW)
    assert close_connection("alice", "stale", stores=stores, now=NOW)
    assert close_connection("alice", "stale", stores=stores, now=NOW + 1)
    assert stores.sessions.show_offline("alice", stores.session("alice"))
    assert not close_connection("alice", "stale", stores=stores, now=NOW + 2)


def test_a_connection_that_nobody_knows_ends_unnoticed() -> None:
    assert not close_connection("alice", "never", stores=simulated(), now=NOW)


def test_a_ping_is_one_write_and_bounds_the_connection_by_the_heartbeat(stores: Simulated) -> None:
    open_one(stores, "c1")
    before = stores.calls.writes(SESSIONS)
    connection = opened("c1", Identity("alice", NEVER), device_id="phone", connected_at=NOW)
    later = NOW + 60_000
    context = make_context(lambda: later, FakeNonces())
    keep_alive(connection, stores=stores, services=rest_services(), context=context)
    assert stores.connections("alice")["c1"].expires_at == later + HEARTBEAT_WINDOW_MS
    assert stores.calls.writes(SESSIONS) - before == 1


def test_no_connection_outlives_its_token() -> None:
    connection = opened("c1", Identity("alice", NOW + 60_000), device_id="", connected_at=NOW)
    assert connection.expires_at == NOW + 60_000
    assert connection.heard_from(NOW + 30_000).expires_at == NOW + 60_000


def test_no_heartbeat_outlives_the_gateways_two_hours() -> None:
    connection = opened("c1", Identity("alice", NEVER), device_id="", connected_at=NOW)
    assert connection.heard_from(NOW + MAX_LIFETIME_MS - 1).expires_at == NOW + MAX_LIFETIME_MS


@pytest.mark.parametrize(
    ("expires_in", "writes"),
    [(None, 2), (MAX_LIFETIME_MS, 0), (HEARTBEAT_WINDOW_MS // 2 + 1, 0), (HEARTBEAT_WINDOW_MS // 2 - 1, 1), (-5, 1)],
)
def test_a_speaking_connection_is_registered_again_only_where_it_is_missing_or_about_to_expire(
    expires_in: int | None, writes: int
) -> None:
    connection = opened("c1", Identity("alice", NEVER), device_id="", connected_at=NOW)
    stores = simulated()
    if expires_in is not None:
        stores.sessions.register(Connection("c1", "alice", "", NOW, NOW + expires_in), limit=2)
    known, before = {"alice": list(stores.connections("alice").values())}, stores.calls.writes(SESSIONS)
    context = make_context(lambda: NOW, FakeNonces())
    ensure_registered(connection, known, stores=stores, services=rest_services(), context=context)
    assert stores.calls.writes(SESSIONS) - before == writes
    assert stores.connections("alice")["c1"].is_live(NOW + 60_000)
