"""What the adapters ask of the tables is what the roles allow: nothing is missing in AWS, and nothing is spare.

Neither moto nor the emulator checks permissions; this is what finds a missing one before AWS does.
"""

from __future__ import annotations

import pytest

import tests.functions.environment  # noqa: F401  # read by the handlers when they are imported
from functions.disconnect.handler import disconnect
from functions.offline_push.handler import Ports, fan_out, look_at
from functions.presence.handler import Ports as PresencePorts
from functions.presence.handler import look
from shared.aws.bucket_table import DynamoDbBuckets
from shared.aws.json_service import JsonService
from shared.aws.session_table import DynamoDbSessions
from shared.aws.ticket_table import DynamoDbTickets
from shared.connection.models import Identity
from shared.connection.ports import PostOutcome
from shared.connection.tickets import issue_ticket, redeem_ticket
from tests.budgets.conftest import House
from tests.budgets.test_budgets import NoShards, in_group, make_group
from tests.fakes import DM, FakeGateway, FakePresenceChecks, FakePushGateway
from tests.functions.events import HOUR, NOW, authorizer_of, stream_record, websocket_event
from tests.functions.offline_push.test_offline_push import shard_record
from tests.metering import Meter
from tests.permissions import DYNAMODB


@pytest.fixture
def meter(tables: JsonService) -> Meter:
    return Meter(tables)


def test_the_message_function(house: House, buckets: DynamoDbBuckets) -> None:
    group = make_group(house, 4)
    house.meter.used.clear()
    house.limit(buckets)
    house.say({"type": "message", "to": "carol", "content": "a first one"})
    house.say({"type": "message", "to": "bob", "content": "to the tail"})
    house.say({"type": "message", "conversation_id": DM, "content": "by id"})
    house.say({"type": "message", "to": "bob", "content": "late", "after": 1, "client_message_id": "late"})
    house.say(in_group(group, 2))
    for kind in ("read", "delivered"):
        house.say({"type": kind, "conversation_id": DM, "seq": 2}, user_id="bob")
    house.say({"type": "edit", "conversation_id": DM, "seq": 3, "content": "better"})
    house.say({"type": "react", "conversation_id": DM, "seq": 3, "emoji": "x"})
    house.say({"type": "delete", "conversation_id": DM, "seq": 3})
    house.say({"type": "typing", "conversation_id": DM})
    for users in (["bob", "carol"], ["stranger"], []):
        house.say({"type": "presence", "users": users})
    house.say({"type": "sync", "conversations": {DM: 0}})
    house.say({"type": "ping", "conversation_id": DM, "seq": 2})
    house.say({"type": "auth", "token": "fresh"})
    watched(house)
    house.ports.sessions.show_offline("alice", house.ports.sessions.whole(["alice"])["alice"])
    house.say({"type": "ping"})  # which registers the connection again, and finds the watcher's dead
    assert house.meter.used == DYNAMODB["Message"]


def test_the_authorizer(meter: Meter) -> None:
    tickets = DynamoDbTickets(meter, tickets_table="tickets")
    ticket = issue_ticket(Identity("alice", NOW + HOUR), tickets=tickets, now=NOW, new_secret=lambda: "t")
    meter.used.clear()
    redeem_ticket(ticket.ticket, tickets=tickets, now=NOW)
    assert meter.used == DYNAMODB["Authorizer"]


def watched(house: House) -> None:
    """Alice is away; Bob's connection, which is dead, watches her."""
    house.ports.sessions.remove("alice", "a1=", now=NOW)
    house.ports.watches.replace("bob", "b1=", ["alice"], expires_at=NOW + HOUR)
    house.gateway.outcomes["b1="] = PostOutcome.GONE


def test_connecting_at_the_limit(house: House) -> None:
    watched(house)
    assert house.ports.sessions.show_offline("alice", house.ports.sessions.whole(["alice"])["alice"])
    house.meter.used.clear()
    for number in range(4):
        house.connect("alice", f"c{number}")
    assert house.gateway.closed
    assert house.meter.used == DYNAMODB["Connect"]


def test_a_delayed_look_at_who_is_gone(house: House) -> None:
    watched(house)
    house.meter.used.clear()
    ports = PresencePorts(house.ports.sight, house.ports.watches, house.gateway)
    record = {"messageId": "m", "body": f'{{"user_id": "alice", "at": {NOW}}}'}
    assert look([record], ports, now=NOW) == {"batchItemFailures": []}
    assert house.meter.used == DYNAMODB["Presence"]


def test_disconnecting(meter: Meter) -> None:
    sessions = DynamoDbSessions(meter, sessions_table="sessions")
    event = websocket_event("DISCONNECT", "$disconnect", connection_id="c3", authorizer=authorizer_of("alice"))
    disconnect(event, sessions=sessions, checks=FakePresenceChecks(), now=NOW)
    assert meter.used == DYNAMODB["Disconnect"]


def test_offline_push(house: House) -> None:
    group = make_group(house, 4)
    house.meter.used.clear()
    gateway = FakeGateway(outcomes={"b1=": PostOutcome.GONE})
    house.clock.advance(60_000)
    ports = Ports(
        log=house.ports.log,
        memberships=house.ports.memberships,
        sessions=house.ports.sessions,
        gateway=gateway,
        push_gateway=FakePushGateway(),
        shard_queue=NoShards(),
        report=lambda _: None,
        now=house.clock,
        pause_ms=lambda _: None,
        rate=500,
    )
    record = stream_record(1)
    record["dynamodb"]["NewImage"]["conversation_id"] = {"S": group}
    assert look_at([record, stream_record(2)], ports) == {"batchItemFailures": []}
    assert fan_out([shard_record(["bob"], seq=2, conversation_id=group)], ports) == {"batchItemFailures": []}
    assert house.meter.used == DYNAMODB["OfflinePush"]
