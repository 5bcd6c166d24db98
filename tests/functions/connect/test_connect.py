"""$connect: registers who was let in, and answers only handshakes."""

from __future__ import annotations

import json

from functions.connect.handler import connect
from tests.fakes import FakeGateway, FakeSessions
from tests.functions.events import NOW, authorizer_of, websocket_event


def connect_event(connection_id: str = "a1=", event_type: str = "CONNECT") -> dict[str, object]:
    return websocket_event(event_type, "$connect", connection_id=connection_id, authorizer=authorizer_of("alice"))


def test_a_handshake_is_registered_with_its_device() -> None:
    sessions = FakeSessions()
    assert connect(connect_event(), sessions=sessions, gateway=FakeGateway(), limit=3, now=NOW)["statusCode"] == 200
    (connection,) = sessions.connections["alice"].values()
    assert (connection.connection_id, connection.device_id, connection.connected_at) == ("a1=", "phone", NOW)
    assert sessions.writes == 1


def test_at_the_limit_the_oldest_is_told_and_closed() -> None:
    sessions, gateway = FakeSessions(), FakeGateway()
    for number in range(3):
        sessions.connect("alice", f"c{number}", at=NOW - 100 + number)
    connect(connect_event("new"), sessions=sessions, gateway=gateway, limit=3, now=NOW)
    assert gateway.closed == ["c0"]
    assert gateway.received("c0") == [b'{"type": "disconnect", "code": "connection_limit", "reconnect": false}']


def test_a_frame_that_calls_itself_connect_registers_nothing_and_is_answered() -> None:
    sessions = FakeSessions()
    event = {**connect_event(event_type="MESSAGE"), "body": '{"type": "$connect", "id": "7"}'}
    answer = connect(event, sessions=sessions, gateway=FakeGateway(), limit=3, now=NOW)
    reply = json.loads(answer["body"])
    assert (answer["statusCode"], reply["success"], reply["id"], reply["code"]) == (200, False, "7", "unknown_type")
    assert sessions.connections == {}


def test_without_the_authorizers_context_the_handshake_is_refused() -> None:
    event = websocket_event("CONNECT", "$connect")
    answer = connect(event, sessions=FakeSessions(), gateway=FakeGateway(), limit=3, now=NOW)
    assert answer["statusCode"] == 401


def test_a_fault_of_ours_is_a_clean_refusal() -> None:
    sessions = FakeSessions()

    def explode(_: object) -> None:
        raise RuntimeError("x")

    sessions.before_register = explode
    answer = connect(connect_event(), sessions=sessions, gateway=FakeGateway(), limit=3, now=NOW)
    assert answer == {"statusCode": 500, "body": ""}
