"""Closing every connection of a user: each is told why, and none is left."""

from __future__ import annotations

from shared.domain.connections import REVOKED, Connection
from shared.operations.connections import ensure_registered, keep_alive
from shared.operations.sessions import close_all
from shared.wire.events import encode_plainly
from tests.fakes import FakeClock, FakeGateway, FakeNonces
from tests.stores import Simulated, simulated
from tests.wiring import make_context, rest_services

NOW = FakeClock()()

BYE = encode_plainly(REVOKED)


def test_the_living_are_told_and_all_are_closed() -> None:
    stores, gateway = simulated(), FakeGateway()
    stores.connect("alice", "a1", at=NOW)
    stores.connect("alice", "a2", at=NOW)
    stores.connect("alice", "stale", at=1, expires_at=NOW)
    stores.connect("bob", "b1", at=NOW)
    assert close_all("alice", stores=stores, services=rest_services(gateway), now=NOW) == 2
    assert sorted(gateway.posts) == [("a1", BYE), ("a2", BYE)]
    assert sorted(gateway.closed) == ["a1", "a2", "stale"]
    assert (stores.connections("alice"), set(stores.connections("bob"))) == ({}, {"b1"})
    assert close_all("alice", stores=stores, services=rest_services(gateway), now=NOW) == 0
    assert close_all("nobody", stores=stores, services=rest_services(gateway), now=NOW) == 0


def test_a_fresh_token_lengthens_a_connections_life_and_an_old_one_never_shortens_it() -> None:
    connection = Connection("c1", "alice", "", NOW, NOW + 60_000, NOW + 60_000)
    longer = connection.extended(NOW + 600_000)
    assert (longer.expires_at, longer.authenticated_until) == (NOW + 600_000, NOW + 600_000)
    assert longer.extended(NOW + 1) == longer


def test_a_ping_from_where_the_fresh_token_is_not_known_does_not_undo_it(stores: Simulated) -> None:
    old = Connection("c1", "alice", "", NOW, NOW + 60_000, NOW + 60_000)
    stores.sessions.register(old.extended(NOW + 600_000), limit=1)
    context = make_context(lambda: NOW + 50_000, FakeNonces())
    keep_alive(old, stores=stores, services=rest_services(), context=context)
    stored = stores.connections("alice")["c1"]
    assert (stored.expires_at, stored.authenticated_until) == (NOW + 600_000, NOW + 600_000)


def test_a_speaking_connection_with_a_fresh_token_is_not_registered_as_about_to_expire() -> None:
    old = Connection("c1", "alice", "", NOW, NOW + 60_000, NOW + 60_000)
    stores = simulated()
    context = make_context(lambda: NOW + 59_000, FakeNonces())
    known = {"alice": [old.extended(NOW + 7_000_000)]}
    ensure_registered(old, known, stores=stores, services=rest_services(), context=context)
    assert stores.calls.made == []
