"""What each operation costs, counted from the calls that the real adapters make."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

import tests.functions.environment  # noqa: F401  # read by the handlers when they are imported
from shared.adapters.dynamodb.buckets import DynamoDbBuckets
from shared.adapters.dynamodb.sessions import DynamoDbTickets
from shared.domain.connections import Gone, Identity
from shared.domain.entries import Draft, Entry
from shared.domain.files import READY, File
from shared.operations.conversations import inbox
from shared.operations.files import file_for
from shared.operations.groups import NewGroup, create_group
from shared.operations.history import Span, history
from shared.operations.presence import check_offline
from shared.operations.tickets import issue_ticket, redeem_ticket
from shared.wire.common import encode_sync_cursor
from tests.budgets.conftest import BudgetHarness, message
from tests.fakes import DM, FakeGateway
from tests.functions.events import HOUR, NOW


def test_a_private_message_is_two_batch_reads_one_put_one_post(harness: BudgetHarness) -> None:
    assert harness.measured(message(3, "x")) == {"BatchGetItem": 2, "PutItem": 1}
    assert (harness.meter.reads <= 3, harness.meter.writes) == (True, 1)
    assert [target for target, _ in harness.gateway.posts] == ["b1="]


def test_a_conversations_first_message_is_one_transaction(harness: BudgetHarness) -> None:
    frame = {**message(0, "x"), "to": "carol"}
    assert harness.measured(frame) == {"TransactWriteItems": 1, "BatchGetItem": 2}
    assert harness.meter.writes == 10  # the entry and two items for each member, doubled


def test_the_first_answer_is_a_transaction_of_three_and_the_second_a_put(harness: BudgetHarness) -> None:
    answer = {"type": "message", "to": "alice", "content": "hello", "client_message_id": "answer", "after": 3}
    # The two queries: whom of the two the other's connections watch.
    assert harness.measured(answer, user_id="bob") == {"BatchGetItem": 2, "TransactWriteItems": 1, "Query": 2}
    assert harness.meter.writes == 6  # the entry and both members' rows, doubled
    assert harness.measured(message(4, "x")) == {"BatchGetItem": 2, "PutItem": 1}
    assert (harness.meter.reads <= 3, harness.meter.writes) == (True, 1)
    again = {**answer, "client_message_id": "again", "after": 5}
    assert harness.measured(again, user_id="bob") == {"BatchGetItem": 2, "PutItem": 1}


def test_a_resend_is_a_read_a_refused_put_and_the_posts_again(harness: BudgetHarness) -> None:
    harness.say(message(3, "x"))
    assert harness.measured(message(3, "x")) == {"BatchGetItem": 2, "PutItem": 1}
    assert harness.meter.made == ["BatchGetItem", "PutItem", "BatchGetItem"]
    assert (harness.meter.reads <= 3, harness.meter.writes) == (True, 1)
    assert [target for target, _ in harness.gateway.posts] == ["b1="]


def test_a_message_with_an_id_and_no_after_keeps_a_note_in_its_transaction(harness: BudgetHarness) -> None:
    frame = {"type": "message", "to": "bob", "content": "hello bob", "client_message_id": "x"}
    assert harness.measured(frame) == {"BatchGetItem": 2, "Query": 1, "TransactWriteItems": 1}
    assert (harness.meter.reads <= 4, harness.meter.writes) == (True, 4)  # the entry and the note, doubled
    for number in range(25):
        harness.say(message(4 + number, f"between {number}"))
    assert harness.measured(frame) == {"BatchGetItem": 3, "Query": 1, "TransactWriteItems": 1}


def test_a_message_without_an_id_is_one_write(harness: BudgetHarness) -> None:
    frame = {"type": "message", "to": "bob", "content": "hello bob"}
    assert harness.measured(frame) == {"BatchGetItem": 2, "Query": 1, "PutItem": 1}
    assert (harness.meter.reads <= 4, harness.meter.writes) == (True, 1)


def has_file(harness: BudgetHarness, file_id: str = "cat") -> None:
    """Alice has uploaded it, and it was checked."""
    file = File(file_id, "alice", "image", "cat.png", "image/png", 5, created_at=1, expires_at=900_001)
    harness.wired.stores.files.create(file)
    assert harness.wired.stores.files.settle(replace(file, status=READY, width=4, height=3, has_thumbnail=True))


CAT = {"message_type": "image", "file_id": "cat"}


@pytest.mark.parametrize("content", ["", "look!"])
def test_a_message_with_a_file_reads_the_file_too_and_its_put_is_a_transaction(
    harness: BudgetHarness, content: str
) -> None:
    has_file(harness)
    assert harness.measured({**message(3, "x"), **CAT, "content": content}) == {
        "BatchGetItem": 2,
        "GetItem": 1,
        "TransactWriteItems": 1,
    }
    assert harness.meter.made == ["BatchGetItem", "GetItem", "TransactWriteItems", "BatchGetItem"]
    assert (harness.meter.reads <= 4, harness.meter.writes) == (True, 6)  # entry, file and reference, doubled
    assert [target for target, _ in harness.gateway.posts] == ["b1="]


def test_a_file_in_a_conversations_first_message_is_in_its_one_transaction(harness: BudgetHarness) -> None:
    has_file(harness)
    made = harness.measured({**message(0, "x"), **CAT, "to": "carol"})
    assert (made, harness.meter.writes) == ({"TransactWriteItems": 1, "BatchGetItem": 2, "GetItem": 1}, 14)


def test_deleting_a_message_with_a_file_reads_nothing_more(harness: BudgetHarness) -> None:
    has_file(harness)
    seq = harness.say({**message(3, "x"), **CAT})["seq"]
    made = harness.measured({"type": "delete", "conversation_id": DM, "seq": seq})
    assert made == {"Query": 1, "BatchGetItem": 2, "TransactWriteItems": 1}
    assert harness.meter.writes == 8  # as any other, and the file and its reference, doubled


@pytest.mark.parametrize("groups", [1, 90])
def test_a_look_at_a_file_takes_three_reads_wherever_it_stands(harness: BudgetHarness, groups: int) -> None:
    has_file(harness)
    for number in range(groups):
        draft = Draft(f"group:{number:016}", "alice", "", "n", message_type="image", file_id="cat")
        assert harness.wired.stores.log.put(draft.following(None, 1)) is None
    place = f"group:{groups - 1:016}"
    harness.wired.stores.memberships.create(place, ["carol"], joined_at=1)
    for user_id, calls in (("alice", {"GetItem": 1}), ("carol", {"GetItem": 1, "Query": 1, "BatchGetItem": 1})):
        harness.meter.reset()
        file_for(user_id, "cat", stores=harness.wired.stores)
        assert harness.meter.count == calls


@pytest.mark.parametrize("kind", ["read", "delivered"])
def test_a_receipt_is_a_read_an_update_and_the_sessions(harness: BudgetHarness, kind: str) -> None:
    frame = {"type": kind, "conversation_id": DM, "seq": 3}
    assert harness.measured(frame, user_id="bob") == {"BatchGetItem": 2, "UpdateItem": 1}
    assert harness.meter.made == ["BatchGetItem", "UpdateItem", "BatchGetItem"]
    assert harness.meter.writes == 1
    assert [target for target, _ in harness.gateway.posts] == ["a1="]


@pytest.mark.parametrize("kind", ["read", "delivered"])
def test_a_receipt_without_a_reply_is_the_same_and_costs_no_gateway_message_but_the_frame_and_the_event(
    harness: BudgetHarness, kind: str
) -> None:
    frames = ({"type": kind, "conversation_id": DM, "seq": 2}, {"type": "receipts", kind: {DM: 3}})
    for frame in frames:
        harness.meter.reset()
        harness.gateway.posts.clear()
        assert not harness.body({**frame, "reply": False}, user_id="bob")
        assert harness.meter.made == ["BatchGetItem", "UpdateItem", "BatchGetItem"]
        assert [target for target, _ in harness.gateway.posts] == ["a1="]


def test_a_receipt_with_a_message_is_a_write_and_a_read_unit_and_no_post_of_its_own(harness: BudgetHarness) -> None:
    first = {**message(3, "first"), "to": "alice"}
    harness.say(first, user_id="bob")
    assert harness.measured({**message(4, "x"), "to": "alice"}, user_id="bob") == {"BatchGetItem": 2, "PutItem": 1}
    without = harness.meter.reads
    frame = {**message(5, "y"), "to": "alice", "read": 5}
    assert harness.measured(frame, user_id="bob") == {"BatchGetItem": 3, "PutItem": 1, "UpdateItem": 1}
    assert harness.meter.made == ["BatchGetItem", "PutItem", "UpdateItem", "BatchGetItem", "BatchGetItem"]
    assert (harness.meter.reads - without <= 1, harness.meter.writes) == (True, 2)
    assert [target for target, _ in harness.gateway.posts] == ["a1="]
    behind = {**message(6, "z"), "to": "alice", "read": 3}
    assert harness.measured(behind, user_id="bob") == {"BatchGetItem": 4, "PutItem": 1, "UpdateItem": 1}


def test_receipts_of_several_conversations_are_one_frame(harness: BudgetHarness) -> None:
    group = make_group(harness, 3)
    harness.say(in_group(group, 1))
    harness.meter.reset()
    harness.gateway.posts.clear()
    assert not harness.body({"type": "receipts", "read": {DM: 3, group: 2}, "reply": False}, user_id="bob")
    assert harness.meter.count == {"BatchGetItem": 4, "UpdateItem": 2, "Query": 2}


@pytest.mark.parametrize("seq", [2, 3])
def test_a_receipt_that_moves_nothing_is_one_read(harness: BudgetHarness, seq: int) -> None:
    harness.say({"type": "read", "conversation_id": DM, "seq": 3}, user_id="bob")
    again = harness.measured({"type": "read", "conversation_id": DM, "seq": seq}, user_id="bob")
    assert (again, harness.gateway.posts) == ({"BatchGetItem": 1}, [])


def test_a_ping_is_one_update(harness: BudgetHarness) -> None:
    assert harness.measured({"type": "ping"}) == {"UpdateItem": 1}
    assert harness.meter.writes == 1


def test_a_ping_about_the_open_conversation_reads_one_more_place(harness: BudgetHarness) -> None:
    frame = {"type": "ping", "conversation_id": DM, "seq": 3}
    assert harness.measured(frame) == {"UpdateItem": 1, "BatchGetItem": 1}
    assert (harness.meter.reads, harness.meter.writes) == (1, 1)


def test_connecting_by_header_is_one_write(harness: BudgetHarness) -> None:
    harness.meter.reset()
    harness.connect("alice", "a2=")
    assert (harness.meter.count, harness.meter.writes, harness.meter.reads) == ({"UpdateItem": 1}, 1, 0)


def test_coming_online_is_one_write_and_one_look_for_those_who_watch(harness: BudgetHarness) -> None:
    harness.wired.stores.sessions.remove("alice", "a1=", now=NOW)
    harness.wired.stores.sessions.show_offline("alice", harness.wired.stores.sessions.whole(["alice"])["alice"])
    harness.meter.reset()
    harness.connect("alice", "a2=")
    assert (harness.meter.count, harness.meter.writes, harness.meter.reads) == ({"UpdateItem": 1, "Query": 1}, 1, 1)


def test_connecting_by_ticket_is_two_writes_authorizer_included(harness: BudgetHarness) -> None:
    tickets = DynamoDbTickets(harness.meter, tickets_table="tickets")
    ticket = issue_ticket(Identity("alice", NOW + HOUR), tickets=tickets, now=NOW, new_secret=lambda: "t")
    harness.meter.reset()
    redeem_ticket(ticket.ticket, tickets=tickets, now=NOW)
    harness.connect("alice", "a2=")
    assert (harness.meter.count, harness.meter.writes) == ({"DeleteItem": 1, "UpdateItem": 1}, 2)


@pytest.mark.parametrize("conversations", [1, 7])
def test_inbox_and_sync_are_one_query_and_one_for_each_conversation(harness: BudgetHarness, conversations: int) -> None:
    for number in range(conversations - 1):
        harness.say({**message(0, f"c{number}"), "to": f"user{number}"})
    harness.meter.reset()
    inbox("alice", limit=10, stores=harness.wired.stores, services=harness.wired.services, now=0)
    assert harness.meter.count == {"Query": 1 + conversations}
    synced = harness.measured({"type": "sync", "conversations": {DM: 1}})
    assert synced == {"BatchGetItem": 1, "Query": 1 + conversations}


def test_a_page_of_heads_reads_what_is_behind_its_cursor_and_nothing_else(harness: BudgetHarness) -> None:
    for number in range(6):
        harness.say({**message(0, f"c{number}"), "to": f"user{number}"})
    cursor = encode_sync_cursor("alice", "dm:alice:user3")
    behind = harness.measured({"type": "sync", "cursor": cursor})
    assert behind == {"BatchGetItem": 1, "Query": 1 + 2}
    with_a_named_one = harness.measured({"type": "sync", "conversations": {DM: 1}, "cursor": cursor})
    assert with_a_named_one == {"BatchGetItem": 2, "Query": 1 + 2 + 1}


@pytest.mark.parametrize("before", [None, 2])
def test_a_page_of_history_is_one_membership_and_one_query(harness: BudgetHarness, before: int | None) -> None:
    harness.meter.reset()
    history(DM, Span(50, before, notices=True), user_id="alice", stores=harness.wired.stores)
    assert (harness.meter.count, harness.meter.reads) == ({"BatchGetItem": 1, "Query": 1}, 3)


def make_group(harness: BudgetHarness, members: int, *, large: bool = False) -> str:
    """A group of alice, bob and others; its first message is written."""
    others = ("bob", *(f"member{number:04}" for number in range(members - 2)))
    stores, services, context = harness.wired.stores, harness.wired.services, harness.wired.context
    quiet = replace(services, gateway=FakeGateway())
    created = create_group(
        NewGroup("alice", "the group", others),
        admit=lambda *_: None,
        stores=stores,
        services=quiet,
        context=replace(
            context, new_secret=lambda: "0123456789abcdef", limits=replace(context.limits, group_limit=1_000)
        ),
    )
    assert len(created.audience) == members
    assert large or harness.say({"type": "message", "conversation_id": created.conversation_id, "content": "first"})
    return created.conversation_id


def in_group(group: str, after: int, **fields: Any) -> dict[str, Any]:
    frame = {"type": "message", "conversation_id": group, "content": "hello", "after": after}
    return {**frame, "client_message_id": f"after {after}", **fields}


def test_a_message_to_a_group_of_a_hundred_with_thirty_online(harness: BudgetHarness) -> None:
    group = make_group(harness, 100)
    for number in range(28):
        harness.connect(f"member{number:04}", f"m{number}=")
    head = harness.wired.stores.log.read_back(group, limit=1)[0].seq
    assert harness.measured(in_group(group, head)) == {"BatchGetItem": 2, "Query": 1, "PutItem": 1}
    assert harness.meter.made == ["BatchGetItem", "Query", "PutItem", "BatchGetItem"]
    assert harness.meter.writes == 1
    assert len(harness.gateway.posts) == 29


def test_whoever_displaces_one_of_the_latest_sixteen_writers_costs_a_write_unit_more(harness: BudgetHarness) -> None:
    group = make_group(harness, 20)
    for number in range(15):  # and alice's first
        harness.wired.stores.log.put(_next(harness, group, f"member{number:04}"))
    head = harness.wired.stores.log.read_back(group, limit=1)[0]
    assert head.authors.keys() == {"alice", *(f"member{number:04}" for number in range(15))}
    assert harness.measured(in_group(group, head.seq)) == {"BatchGetItem": 2, "Query": 1, "PutItem": 1}
    made = harness.measured(in_group(group, head.seq + 1), user_id="bob")
    assert made == {"BatchGetItem": 2, "Query": 1, "UpdateItem": 1, "PutItem": 1}
    assert harness.meter.made == ["BatchGetItem", "Query", "UpdateItem", "PutItem", "BatchGetItem"]
    assert harness.meter.writes == 2
    displaced = harness.wired.stores.memberships.get(group, "member0000")
    assert displaced is not None
    assert displaced.wrote_number == 2


def _next(harness: BudgetHarness, group: str, sender_id: str) -> Entry:
    (tail,) = harness.wired.stores.log.read_back(group, limit=1)
    return Draft(group, sender_id, "hi", f"nonce {tail.seq}").following(tail, NOW)


def test_a_message_to_a_large_group_costs_the_sender_no_session_read_and_no_post(harness: BudgetHarness) -> None:
    group = make_group(harness, 250, large=True)
    head = harness.wired.stores.log.read_back(group, limit=1)[0].seq
    assert harness.measured(in_group(group, head)) == {"BatchGetItem": 1, "Query": 1, "PutItem": 1}
    assert (harness.meter.writes, harness.gateway.posts) == (1, [])


def test_a_roster_that_has_not_changed_is_read_once_by_an_instance(harness: BudgetHarness) -> None:
    group = make_group(harness, 250, large=True)
    harness.clock.ms += 5_000
    head = harness.say(in_group(group, harness.wired.stores.log.read_back(group, limit=1)[0].seq))["seq"]
    assert harness.measured(in_group(group, head)) == {"BatchGetItem": 1, "PutItem": 1}
    assert (harness.meter.reads, harness.meter.writes) == (0.5, 1)
    made = harness.measured({"type": "react", "emoji": "x", "conversation_id": group, "seq": head})
    assert made == {"Query": 1, "BatchGetItem": 1, "TransactWriteItems": 1}
    assert (harness.meter.reads, harness.meter.writes) == (3, 4)  # the tail, the message, and who reacts


@pytest.mark.parametrize(
    ("frame", "writes"),
    [({"type": "edit", "content": "better"}, 4), ({"type": "delete"}, 4), ({"type": "react", "emoji": "x"}, 4)],
)
def test_a_change_is_two_reads_one_transaction_and_the_sessions(
    harness: BudgetHarness, frame: dict[str, Any], writes: int
) -> None:
    made = harness.measured({**frame, "conversation_id": DM, "seq": 3})
    assert made == {"Query": 1, "BatchGetItem": 2, "TransactWriteItems": 1}
    assert harness.meter.writes == writes  # two items, doubled
    assert [target for target, _ in harness.gateway.posts] == ["b1="]


def test_an_edit_after_an_edit_takes_the_content_of_the_earlier_one_along(harness: BudgetHarness) -> None:
    edit = {"type": "edit", "conversation_id": DM, "seq": 3}
    harness.say({**edit, "content": "better"})
    harness.measured({**edit, "content": "best"})
    assert harness.meter.writes == 6


def test_a_receipt_in_a_group_reads_who_is_in_it(harness: BudgetHarness) -> None:
    group = make_group(harness, 10)
    made = harness.measured({"type": "read", "conversation_id": group, "seq": 2}, user_id="bob")
    assert made == {"BatchGetItem": 2, "UpdateItem": 1, "Query": 2}  # the roster, and whom bob blocks


def test_a_receipt_in_a_large_group_goes_to_ones_own_devices_alone(harness: BudgetHarness) -> None:
    group = make_group(harness, 250, large=True)
    head = harness.say(in_group(group, harness.wired.stores.log.read_back(group, limit=1)[0].seq))["seq"]
    made = harness.measured({"type": "read", "conversation_id": group, "seq": head}, user_id="bob")
    assert made == {"BatchGetItem": 2, "UpdateItem": 1}
    assert harness.meter.reads <= 4


def test_the_rate_limit_costs_at_most_a_fifth_of_a_write_unit_a_message(
    harness: BudgetHarness, buckets: DynamoDbBuckets
) -> None:
    harness.limit(buckets)
    harness.meter.reset()
    for number in range(100):
        harness.say({"type": "message", "to": "bob", "content": "x", "client_message_id": f"{number}", "after": 3})
        harness.clock.advance(40)
    assert 1 <= harness.meter.count["UpdateItem"] <= 20


def test_a_presence_transition_that_nobody_watches_is_one_read(harness: BudgetHarness) -> None:
    harness.wired.stores.sessions.remove("alice", "a1=", now=NOW)
    harness.meter.reset()
    told = check_offline(
        Gone("alice", NOW), stores=harness.wired.stores, services=harness.wired.services, now=lambda: NOW
    )
    assert told
    assert harness.meter.count == {"BatchGetItem": 1, "UpdateItem": 1, "Query": 1}


def far(seq: int, base: Entry) -> Entry:
    """An entry far up a log, without the million entries before it."""
    return replace(base, seq=seq, number=seq, message_seq=seq)


@pytest.mark.parametrize("head", [10, 1_000_000])
def test_a_million_entries_cost_what_ten_do(harness: BudgetHarness, head: int) -> None:
    log = harness.wired.stores.log
    (base,) = log.read(DM, start=3, limit=1)
    for seq in range(max(head - 120, 4), head + 1):
        assert log.put(far(seq, base)) is None
    appended = harness.measured(message(head, "far"))
    assert (appended, harness.meter.reads <= 3, harness.meter.writes) == ({"BatchGetItem": 2, "PutItem": 1}, True, 1)
    harness.meter.reset()
    found = history(DM, Span(5), user_id="alice", stores=harness.wired.stores)
    assert (found.messages[0].seq, harness.meter.count) == (head + 1, {"BatchGetItem": 1, "Query": 1})
    history_units = harness.meter.reads
    synced = harness.measured({"type": "sync", "conversations": {DM: head - 1}})
    assert (synced, history_units, harness.meter.reads) == ({"BatchGetItem": 1, "Query": 2}, 3, 3)


def test_sending_costs_the_same_however_long_the_log_is(harness: BudgetHarness) -> None:
    first = harness.measured(message(3, "x"))
    units = (harness.meter.reads, harness.meter.writes)
    for seq in range(4, 40):
        harness.say(message(seq, f"more {seq}"))
    assert (harness.measured(message(40, "y")), (harness.meter.reads, harness.meter.writes)) == (first, units)
