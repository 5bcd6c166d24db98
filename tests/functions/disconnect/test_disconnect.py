"""$disconnect: forgets its own connection, whenever it comes."""

from __future__ import annotations

import json

import pytest

from functions.disconnect.handler import disconnect
from tests.fakes import FakeSessions
from tests.functions.events import NOW, authorizer_of, websocket_event


def event(connection_id: str, event_type: str = "DISCONNECT") -> dict[str, object]:
    return websocket_event(event_type, "$disconnect", connection_id=connection_id, authorizer=authorizer_of("alice"))


def test_its_connection_is_forgotten_and_the_others_stay() -> None:
    sessions = FakeSessions()
    sessions.connect("alice", "old", at=NOW)
    sessions.connect("alice", "new", at=NOW)
    assert disconnect(event("old"), sessions=sessions, now=NOW)["statusCode"] == 200
    assert set(sessions.connections["alice"]) == {"new"}


def test_late_and_repeated_calls_change_nothing() -> None:
    sessions = FakeSessions()
    sessions.connect("alice", "new", at=NOW)
    for _ in range(2):
        assert disconnect(event("old"), sessions=sessions, now=NOW)["statusCode"] == 200
    assert set(sessions.connections["alice"]) == {"new"}


@pytest.mark.parametrize("body", ['{"type": "$disconnect"}', '{"type": "$disconnect", "id": 5}', "[]", "", None])
def test_a_frame_that_calls_itself_disconnect_ends_nothing_and_is_answered(body: str | None) -> None:
    sessions = FakeSessions()
    sessions.connect("alice", "a1=", at=NOW)
    answer = disconnect({**event("a1=", "MESSAGE"), "body": body}, sessions=sessions, now=NOW)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (200, "unknown_type")
    assert set(sessions.connections["alice"]) == {"a1="}


def test_without_the_authorizers_context_nothing_is_forgotten() -> None:
    answer = disconnect(websocket_event("DISCONNECT", "$disconnect"), sessions=FakeSessions(), now=NOW)
    assert answer["statusCode"] == 401
