"""What the adapters ask of the tables is what the roles allow: nothing is missing in AWS, and nothing is spare.

Neither moto nor the emulator checks permissions; this is what finds a missing one before AWS does.
"""

from __future__ import annotations

import pytest

import tests.functions.environment  # noqa: F401  # read by the handlers when they are imported
from functions.connect.handler import connect
from functions.disconnect.handler import disconnect
from functions.offline_push.handler import look_at
from shared.aws.json_service import JsonService
from shared.aws.session_table import DynamoDbSessions
from shared.aws.ticket_table import DynamoDbTickets
from shared.chat.conversations import create_private, inbox
from shared.chat.history import history
from shared.connection.models import Identity
from shared.connection.tickets import issue_ticket, redeem_ticket
from tests.budgets.conftest import House
from tests.fakes import DM, FakeGateway, FakePushGateway, in_turn
from tests.functions.events import HOUR, NOW, authorizer_of, stream_record, websocket_event
from tests.metering import Meter
from tests.permissions import DYNAMODB


@pytest.fixture
def meter(tables: JsonService) -> Meter:
    return Meter(tables)


def test_the_message_function(house: House) -> None:
    house.say({"type": "message", "to": "carol", "content": "a first one"})
    house.say({"type": "message", "to": "bob", "content": "to the tail"})
    house.say({"type": "message", "conversation_id": DM, "content": "by id"})
    house.say({"type": "message", "to": "bob", "content": "late", "after": 1, "client_message_id": "late"})
    for kind in ("read", "delivered"):
        house.say({"type": kind, "conversation_id": DM, "seq": 2}, user_id="bob")
    house.say({"type": "sync", "conversations": {DM: 0}})
    house.say({"type": "ping", "conversation_id": DM, "seq": 2})
    assert house.meter.used == DYNAMODB["Message"]


def test_the_http_api(house: House) -> None:
    house.meter.used.clear()
    ports = house.ports
    create_private("alice", "dave", memberships=ports.memberships, now=NOW)
    inbox("alice", limit=10, memberships=ports.memberships, log=ports.log, spread=in_turn)
    for bounds in ({"before": 2}, {"after": 0}):
        history(DM, user_id="alice", limit=10, log=ports.log, memberships=ports.memberships, **bounds)
    tickets = DynamoDbTickets(house.meter, tickets_table="tickets")
    issue_ticket(Identity("alice", NOW + HOUR), tickets=tickets, now=NOW, new_secret=lambda: "t")
    assert house.meter.used == DYNAMODB["Rest"]


def test_the_authorizer(meter: Meter) -> None:
    tickets = DynamoDbTickets(meter, tickets_table="tickets")
    ticket = issue_ticket(Identity("alice", NOW + HOUR), tickets=tickets, now=NOW, new_secret=lambda: "t")
    meter.used.clear()
    redeem_ticket(ticket.ticket, tickets=tickets, now=NOW)
    assert meter.used == DYNAMODB["Authorizer"]


def test_connecting_at_the_limit_and_disconnecting(meter: Meter) -> None:
    sessions = DynamoDbSessions(meter, sessions_table="sessions")
    for number in range(4):
        event = websocket_event("CONNECT", "$connect", connection_id=f"c{number}", authorizer=authorizer_of("alice"))
        assert connect(event, sessions=sessions, gateway=FakeGateway(), limit=2, now=NOW)["statusCode"] == 200
    assert meter.used == DYNAMODB["Connect"]
    meter.used.clear()
    event = websocket_event("DISCONNECT", "$disconnect", connection_id="c3", authorizer=authorizer_of("alice"))
    disconnect(event, sessions=sessions, now=NOW)
    assert meter.used == DYNAMODB["Disconnect"]


def test_offline_push(meter: Meter) -> None:
    sessions = DynamoDbSessions(meter, sessions_table="sessions")
    look_at([stream_record(1)], sessions=sessions, push_gateway=FakePushGateway(), now=NOW)
    assert meter.used == DYNAMODB["OfflinePush"]
