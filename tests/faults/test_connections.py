"""Connections that end, hang, come late or never quite come; and posts that go wrong for one of several."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import unquote

import pytest

from shared.adapters.aws import transport as http
from shared.adapters.aws.apigateway import ApiGatewayConnections
from shared.adapters.aws.parallel_map import ThreadedMap
from tests.calls import Unslept
from tests.faults.house import House
from tests.faults.invariants import check
from tests.faults.operations import frame, stored
from tests.faults.scenes import BOBS, CAROLS_PHONE, TO_BOB, bob_is_offline, dial, long_away
from tests.faults.services import NOWHERE, Connections
from tests.faults.world import ALICE, ALICES_TABLET, BOB, DAVE, DM, connections, done, heard, new_house, said, template
from tests.shared.adapters.aws.servers import Received, Reply, ScriptedServer, reply

HOUR = 3_600_000
GONE = {400, 410}


@contextmanager
def real_gateway(house: House, script: Callable[[str, Received], Reply]) -> Iterator[set[str]]:
    """The real adapter against a real server, which answers for each connection. Gives the posts that it has taken."""
    taken: set[str] = set()

    def answer(received: Received) -> Reply:
        connection_id = unquote(received.path.rpartition("/")[2])
        given = script(connection_id, received)
        if given.data.startswith(b"HTTP/1.1 200"):
            taken.add(connection_id)
        return given

    with ScriptedServer(answer) as server:
        parallel_map = ThreadedMap(8)
        adapter = ApiGatewayConnections(server.url, NOWHERE, parallel_map=parallel_map, deadline=Unslept())
        house.wire(adapter)
        yield taken
        parallel_map._threads.shutdown()
        while adapter._pool._idle:
            adapter._pool._idle.pop().close()
    house.wire(Connections(house.gateway, house.steps))


@pytest.mark.parametrize("at", range(2))
@pytest.mark.parametrize("answer", [410, 400, 403, 413, 429, 500, 503, "reset", "close", "hang"])
def test_one_recipients_trouble_is_nobody_elses(answer: int | str, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is gone is forgotten, whoever is in trouble stays, and both are pushed to: they acknowledge nothing."""
    monkeypatch.setattr(http, "READ_TIMEOUT_S", 0.2)
    house = new_house()
    troubled = (BOB, ALICES_TABLET)[at]

    def script(connection_id: str, _: Received) -> Reply:
        if connection_id != troubled:
            return reply()
        return reply(answer) if isinstance(answer, int) else Reply(then=cast("Any", answer))

    with real_gateway(house, script) as taken:
        sent = done(house.say(ALICE, said("crew!", after=3, conversation_id=template().crew)))
    assert (sent["seq"], sent["duplicate"]) == (4, False)
    assert taken == {BOB, ALICES_TABLET} - {troubled}
    user = troubled.rstrip("1")
    assert (troubled in connections(house, user)) == (answer not in GONE)
    house.settle()
    stored("{t.crew}", "crew!", pushed=(BOBS, CAROLS_PHONE))(house)


def test_a_half_open_connection_gets_it_again_and_its_user_is_pushed_to() -> None:
    """The gateway takes posts for it and nothing arrives: nobody acknowledges, and that is what counts."""
    house = new_house()
    TO_BOB(house)
    assert len(heard(house, BOB, "new_message", seq=4)) == 1
    house.settle()
    assert len(heard(house, BOB, "new_message", seq=4)) == 2
    stored(DM, "hello", pushed=(BOBS,))(house)


def test_whoever_acknowledges_gets_it_once_and_no_push() -> None:
    house = new_house()
    TO_BOB(house)
    frame(BOB, "delivered", conversation_id=DM, seq=4)(house)
    house.settle()
    assert len(heard(house, BOB, "new_message", seq=4)) == 1
    stored(DM, "hello")(house)


def test_a_late_goodbye_of_the_old_connection_ends_nothing_of_the_new_one() -> None:
    house = new_house()
    house.gateway.open.pop(BOB)
    assert house.dial("bob11") == 200
    for _ in range(2):
        assert house.hang_up(BOB) == 200
    house.settle()
    check(house)
    assert connections(house, "bob") == {"bob11"}
    TO_BOB(house)
    assert heard(house, "bob11", "new_message", seq=4)


def test_a_goodbye_that_never_came_is_found_out_by_the_next_post() -> None:
    house = new_house()
    frame(ALICE, "presence", users=["bob"])(house)
    house.gateway.open.pop(BOB)
    TO_BOB(house)
    house.settle()
    bob_is_offline(house)
    assert heard(house, ALICE, "presence", user_id="bob", status="offline")
    stored(DM, "hello", pushed=(BOBS,))(house)


def test_a_goodbye_that_never_came_is_over_with_the_heartbeat_though_nobody_posts() -> None:
    house = new_house()
    frame(BOB, "ping")(house)
    house.gateway.open.pop(BOB)
    house.clock.advance(12 * 60_000)
    shown = frame(ALICE, "presence", users=["bob"])(house)["users"]
    assert [one["status"] for one in shown] == ["offline"]


def test_a_handshake_that_was_refused_leaves_a_registration_that_the_first_post_takes_away() -> None:
    """$connect died after its write: the client is told no, and the session says that it is there."""
    house = new_house()
    assert house.dial("bob11") == 200
    house.gateway.open.pop("bob11")
    house.clock.advance(6_000)
    TO_BOB(house)
    assert connections(house, "bob") == {BOB}
    assert heard(house, BOB, "new_message", seq=4)
    check(house)


def test_ghosts_of_refused_handshakes_cost_nobody_their_messages() -> None:
    """At the limit they push out the oldest, which is told so and comes back."""
    house = new_house()
    for number in range(2, 5):
        house.clock.advance(1_000)
        assert house.dial("bob" + "1" * number) == 200
        house.gateway.open.pop("bob" + "1" * number)
    assert heard(house, BOB, "disconnect")
    house.clock.advance(6_000)
    assert house.dial("bob11111") == 200
    TO_BOB(house)
    assert heard(house, "bob11111", "new_message", seq=4)


def test_after_two_hours_the_gateway_hangs_up_and_a_new_connection_misses_nothing() -> None:
    """The token lives longer than a connection may."""
    house = new_house()
    long_lived = {"expires_at": house.clock() + 5 * HOUR}
    house.say(BOB, {"type": "auth", "token": house.token("bob", lives_s=5 * 3_600)}, **long_lived)
    house.clock.advance(2 * HOUR)
    house.gateway.open.clear()
    assert house.dial(ALICE + "1111") == 200
    done(house.say(ALICE + "1111", said("meanwhile", after=3, to="bob"), connected_at=house.clock(), **long_lived))
    house.settle()
    stored(DM, "meanwhile", pushed=(BOBS,))(house)
    assert house.dial("bob11") == 200
    synced = house.say("bob11", {"type": "sync", "conversations": {DM: 3}}, **long_lived)["data"]["conversations"]
    (one,) = (one for one in synced if one["id"] == DM)
    assert [entry["seq"] for entry in one["entries"]] == [4]
    check(house)


def test_of_a_token_that_expires_every_instance_knows_without_being_told() -> None:
    house = new_house()
    house.clock.advance(HOUR)
    for _ in range(2):
        house.cold()
        refused = house.say(ALICE, said("late", after=3, to="bob"), expires_at=house.clock())
        assert refused["code"] == "token_expired"
    check(house)
    done(house.say(ALICE, said("in time", after=3, to="bob"), expires_at=house.clock() + 1))


def test_a_fresh_token_counts_for_an_instance_that_has_never_seen_it() -> None:
    house = new_house()
    soon = {"expires_at": house.clock() + 1_000}
    done(house.say(ALICE, {"type": "auth", "token": house.token("alice")}, **soon))
    house.clock.advance(2_000)
    house.cold()
    done(house.say(ALICE, said("still here", after=3, to="bob"), **soon))
    check(house)


def test_watchers_are_told_once_of_a_coming_and_once_of_a_going() -> None:
    house = new_house()
    long_away(house)
    dial(house)
    assert len(heard(house, BOB, "presence", user_id="alice", status="online")) == 1
    house.hang_up("alice111")
    house.settle()
    assert len(heard(house, BOB, "presence", user_id="alice", status="offline")) == 1
    assert heard(house, DAVE, "presence") == []
