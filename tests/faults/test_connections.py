"""Connections that end, hang, come late or never quite come; and posts that go wrong for one of several."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import unquote

import pytest

from shared.adapters.aws import transport as http
from shared.adapters.aws.calls import ApiGatewayConnections
from tests.calls import Unslept
from tests.faults.beginning import (
    ALICE,
    ALICES_TABLET,
    BOB,
    DAVE,
    DM,
    connections,
    done,
    heard,
    new_harness,
    said,
    template,
)
from tests.faults.harness import FaultHarness
from tests.faults.invariants import check
from tests.faults.operations import frame, stored
from tests.faults.scenes import BOBS, CAROLS_PHONE, TO_BOB, bob_is_offline, dial, long_away
from tests.faults.services import NOWHERE, Connections
from tests.shared.adapters.aws.servers import Received, Reply, ScriptedServer, reply

HOUR = 3_600_000
GONE = {410}


@contextmanager
def real_gateway(harness: FaultHarness, script: Callable[[str, Received], Reply]) -> Iterator[set[str]]:
    """The real adapter against a real server, which answers for each connection. Gives the posts that it has taken."""
    taken: set[str] = set()

    def answer(received: Received) -> Reply:
        connection_id = unquote(received.path.rpartition("/")[2])
        given = script(connection_id, received)
        if given.data.startswith(b"HTTP/1.1 200"):
            taken.add(connection_id)
        return given

    with ScriptedServer(answer) as server:
        adapter = ApiGatewayConnections(server.url, NOWHERE, deadline=Unslept())
        harness.wire(adapter)
        yield taken
        while adapter._pool._idle:
            adapter._pool._idle.pop().close()
    harness.wire(Connections(harness.gateway, harness.steps))


@pytest.mark.parametrize("at", range(2))
@pytest.mark.parametrize("answer", [410, 400, 403, 413, 429, 500, 503, "reset", "close", "hang"])
def test_one_recipients_trouble_is_nobody_elses(answer: int | str, at: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is gone is forgotten, one in trouble stays; both users are pushed to, for they acknowledge nothing."""
    monkeypatch.setattr(http, "READ_TIMEOUT_S", 0.2)
    harness = new_harness()
    troubled = (BOB, ALICES_TABLET)[at]

    def script(connection_id: str, _: Received) -> Reply:
        if connection_id != troubled:
            return reply()
        return reply(answer) if isinstance(answer, int) else Reply(then=cast("Any", answer))

    with real_gateway(harness, script) as taken:
        sent = done(harness.say(ALICE, said("crew!", after=3, conversation_id=template().crew)))
    assert (sent["seq"], sent["duplicate"]) == (4, False)
    assert taken == {BOB, ALICES_TABLET} - {troubled}
    user = troubled.rstrip("1")
    assert (troubled in connections(harness, user)) == (answer not in GONE)
    harness.settle()
    stored("{t.crew}", "crew!", pushed=(BOBS, CAROLS_PHONE))(harness)


def test_a_half_open_connection_gets_it_again_and_its_user_is_pushed_to(harness: FaultHarness) -> None:
    """The gateway takes posts for it and nothing arrives: no acknowledgement comes, and that is what counts."""
    TO_BOB(harness)
    assert len(heard(harness, BOB, "new_message", seq=4)) == 1
    harness.settle()
    assert len(heard(harness, BOB, "new_message", seq=4)) == 2
    stored(DM, "hello", pushed=(BOBS,))(harness)


def test_whoever_acknowledges_gets_it_once_and_no_push(harness: FaultHarness) -> None:
    TO_BOB(harness)
    frame(BOB, "delivered", conversation_id=DM, seq=4)(harness)
    harness.settle()
    assert len(heard(harness, BOB, "new_message", seq=4)) == 1
    stored(DM, "hello")(harness)


def test_a_late_goodbye_of_the_old_connection_ends_nothing_of_the_new_one(harness: FaultHarness) -> None:
    harness.gateway.open.pop(BOB)
    assert harness.dial("bob11") == 200
    for _ in range(2):
        assert harness.hang_up(BOB) == 200
    harness.settle()
    check(harness)
    assert connections(harness, "bob") == {"bob11"}
    TO_BOB(harness)
    assert heard(harness, "bob11", "new_message", seq=4)


def test_a_goodbye_that_never_came_is_found_out_by_the_next_post(harness: FaultHarness) -> None:
    frame(ALICE, "presence", users=["bob"])(harness)
    harness.gateway.open.pop(BOB)
    TO_BOB(harness)
    harness.settle()
    bob_is_offline(harness)
    assert heard(harness, ALICE, "presence", user_id="bob", status="offline")
    stored(DM, "hello", pushed=(BOBS,))(harness)


def test_a_goodbye_that_never_came_is_over_with_the_heartbeat_though_nobody_posts(harness: FaultHarness) -> None:
    frame(BOB, "ping")(harness)
    harness.gateway.open.pop(BOB)
    harness.clock.advance(12 * 60_000)
    shown = frame(ALICE, "presence", users=["bob"])(harness)["users"]
    assert [one["status"] for one in shown] == ["offline"]


def test_a_handshake_that_was_refused_leaves_a_registration_that_the_first_post_takes_away(
    harness: FaultHarness,
) -> None:
    """$connect died after its write: the client is told no, and the session says that it is there."""
    assert harness.dial("bob11") == 200
    harness.gateway.open.pop("bob11")
    harness.clock.advance(6_000)
    TO_BOB(harness)
    assert connections(harness, "bob") == {BOB}
    assert heard(harness, BOB, "new_message", seq=4)
    check(harness)


def test_ghosts_of_refused_handshakes_cost_nobody_their_messages(harness: FaultHarness) -> None:
    """At the limit they push out the oldest, which is told so and comes back."""
    for number in range(2, 5):
        harness.clock.advance(1_000)
        assert harness.dial("bob" + "1" * number) == 200
        harness.gateway.open.pop("bob" + "1" * number)
    assert heard(harness, BOB, "disconnect")
    harness.clock.advance(6_000)
    assert harness.dial("bob11111") == 200
    TO_BOB(harness)
    assert heard(harness, "bob11111", "new_message", seq=4)


def test_after_two_hours_the_gateway_hangs_up_and_a_new_connection_misses_nothing(harness: FaultHarness) -> None:
    """The token lives longer than a connection may."""
    long_lived = {"expires_at": harness.clock() + 5 * HOUR}
    harness.say(BOB, {"type": "auth", "token": harness.token("bob", lives_s=5 * 3_600)}, **long_lived)
    harness.clock.advance(2 * HOUR)
    harness.gateway.open.clear()
    assert harness.dial(ALICE + "1111") == 200
    done(harness.say(ALICE + "1111", said("meanwhile", after=3, to="bob"), connected_at=harness.clock(), **long_lived))
    harness.settle()
    stored(DM, "meanwhile", pushed=(BOBS,))(harness)
    assert harness.dial("bob11") == 200
    synced = harness.say("bob11", {"type": "sync", "conversations": {DM: 3}}, **long_lived)["data"]["conversations"]
    (one,) = (one for one in synced if one["id"] == DM)
    assert [entry["seq"] for entry in one["entries"]] == [4]
    check(harness)


def test_of_a_token_that_expires_every_instance_knows_without_being_told(harness: FaultHarness) -> None:
    harness.clock.advance(HOUR)
    for _ in range(2):
        harness.cold()
        refused = harness.say(ALICE, said("late", after=3, to="bob"), expires_at=harness.clock())
        assert refused["code"] == "token_expired"
    check(harness)
    done(harness.say(ALICE, said("in time", after=3, to="bob"), expires_at=harness.clock() + 1))


def test_a_fresh_token_counts_for_an_instance_that_has_never_seen_it(harness: FaultHarness) -> None:
    soon = {"expires_at": harness.clock() + 1_000}
    done(harness.say(ALICE, {"type": "auth", "token": harness.token("alice")}, **soon))
    harness.clock.advance(2_000)
    harness.cold()
    done(harness.say(ALICE, said("still here", after=3, to="bob"), **soon))
    check(harness)


def test_watchers_are_told_once_of_a_coming_and_once_of_a_going(harness: FaultHarness) -> None:
    long_away(harness)
    dial(harness)
    assert len(heard(harness, BOB, "presence", user_id="alice", status="online")) == 1
    harness.hang_up("alice111")
    harness.settle()
    assert len(heard(harness, BOB, "presence", user_id="alice", status="offline")) == 1
    assert heard(harness, DAVE, "presence") == []
