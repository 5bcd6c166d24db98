"""The budgets are counted on the real adapters, over moto's server."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

import tests.functions.environment  # noqa: F401  # read by the handlers when they are imported
from functions.connect.handler import connect
from functions.message.handler import respond
from functions.message.routes import Ports
from shared.aws.json_service import JsonService
from shared.aws.log_table import DynamoDbConversationLog
from shared.aws.member_table import DynamoDbMemberships
from shared.aws.session_table import DynamoDbSessions
from tests.fakes import FakeClock, FakeGateway, FakeNonces, in_turn
from tests.functions.events import NOW, authorizer_of, frame_event, websocket_event
from tests.metering import Meter
from tests.moto_tables import environment, moto_url, tables

__all__ = ["House", "environment", "message", "moto_url", "tables"]


def message(after: int, cmid: str) -> dict[str, Any]:
    return {"type": "message", "to": "bob", "content": "hello bob", "client_message_id": cmid, "after": after}


@dataclass
class House:
    """Alice and Bob, online with one device each, three messages into their conversation."""

    meter: Meter
    gateway: FakeGateway
    clock: FakeClock
    ports: Ports

    def say(self, frame: dict[str, Any], *, user_id: str = "alice") -> dict[str, Any]:
        connection_id = {"alice": "a1=", "bob": "b1="}[user_id]
        answer = respond(frame_event(frame, user_id=user_id, connection_id=connection_id), self.ports)
        reply: dict[str, Any] = json.loads(answer["body"])
        assert reply["success"], reply
        data: dict[str, Any] = reply["data"]
        return data

    def measured(self, frame: dict[str, Any], *, user_id: str = "alice") -> Counter[str]:
        self.meter.reset()
        self.gateway.posts.clear()
        self.say(frame, user_id=user_id)
        return self.meter.count


@pytest.fixture
def house(tables: JsonService) -> House:
    meter, gateway, clock = Meter(tables), FakeGateway(), FakeClock(NOW)
    ports = Ports(
        log=DynamoDbConversationLog(meter, log_table="log", members_table="members"),
        memberships=DynamoDbMemberships(meter, members_table="members"),
        sessions=DynamoDbSessions(meter, sessions_table="sessions"),
        gateway=gateway,
        spread=in_turn,
        now=clock,
        pause=lambda _: None,
        new_nonce=FakeNonces(),
        report=lambda _: None,
        connection_limit=3,
    )
    made = House(meter, gateway, clock, ports)
    for user_id, connection_id in (("alice", "a1="), ("bob", "b1=")):
        event = websocket_event("CONNECT", "$connect", connection_id=connection_id, authorizer=authorizer_of(user_id))
        assert connect(event, sessions=ports.sessions, gateway=gateway, limit=3, now=NOW)["statusCode"] == 200
    for seq in range(3):
        made.say(message(seq, f"setting {seq}"))
    return made
