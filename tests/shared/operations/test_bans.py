"""Keeping users out: bans and revoked tokens, at every way in, and against what is under way."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.bans import FOREVER, Ban
from shared.domain.connections import BANNED, REVOKED, Connection, Identity
from shared.domain.devices import FCM, Device, PushTarget
from shared.errors import BadRequest, Banned, Revoked
from shared.operations.bans import ban_user, check_bars, revoke_tokens, unban_user
from shared.operations.connections import keep_alive, renew
from shared.operations.sessions import open_connection
from shared.wire.events import encode_plainly
from tests.fakes import FakeClock, FakeGateway, FakeNonces
from tests.stepping import Stepper, explore
from tests.stores import Simulated, simulated
from tests.wiring import make_context, rest_services

NOW = FakeClock()()
HOUR = 3_600_000


class World:
    def __init__(self) -> None:
        self.stores: Simulated = simulated()
        self.gateway = FakeGateway()
        self.services = rest_services(self.gateway)
        self.now = NOW
        self.waited: list[int] = []
        self.context = make_context(lambda: self.now, FakeNonces(), wait_ms=self.waited.append)

    def ban(self, until: int = FOREVER) -> int:
        ban = Ban(until, "spam", self.now, "root")
        return ban_user("bob", ban, stores=self.stores, services=self.services, context=self.context)

    def revoke(self, moment: int) -> tuple[int, int]:
        return revoke_tokens("bob", moment, stores=self.stores, services=self.services, context=self.context)

    def open(self, name: str = "b1", *, issued_at: int = 0, at: int | None = None) -> Connection:
        at = self.now if at is None else at
        connection = Connection(name, "bob", "", at, at + HOUR, at + HOUR, issued_at=issued_at)
        open_connection(connection, limit=3, stores=self.stores, services=self.services, now=at)
        return connection

    def check(self, issued_at: int = 0) -> None:
        check_bars(Identity("bob", NOW + HOUR, issued_at=issued_at), stores=self.stores, now=self.now)

    def live(self) -> set[str]:
        return set(self.stores.connections("bob"))


@pytest.fixture
def world() -> World:
    return World()


def test_a_ban_closes_what_is_open_and_lets_nothing_in(world: World) -> None:
    world.open("b1")
    world.open("b2")
    assert world.ban() == 2
    assert sorted(world.gateway.posts) == [("b1", encode_plainly(BANNED)), ("b2", encode_plainly(BANNED))]
    assert world.live() == set()
    for refused in (lambda: world.open("b3"), world.check):
        with pytest.raises(Banned) as told:
            refused()
        assert told.value.until is None
    assert world.live() == set()


def test_somebody_unknown_can_be_banned_and_a_ban_again_is_the_last_one(world: World) -> None:
    assert world.ban() == 0
    world.ban(NOW + HOUR)
    with pytest.raises(Banned) as told:
        world.open()
    assert told.value.until == NOW + HOUR


def test_a_ban_ends_by_itself_and_by_being_lifted(world: World) -> None:
    world.ban(NOW + HOUR)
    world.now = NOW + HOUR
    world.check()
    world.open("b1")
    world.ban()
    unban_user("bob", stores=world.stores, context=world.context)
    unban_user("bob", stores=world.stores, context=world.context)
    world.check()
    world.open("b2")
    assert world.live() == {"b2"}


@pytest.mark.parametrize("until", [0, NOW - 1, NOW])
def test_a_ban_that_has_ended_is_refused_and_changes_nothing(world: World, until: int) -> None:
    world.open()
    with pytest.raises(BadRequest):
        world.ban(until)
    assert world.live() == {"b1"}
    world.check()


def test_a_user_at_the_limit_is_told_of_the_ban_and_loses_nobody(world: World) -> None:
    for name in ("b1", "b2", "b3"):
        world.open(name)
    world.stores.sessions.ban("bob", Ban(FOREVER, "", NOW, "root"))
    with pytest.raises(Banned):
        world.open("b4")
    assert world.live() == {"b1", "b2", "b3"}


def test_whoever_was_let_in_as_the_ban_came_is_refused_by_their_first_frame(world: World) -> None:
    """The gateway did not know the connection yet, so that it could not be closed; it is in no session any more."""
    connection = world.open()
    world.ban()
    with pytest.raises(Banned):
        keep_alive(connection, stores=world.stores, services=world.services, context=world.context)
    fresh = Identity("bob", NOW + 2 * HOUR, issued_at=NOW)
    with pytest.raises(Banned):
        renew(connection, fresh, stores=world.stores, services=world.services, context=world.context)
    assert world.live() == set()


def test_a_handshake_that_is_over_only_after_the_ban_is_closed_again_when_it_is(world: World) -> None:
    world.open("young", at=NOW - 1_000)
    world.ban()
    assert world.waited == [1_000, 4_000]
    assert world.gateway.closed == ["young", "young"]


def test_revoking_closes_what_older_tokens_opened_and_no_other(world: World) -> None:
    world.open("old", issued_at=NOW - 2)
    world.open("unknown")
    world.open("new", issued_at=NOW - 1)
    assert world.revoke(NOW - 1) == (NOW - 1, 2)
    assert sorted(world.gateway.posts) == [("old", encode_plainly(REVOKED)), ("unknown", encode_plainly(REVOKED))]
    assert world.live() == {"new"}
    world.check(NOW - 1)
    world.open("newer", issued_at=NOW - 1)
    for refused in (lambda: world.check(NOW - 2), lambda: world.open("again", issued_at=NOW - 2)):
        with pytest.raises(Revoked) as told:
            refused()
        assert (told.value.code, told.value.status) == ("unauthenticated", 401)


def test_the_latest_moment_counts_and_none_is_in_the_future(world: World) -> None:
    assert world.revoke(NOW) == (NOW, 0)
    assert world.revoke(NOW - HOUR) == (NOW, 0)
    with pytest.raises(BadRequest):
        world.revoke(NOW + HOUR)
    with pytest.raises(Revoked):
        world.check(NOW - 1)


def test_a_revoked_token_does_not_prolong_a_connection(world: World) -> None:
    connection = world.open(issued_at=NOW)
    world.revoke(NOW)
    old, new = (Identity("bob", NOW + 2 * HOUR, issued_at=at) for at in (NOW - 1, NOW))
    with pytest.raises(Revoked):
        renew(connection, old, stores=world.stores, services=world.services, context=world.context)
    renewed = renew(connection, new, stores=world.stores, services=world.services, context=world.context)
    assert renewed.authenticated_until == NOW + 2 * HOUR


def test_a_connection_that_has_shown_a_newer_token_stays(world: World) -> None:
    connection = world.open(issued_at=NOW - HOUR)
    fresh = Identity("bob", NOW + 2 * HOUR, issued_at=NOW)
    renew(connection, fresh, stores=world.stores, services=world.services, context=world.context)
    assert world.revoke(NOW) == (NOW, 0)
    assert world.live() == {"b1"}


def test_nothing_is_pushed_any_more_to_who_is_banned_or_to_what_was_registered_before(world: World) -> None:
    for name, at in (("old", NOW - 1), ("new", NOW)):
        world.stores.devices.register("bob", Device(name, PushTarget(FCM, name), registered_at=at), limit=5)
    world.revoke(NOW)
    assert [one.device_id for one in world.stores.devices.of(["bob"])["bob"]] == ["new"]
    world.ban()
    assert not world.stores.devices.of(["bob"]).get("bob")


class Race:
    """A handshake beside what keeps its user out; `refused` is whether it was told so."""

    def __init__(self, stepper: Stepper, *, bans: bool) -> None:
        self.world = World()
        self.world.open("before", issued_at=NOW - 1)
        self.refused = False
        self.bans = bans
        self.stores = self.world.stores.stepped(stepper, sessions=())
        self.services = rest_services(stepper.wrap(self.world.gateway))
        stepper.add(self.dial)
        stepper.add(self.keep_out)

    def dial(self) -> None:
        connection = Connection("during", "bob", "", NOW, NOW + HOUR, NOW + HOUR, issued_at=NOW - 1)
        try:
            open_connection(connection, limit=3, stores=self.stores, services=self.services, now=NOW)
        except (Banned, Revoked):
            self.refused = True

    def keep_out(self) -> None:
        parts: Any = {"stores": self.stores, "services": self.services, "context": self.world.context}
        if self.bans:
            ban_user("bob", Ban(FOREVER, "", NOW, "root"), **parts)
        else:
            revoke_tokens("bob", NOW, **parts)


@pytest.mark.parametrize("bans", [True, False])
def test_a_handshake_at_the_same_time_is_refused_or_closed_in_every_order(bans: bool) -> None:
    seen = set()
    for race in explore(lambda stepper: Race(stepper, bans=bans)):
        assert race.world.live() == set()
        assert "before" in race.world.gateway.closed
        assert race.refused != ("during" in race.world.gateway.closed)
        seen.add(race.refused)
    assert seen == {True, False}
