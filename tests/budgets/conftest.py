"""The budgets are counted on the real adapters, over moto's server."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

import tests.functions.environment  # noqa: F401  # read by the handlers when they are imported
from functions.connect.handler import connect
from functions.message.handler import Guard, respond
from functions.message.wiring import Wiring as Wired
from shared.adapters.aws.calls import JsonService
from shared.adapters.dynamodb.buckets import DynamoDbBuckets
from shared.adapters.dynamodb.client import Calls
from shared.domain.connections import Identity
from shared.ports.people import Buckets
from tests.fakes import FakeClock, FakeGateway, FakeNonces
from tests.functions.events import HOUR, NOW, authorizer_of, frame_event, websocket_event
from tests.metering import Meter
from tests.moto_tables import environment, moto_url, tables
from tests.stores import adapters, simulated
from tests.wiring import Wiring

__all__ = ["BudgetHarness", "environment", "message", "moto_url", "tables"]


def message(after: int, cmid: str) -> dict[str, Any]:
    return {"type": "message", "to": "bob", "content": "hello bob", "client_message_id": cmid, "after": after}


@dataclass
class BudgetHarness:
    """Alice and Bob, online with one device each, three messages into their conversation."""

    meter: Meter
    gateway: FakeGateway
    clock: FakeClock
    wiring: Wiring
    wired: Wired = field(init=False)
    guard: Guard = field(init=False)
    answered: dict[str, Any] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.wired = self.wiring.message(verify=lambda _: Identity("alice", NOW + HOUR))

    def limit(self, buckets: Buckets) -> None:
        """Count messages in these buckets, as another instance of the function."""
        self.guard = self.wiring.guard(self.wiring.limiter(buckets=buckets), frames=10_000, costly={})

    def connect(self, user_id: str, connection_id: str) -> None:
        event = websocket_event("CONNECT", "$connect", connection_id=connection_id, authorizer=authorizer_of(user_id))
        assert connect(event, self.wiring.connect, now=lambda: NOW)["statusCode"] == 200

    def body(self, frame: dict[str, Any], *, user_id: str = "alice") -> str:
        """What the frame is answered, as it is returned."""
        connection_id = {"alice": "a1=", "bob": "b1="}[user_id]
        event = frame_event(frame, user_id=user_id, connection_id=connection_id)
        return str(respond(event, self.wired, self.guard)["body"])

    def say(self, frame: dict[str, Any], *, user_id: str = "alice") -> dict[str, Any]:
        reply: dict[str, Any] = json.loads(self.body(frame, user_id=user_id))
        assert reply["success"], reply
        self.answered = reply["data"]
        return self.answered

    def measured(self, frame: dict[str, Any], *, user_id: str = "alice") -> Counter[str]:
        self.meter.reset()
        self.gateway.posts.clear()
        self.say(frame, user_id=user_id)
        return self.meter.count


@pytest.fixture
def buckets(harness: BudgetHarness) -> DynamoDbBuckets:
    return DynamoDbBuckets(harness.meter, members_table="members")


def talking(tables: Calls) -> BudgetHarness:
    """Alice and Bob, on these tables."""
    meter, gateway, clock = Meter(tables), FakeGateway(), FakeClock(NOW)
    made = BudgetHarness(meter, gateway, clock, Wiring(adapters(meter), gateway, clock, FakeNonces()))
    made.limit(simulated().buckets)
    for user_id, connection_id in (("alice", "a1="), ("bob", "b1=")):
        made.connect(user_id, connection_id)
    for seq in range(3):
        made.say(message(seq, f"setting {seq}"))
    return made


@pytest.fixture
def harness(tables: JsonService) -> BudgetHarness:
    return talking(tables)
