"""The budgets are counted on the real adapters, over moto's server."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest

import tests.functions.environment  # noqa: F401  # read by the handlers when they are imported
from functions.connect.handler import Ports as ConnectPorts
from functions.connect.handler import connect
from functions.message.guard import Guard
from functions.message.handler import respond
from functions.message.routes import Ports
from shared.aws.bucket_table import DynamoDbBuckets
from shared.aws.contact_table import DynamoDbBlocks, DynamoDbRelations
from shared.aws.file_table import DynamoDbFiles
from shared.aws.json_service import JsonService
from shared.aws.log_table import DynamoDbConversationLog
from shared.aws.member_table import DynamoDbMemberships
from shared.aws.session_table import DynamoDbSessions
from shared.aws.watch_table import DynamoDbWatches
from shared.chat.rules import PROTOCOL
from shared.connection.models import Identity
from shared.limits.buckets import Buckets, Limit, RateLimiter
from shared.limits.frames import AbuseWatch, FrameLimiter
from tests.fakes import FakeBuckets, FakeClock, FakeGateway, FakeNonces, in_turn
from tests.functions.events import HOUR, NOW, authorizer_of, frame_event, websocket_event
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
    guard: Guard

    def limit(self, buckets: Buckets) -> None:
        """Count messages in these buckets, as another instance of the function."""
        self.guard = _guard(self.ports, self.clock, buckets)

    def connect(self, user_id: str, connection_id: str) -> None:
        event = websocket_event("CONNECT", "$connect", connection_id=connection_id, authorizer=authorizer_of(user_id))
        ports = ConnectPorts(self.ports.sight, self.ports.watches, self.gateway, connection_limit=3)
        assert connect(event, ports, now=NOW)["statusCode"] == 200

    def say(self, frame: dict[str, Any], *, user_id: str = "alice") -> dict[str, Any]:
        connection_id = {"alice": "a1=", "bob": "b1="}[user_id]
        event = frame_event(frame, user_id=user_id, connection_id=connection_id)
        answer = respond(event, self.ports, self.guard)
        reply: dict[str, Any] = json.loads(answer["body"])
        assert reply["success"], reply
        data: dict[str, Any] = reply["data"]
        return data

    def measured(self, frame: dict[str, Any], *, user_id: str = "alice") -> Counter[str]:
        self.meter.reset()
        self.gateway.posts.clear()
        self.say(frame, user_id=user_id)
        return self.meter.count


def _guard(ports: Ports, clock: FakeClock, buckets: Buckets) -> Guard:
    return Guard(
        messages=RateLimiter(Limit(20, 200), buckets, clock),
        frames=FrameLimiter(50, 10_000, clock),
        costly={},
        frame_limit=32_768,
        abuse=AbuseWatch(100, clock),
        sessions=ports.sessions,
        gateway=ports.gateway,
    )


@pytest.fixture
def buckets(house: House) -> DynamoDbBuckets:
    return DynamoDbBuckets(house.meter, members_table="members")


@pytest.fixture
def house(tables: JsonService) -> House:
    meter, gateway, clock = Meter(tables), FakeGateway(), FakeClock(NOW)
    ports = Ports(
        log=DynamoDbConversationLog(meter, log_table="log", members_table="members"),
        memberships=DynamoDbMemberships(meter, members_table="members"),
        files=DynamoDbFiles(meter, members_table="members"),
        blocks=DynamoDbBlocks(meter, members_table="members"),
        relations=DynamoDbRelations(meter, members_table="members"),
        sessions=DynamoDbSessions(meter, sessions_table="sessions"),
        watches=DynamoDbWatches(meter, members_table="members"),
        gateway=gateway,
        spread=in_turn,
        now=clock,
        pause=lambda _: None,
        new_nonce=FakeNonces(),
        report=lambda _: None,
        verify=lambda _: Identity("alice", NOW + HOUR),
        connection_limit=3,
        edit_window_s=0,
        inline_limit=200,
        receipts_limit=100,
        page_limit=100,
        bounds=PROTOCOL,
    )
    made = House(meter, gateway, clock, ports, _guard(ports, clock, FakeBuckets()))
    for user_id, connection_id in (("alice", "a1="), ("bob", "b1=")):
        made.connect(user_id, connection_id)
    for seq in range(3):
        made.say(message(seq, f"setting {seq}"))
    return made
