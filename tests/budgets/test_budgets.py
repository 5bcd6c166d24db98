"""What each operation costs, counted from the calls that the real adapters make."""

from __future__ import annotations

import pytest

import tests.functions.environment  # noqa: F401  # read by the handlers when they are imported
from functions.connect.handler import connect
from shared.aws.ticket_table import DynamoDbTickets
from shared.chat.conversations import inbox
from shared.chat.history import history
from shared.connection.models import Identity
from shared.connection.tickets import issue_ticket, redeem_ticket
from shared.notification.models import StoredMessage
from shared.notification.offline import push_to_absent
from tests.budgets.conftest import House, message
from tests.fakes import DM, FakePushGateway, in_turn
from tests.functions.events import HOUR, NOW, authorizer_of, websocket_event


def test_a_private_message_is_two_batch_reads_one_put_one_post(house: House) -> None:
    assert house.measured(message(3, "x")) == {"BatchGetItem": 2, "PutItem": 1}
    assert (house.meter.reads <= 3, house.meter.writes) == (True, 1)
    assert [target for target, _ in house.gateway.posts] == ["b1="]


def test_a_conversations_first_message_is_one_transaction(house: House) -> None:
    frame = {**message(0, "x"), "to": "carol"}
    assert house.measured(frame) == {"TransactWriteItems": 1, "BatchGetItem": 1}
    assert house.meter.writes == 10  # the entry and two items for each member, doubled


def test_a_resend_is_a_read_a_refused_put_and_the_posts_again(house: House) -> None:
    house.say(message(3, "x"))
    assert house.measured(message(3, "x")) == {"BatchGetItem": 2, "PutItem": 1}
    assert house.meter.made == ["BatchGetItem", "PutItem", "BatchGetItem"]
    assert (house.meter.reads <= 3, house.meter.writes) == (True, 1)
    assert [target for target, _ in house.gateway.posts] == ["b1="]


@pytest.mark.parametrize("kind", ["read", "delivered"])
def test_a_receipt_is_a_read_an_update_and_the_sessions(house: House, kind: str) -> None:
    frame = {"type": kind, "conversation_id": DM, "seq": 3}
    assert house.measured(frame, user_id="bob") == {"BatchGetItem": 2, "UpdateItem": 1}
    assert house.meter.made == ["BatchGetItem", "UpdateItem", "BatchGetItem"]
    assert house.meter.writes == 1
    assert [target for target, _ in house.gateway.posts] == ["a1="]


@pytest.mark.parametrize("seq", [2, 3])
def test_a_receipt_that_moves_nothing_is_one_read(house: House, seq: int) -> None:
    house.say({"type": "read", "conversation_id": DM, "seq": 3}, user_id="bob")
    again = house.measured({"type": "read", "conversation_id": DM, "seq": seq}, user_id="bob")
    assert (again, house.gateway.posts) == ({"BatchGetItem": 1}, [])


def test_a_ping_is_one_update(house: House) -> None:
    assert house.measured({"type": "ping"}) == {"UpdateItem": 1}
    assert house.meter.writes == 1


def test_a_ping_about_the_open_conversation_reads_one_more_place(house: House) -> None:
    frame = {"type": "ping", "conversation_id": DM, "seq": 3}
    assert house.measured(frame) == {"UpdateItem": 1, "BatchGetItem": 1}
    assert (house.meter.reads, house.meter.writes) == (1, 1)


def test_connecting_by_header_is_one_write(house: House) -> None:
    house.meter.reset()
    event = websocket_event("CONNECT", "$connect", connection_id="a2=", authorizer=authorizer_of("alice"))
    connect(event, sessions=house.ports.sessions, gateway=house.gateway, limit=3, now=NOW)
    assert (house.meter.count, house.meter.writes, house.meter.reads) == ({"UpdateItem": 1}, 1, 0)


def test_connecting_by_ticket_is_two_writes_authorizer_included(house: House) -> None:
    tickets = DynamoDbTickets(house.meter, tickets_table="tickets")
    ticket = issue_ticket(Identity("alice", NOW + HOUR), tickets=tickets, now=NOW, new_secret=lambda: "t")
    house.meter.reset()
    redeem_ticket(ticket.ticket, tickets=tickets, now=NOW)
    event = websocket_event("CONNECT", "$connect", connection_id="a2=", authorizer=authorizer_of("alice"))
    connect(event, sessions=house.ports.sessions, gateway=house.gateway, limit=3, now=NOW)
    assert (house.meter.count, house.meter.writes) == ({"DeleteItem": 1, "UpdateItem": 1}, 2)


@pytest.mark.parametrize("conversations", [1, 7])
def test_inbox_and_sync_are_one_query_and_one_for_each_conversation(house: House, conversations: int) -> None:
    for number in range(conversations - 1):
        house.say({**message(0, f"c{number}"), "to": f"user{number}"})
    house.meter.reset()
    inbox("alice", limit=10, memberships=house.ports.memberships, log=house.ports.log, spread=in_turn)
    assert house.meter.count == {"Query": 1 + conversations}
    synced = house.measured({"type": "sync", "conversations": {DM: 1}})
    assert synced == {"BatchGetItem": 1, "Query": 1 + conversations}


@pytest.mark.parametrize("before", [None, 2])
def test_a_page_of_history_is_one_membership_and_one_query(house: House, before: int | None) -> None:
    house.meter.reset()
    history(DM, user_id="alice", before=before, limit=50, log=house.ports.log, memberships=house.ports.memberships)
    assert (house.meter.count, house.meter.reads) == ({"GetItem": 1, "Query": 1}, 2)


def test_the_look_from_the_stream_is_one_read_unit_and_no_write(house: House) -> None:
    house.meter.reset()
    stored = StoredMessage(DM, 3, "alice")
    push_to_absent([stored], sessions=house.ports.sessions, push_gateway=FakePushGateway(), now=NOW)
    assert (house.meter.count, house.meter.reads, house.meter.writes) == ({"BatchGetItem": 1}, 1, 0)


def test_sending_costs_the_same_however_long_the_log_is(house: House) -> None:
    first = house.measured(message(3, "x"))
    units = (house.meter.reads, house.meter.writes)
    for seq in range(4, 40):
        house.say(message(seq, f"more {seq}"))
    assert (house.measured(message(40, "y")), (house.meter.reads, house.meter.writes)) == (first, units)
