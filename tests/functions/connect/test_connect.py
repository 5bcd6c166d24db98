"""$connect: registers who was let in, tells those who watch them, and answers only handshakes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from functions.connect.handler import connect
from shared.domain.connections import EVICTED, Gone
from shared.errors import Unavailable
from shared.wire.events import encode_plainly
from tests.functions.events import HOUR, NOW, authorizer_of, websocket_event
from tests.harness import Harness
from tests.stores import SESSIONS


def connect_event(connection_id: str = "a1=", event_type: str = "CONNECT") -> dict[str, object]:
    return websocket_event(event_type, "$connect", connection_id=connection_id, authorizer=authorizer_of("alice"))


@dataclass
class ConnectHarness(Harness):
    """Alice and Bob have a private conversation; Bob's connection watches Alice."""

    def __post_init__(self) -> None:
        for sender in ("alice", "bob"):
            self.stores.write(sender, "hi")
        self.stores.connect("bob", "b1=", at=NOW)
        self.stores.watches.replace("bob", "b1=", ["alice"], expires_at=NOW + HOUR)

    def handshake(self, event: dict[str, object]) -> dict[str, Any]:
        return connect(event, self.wiring.connect, now=lambda: NOW)

    def told(self) -> list[dict[str, Any]]:
        return self.events("b1=")


@pytest.fixture
def harness() -> ConnectHarness:
    return ConnectHarness()


def test_a_handshake_is_registered_with_its_device(harness: ConnectHarness) -> None:
    assert harness.handshake(connect_event())["statusCode"] == 200
    (connection,) = harness.stores.connections("alice").values()
    assert (connection.connection_id, connection.device_id, connection.connected_at) == ("a1=", "phone", NOW)
    assert harness.stores.calls.writes(SESSIONS) == 2  # to a session, and as there is none, of one


def test_those_who_watch_are_told_once_that_the_user_is_online(harness: ConnectHarness) -> None:
    for connection_id in ("a1=", "a2="):
        harness.handshake(connect_event(connection_id))
    assert harness.told() == [
        {"type": "presence", "user_id": "alice", "status": "online", "last_seen": None, "timestamp": NOW}
    ]


def test_a_connection_stands_whether_or_not_its_watchers_can_be_told(harness: ConnectHarness) -> None:

    def explode(_: str, request: object) -> None:
        if "watch#" in str(request):
            raise RuntimeError("x")

    harness.stores.calls.before = explode
    assert harness.handshake(connect_event())["statusCode"] == 200
    assert set(harness.stores.connections("alice")) == {"a1="}


@pytest.mark.parametrize(
    ("lasts", "is_looked_after"), [(1_000, True), (15 * 60_000, True), (15 * 60_000 + 1, False), (HOUR, False)]
)
def test_the_end_of_a_token_that_ends_soon_is_looked_after(
    harness: ConnectHarness, lasts: int, is_looked_after: bool
) -> None:
    context = authorizer_of("alice", expires_at=NOW + lasts)
    harness.handshake(websocket_event("CONNECT", "$connect", connection_id="a1=", authorizer=context))
    assert harness.checks.scheduled == ([Gone("alice", NOW + lasts)] if is_looked_after else [])


def test_a_connection_stands_whether_or_not_its_end_can_be_looked_after(harness: ConnectHarness) -> None:

    def explode(_: object) -> None:
        raise Unavailable

    harness.checks.schedule = explode  # type: ignore[assignment,method-assign]
    context = authorizer_of("alice", expires_at=NOW + 1_000)
    event = websocket_event("CONNECT", "$connect", connection_id="a1=", authorizer=context)
    assert harness.handshake(event)["statusCode"] == 200


def test_at_the_limit_the_oldest_is_told_and_closed(harness: ConnectHarness) -> None:
    for number in range(3):
        harness.stores.connect("alice", f"c{number}", at=NOW - 100 + number)
    harness.handshake(connect_event("new"))
    assert harness.gateway.closed == ["c0"]
    assert harness.gateway.received("c0") == [encode_plainly(EVICTED)]


def test_a_frame_that_calls_itself_connect_registers_nothing_and_is_answered(harness: ConnectHarness) -> None:
    answer = harness.handshake({**connect_event(event_type="MESSAGE"), "body": '{"type": "$connect", "id": "7"}'})
    reply = json.loads(answer["body"])
    assert (answer["statusCode"], reply["success"], reply["id"], reply["code"]) == (200, False, "7", "unknown_type")
    assert harness.stores.connections("alice") == {}


def test_without_the_authorizers_context_the_handshake_is_refused() -> None:
    assert ConnectHarness().handshake(websocket_event("CONNECT", "$connect"))["statusCode"] == 401


def test_a_fault_of_ours_is_a_clean_refusal(harness: ConnectHarness) -> None:

    def explode(*_: object) -> None:
        raise RuntimeError("x")

    harness.stores.calls.before = explode
    assert harness.handshake(connect_event()) == {"statusCode": 500, "body": ""}
