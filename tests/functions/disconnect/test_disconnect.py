"""$disconnect: forgets its own connection, whenever it comes, and has a second look taken after the last."""

from __future__ import annotations

import json

import pytest

from functions.disconnect.handler import disconnect
from shared.domain.connections import Gone
from tests.fakes import FakePresenceChecks
from tests.functions.events import NOW, authorizer_of, websocket_event
from tests.stores import simulated


def event(connection_id: str, event_type: str = "DISCONNECT") -> dict[str, object]:
    return websocket_event(event_type, "$disconnect", connection_id=connection_id, authorizer=authorizer_of("alice"))


def test_its_connection_is_forgotten_and_the_others_stay() -> None:
    stores, checks = simulated(), FakePresenceChecks()
    stores.connect("alice", "old", at=NOW)
    stores.connect("alice", "new", at=NOW)
    assert disconnect(event("old"), stores=stores, checks=checks, now=NOW)["statusCode"] == 200
    assert (set(stores.connections("alice")), checks.scheduled) == ({"new"}, [])


def test_after_the_last_connection_a_look_is_scheduled_until_those_who_watch_were_told() -> None:
    stores, checks = simulated(), FakePresenceChecks()
    stores.connect("alice", "last", at=NOW)
    for later in (0, 1):
        assert disconnect(event("last"), stores=stores, checks=checks, now=NOW + later)["statusCode"] == 200
    assert checks.scheduled == [Gone("alice", NOW), Gone("alice", NOW + 1)]
    assert stores.sessions.show_offline("alice", stores.session("alice"))
    disconnect(event("last"), stores=stores, checks=checks, now=NOW + 2)
    assert len(checks.scheduled) == 2


def test_late_and_repeated_calls_change_nothing() -> None:
    stores, checks = simulated(), FakePresenceChecks()
    stores.connect("alice", "new", at=NOW)
    for _ in range(2):
        assert disconnect(event("old"), stores=stores, checks=checks, now=NOW)["statusCode"] == 200
    assert (set(stores.connections("alice")), checks.scheduled) == ({"new"}, [])


@pytest.mark.parametrize("body", ['{"type": "$disconnect"}', '{"type": "$disconnect", "id": 5}', "[]", "", None])
def test_a_frame_that_calls_itself_disconnect_ends_nothing_and_is_answered(body: str | None) -> None:
    stores, checks = simulated(), FakePresenceChecks()
    stores.connect("alice", "a1=", at=NOW)
    answer = disconnect({**event("a1=", "MESSAGE"), "body": body}, stores=stores, checks=checks, now=NOW)
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (200, "unknown_type")
    assert set(stores.connections("alice")) == {"a1="}


def test_without_the_authorizers_context_nothing_is_forgotten() -> None:
    nobody = websocket_event("DISCONNECT", "$disconnect")
    answer = disconnect(nobody, stores=simulated(), checks=FakePresenceChecks(), now=NOW)
    assert answer["statusCode"] == 401
