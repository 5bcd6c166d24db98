"""What the contract suites can't see of the four tables: how consistent a read is, and which refusals mean what."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from shared.adapters.aws.calls import ServiceError
from shared.adapters.dynamodb.client import to_item
from shared.adapters.dynamodb.conversation_log import DynamoDbConversationLog
from shared.adapters.dynamodb.memberships import DynamoDbMemberships
from shared.adapters.dynamodb.model_stores import DynamoDbContacts
from shared.adapters.dynamodb.relations import DynamoDbBlocks, DynamoDbRelations
from shared.adapters.dynamodb.schema import entry_item
from shared.adapters.dynamodb.sessions import DynamoDbSessions, DynamoDbTickets, connection_value
from shared.adapters.dynamodb.watches import DynamoDbWatches
from shared.domain import connections
from shared.domain.changes import MAX_USERS_PER_CHANGE, Added, Removed, Renamed
from shared.domain.connections import Connection, LimitReached, Registered, StoredTicket
from shared.domain.contacts import Pair
from shared.domain.entries import Entry
from shared.domain.members import Member
from shared.errors import Unavailable
from tests.calls import Unhurried
from tests.changes import GROUP, changed
from tests.fakes import in_turn

ENTRY = Entry("dm:alice:bob", 1, "alice", 5, 1, "hi", message_seq=1, authors={"alice": 1})
OTHER = Entry("dm:alice:bob", 1, "bob", 4, 1, "me first", message_seq=1, authors={"bob": 1})
CONNECTION = Connection("c1=", "alice", "phone", 5, 10)
MEMBER = Member("dm:alice:bob", "alice", 5, read_seq=3, read_number=3, delivered_seq=4)


@dataclass
class OneAnswer(Unhurried):
    """Answers every call alike."""

    answer: Mapping[str, Any] | Exception
    made: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        self.made.append((operation, request))
        if isinstance(self.answer, Exception):
            raise self.answer
        return dict(self.answer)


def _log(calls: OneAnswer) -> DynamoDbConversationLog:
    return DynamoDbConversationLog(calls, log_table="log", members_table="members")


def _refused(item: Any = None) -> ServiceError:
    return ServiceError("ConditionalCheckFailedException", "", {} if item is None else {"Item": to_item(item)})


def _cancelled(*reasons: Mapping[str, Any]) -> ServiceError:
    return ServiceError("TransactionCanceledException", "", {"CancellationReasons": list(reasons)})


def test_a_message_is_one_conditional_put() -> None:
    calls = OneAnswer({})
    assert _log(calls).put(ENTRY) is None
    ((operation, request),) = calls.made
    assert (operation, request["TableName"]) == ("PutItem", "log")
    assert request["ConditionExpression"] == "attribute_not_exists(seq)"
    assert request["ReturnValuesOnConditionCheckFailure"] == "ALL_OLD"


def test_the_first_message_and_its_members_are_one_transaction() -> None:
    calls = OneAnswer({})
    assert _log(calls).put(ENTRY, new_members=["alice", "bob"]) is None
    ((operation, request),) = calls.made
    assert operation == "TransactWriteItems"
    put, *updates = request["TransactItems"]
    assert put["Put"]["ConditionExpression"] == "attribute_not_exists(seq)"
    assert sorted((one["Update"]["Key"]["pk"]["S"], one["Update"]["Key"]["sk"]["S"]) for one in updates) == [
        ("conversation#dm:alice:bob", "user#alice"),
        ("conversation#dm:alice:bob", "user#bob"),
        ("user#alice", "conversation#dm:alice:bob"),
        ("user#bob", "conversation#dm:alice:bob"),
    ]


@pytest.mark.parametrize("members", [(), ("alice", "bob")])
def test_a_place_that_is_taken_gives_who_holds_it(members: Sequence[str]) -> None:
    taken: Mapping[str, Any] = {"Code": "ConditionalCheckFailed", "Item": to_item(entry_item(OTHER))}
    error = _cancelled(taken, {"Code": "None"}) if members else _refused(entry_item(OTHER))
    assert _log(OneAnswer(error)).put(ENTRY, new_members=members) == OTHER


def test_a_message_that_is_refused_is_never_taken_for_stored() -> None:
    with pytest.raises(Unavailable):
        _log(OneAnswer(_refused())).put(ENTRY)


@pytest.mark.parametrize(
    "error",
    [
        _cancelled({"Code": "None"}, {"Code": "ValidationError"}),
        _cancelled(),
        ServiceError("TransactionCanceledException", "", {}),
        ServiceError("ValidationException", "", {}),
        Unavailable(),
    ],
)
def test_a_first_message_that_is_refused_otherwise_is_an_error_and_no_success(error: Exception) -> None:
    with pytest.raises(type(error)):
        _log(OneAnswer(error)).put(ENTRY, new_members=["alice", "bob"])


@pytest.mark.parametrize(
    "read",
    [
        lambda log: log.read("dm:alice:bob", start=1, limit=10),
        lambda log: log.read_back("dm:alice:bob", limit=10),
        lambda log: log.read_back("dm:alice:bob", before=9, limit=10),
    ],
)
def test_the_log_is_read_strongly_and_bounded(read: Callable[[DynamoDbConversationLog], list[Entry]]) -> None:
    calls = OneAnswer({"Items": []})
    assert read(_log(calls)) == []
    ((operation, request),) = calls.made
    assert (operation, request["ConsistentRead"], request["Limit"]) == ("Query", True, 10)


@pytest.mark.parametrize("consistent", [True, False])
def test_a_lookup_is_one_call_as_consistent_as_asked(*, consistent: bool) -> None:
    calls = OneAnswer({"Responses": {"log": [to_item(entry_item(ENTRY))]}})
    found = _log(calls).lookup("dm:alice:bob", seqs=[3, 1, 3], member_id="alice", consistent=consistent)
    assert (found.entries, found.member) == ({1: ENTRY}, None)
    ((operation, request),) = calls.made
    assert operation == "BatchGetItem"
    items = request["RequestItems"]
    assert [key["seq"]["N"] for key in items["log"]["Keys"]] == ["1", "3"]
    assert [table["ConsistentRead"] for table in items.values()] == [consistent, consistent]


def test_a_lookup_of_nothing_is_no_call() -> None:
    calls = OneAnswer({})
    found = _log(calls).lookup("dm:alice:bob", seqs=[])
    assert (found.entries, found.member, calls.made) == ({}, None, [])


def test_memberships_are_read_strongly() -> None:
    calls = OneAnswer({"Items": []})
    memberships = DynamoDbMemberships(calls, members_table="members")
    assert memberships.of_user("alice") == []
    assert memberships.get("dm:alice:bob", "alice") is None
    assert [(operation, request["ConsistentRead"]) for operation, request in calls.made] == [
        ("Query", True),
        ("GetItem", True),
    ]


@pytest.mark.parametrize("error", [ServiceError("ValidationException", "", {}), Unavailable()])
def test_a_conversation_that_cannot_be_made_for_another_reason_is_not_called_existing(error: Exception) -> None:
    with pytest.raises(type(error)):
        DynamoDbMemberships(OneAnswer(error), members_table="m").create("dm:a:b", ["a", "b"], joined_at=1)


def test_a_conversation_that_exists_is_a_value() -> None:
    exists = _cancelled({"Code": "ConditionalCheckFailed"}, {"Code": "None"})
    assert DynamoDbMemberships(OneAnswer(exists), members_table="m").create("dm:a:b", ["a", "b"], joined_at=1) is False


@pytest.mark.parametrize(("answer", "moved"), [({}, True), (_refused(), False)])
def test_a_cursor_moves_by_one_conditional_update(answer: Any, *, moved: bool) -> None:
    calls = OneAnswer(answer)
    memberships = DynamoDbMemberships(calls, members_table="members")
    assert [memberships.move_read(MEMBER), memberships.move_delivered(MEMBER)] == [moved, moved]
    read, delivered = (request for _, request in calls.made)
    assert read["UpdateExpression"] == "SET read_seq = :read_seq, read_number = :read_number"
    assert "read_seq < :read_seq" in read["ConditionExpression"]
    assert delivered["UpdateExpression"] == "SET delivered_seq = :delivered_seq"


def _session(*connections: Connection) -> dict[str, Any]:
    stored = {one.connection_id: connection_value(one) for one in connections}
    return {"user_id": "alice", "connections": stored}


def test_a_connection_is_registered_by_one_update() -> None:
    calls = OneAnswer({"Attributes": to_item(_session())})
    assert DynamoDbSessions(calls, sessions_table="s").register(CONNECTION, limit=10) == Registered([])
    assert [operation for operation, _ in calls.made] == ["UpdateItem"]


def test_registering_again_does_not_count_the_connection_among_the_others() -> None:
    other = Connection("c2=", "alice", "laptop", 6, 11)
    calls = OneAnswer({"Attributes": to_item(_session(CONNECTION, other))})
    assert DynamoDbSessions(calls, sessions_table="s").register(CONNECTION, limit=10) == Registered([other])


def test_at_the_limit_the_connections_that_are_there_come_back() -> None:
    other = Connection("c2=", "alice", "laptop", 6, 11)
    calls = OneAnswer(_refused(_session(other)))
    assert DynamoDbSessions(calls, sessions_table="s").register(CONNECTION, limit=1) == LimitReached([other])
    assert len(calls.made) == 1


def test_removing_what_is_not_there_removes_nothing() -> None:
    other = Connection("c2=", "alice", "laptop", 6, 11)
    sessions = DynamoDbSessions(OneAnswer(_refused(_session(other))), sessions_table="s")
    nobody = DynamoDbSessions(OneAnswer(_refused()), sessions_table="s")
    assert sessions.remove("alice", "c1=", now=1) == connections.Removed(None, [other])
    assert nobody.remove("alice", "c1=", now=1) == connections.Removed(None, [])


def test_sessions_are_read_strongly_and_each_user_once() -> None:
    calls = OneAnswer({"Responses": {"s": [to_item(_session(CONNECTION))]}})
    assert DynamoDbSessions(calls, sessions_table="s").of(["bob", "alice", "bob"]) == {"alice": [CONNECTION]}
    ((_, request),) = calls.made
    wanted = request["RequestItems"]["s"]
    assert ([key["user_id"]["S"] for key in wanted["Keys"]], wanted["ConsistentRead"]) == (["alice", "bob"], True)


def test_nobodys_sessions_are_no_call() -> None:
    calls = OneAnswer({})
    assert DynamoDbSessions(calls, sessions_table="s").of([]) == {}
    assert calls.made == []


def test_a_ticket_is_taken_by_the_delete_that_found_it() -> None:
    ticket = StoredTicket("hash", "alice", 50, 40)
    calls = OneAnswer({})
    tickets = DynamoDbTickets(calls, tickets_table="t")
    tickets.put(ticket)
    (_, request) = calls.made[0]
    assert DynamoDbTickets(OneAnswer({"Attributes": request["Item"]}), tickets_table="t").take("hash") == ticket
    refused = OneAnswer(_refused())
    assert DynamoDbTickets(refused, tickets_table="t").take("hash") is None
    ((operation, request),) = refused.made
    assert (operation, request["ReturnValues"]) == ("DeleteItem", "ALL_OLD")


def test_a_change_and_what_it_does_are_one_transaction_whose_repetition_is_the_same_request() -> None:
    calls = OneAnswer({})
    removal = changed(Removed(("bob",), size=1), ENTRY, place=GROUP, at=9)
    for _ in range(2):
        assert _log(calls).put(removal) is None
    (operation, first), (_, again) = calls.made
    assert (operation, first) == ("TransactWriteItems", again)
    entry, *others = first["TransactItems"]
    assert entry["Put"]["ConditionExpression"] == "attribute_not_exists(seq)"
    assert not any("ConditionExpression" in part for one in others for part in one.values())
    assert [next(iter(one)) for one in others] == ["Update", "Delete", "Delete"]


def test_the_same_change_at_another_place_is_another_request() -> None:
    calls = OneAnswer({})
    for seq in (2, 3):
        _log(calls).put(replace(ENTRY, seq=seq, change=Renamed("x")))
    first, second = (request["ClientRequestToken"] for _, request in calls.made)
    assert first != second
    assert all(len(token) <= 36 for token in (first, second))  # the API's limit


def test_the_largest_change_fits_into_one_transaction() -> None:
    calls = OneAnswer({})
    users = tuple(f"u{number}" for number in range(MAX_USERS_PER_CHANGE))
    for change in (Added(users, size=48, name="new"), Added(users, size=96), Removed(users, size=0)):
        _log(calls).put(replace(ENTRY, change=change))
    assert [len(request["TransactItems"]) for _, request in calls.made] == [98, 98, 98]


def test_blocks_relations_and_rosters_are_read_strongly() -> None:
    calls = OneAnswer({"Responses": {"m": []}, "Items": []})
    DynamoDbBlocks(calls, members_table="m").blocking(["a", "b"], "c")
    relations = DynamoDbRelations(calls, members_table="m", log_table="l", parallel_map=in_turn)
    relations.between("a", [f"u{number}" for number in range(26)])
    DynamoDbContacts(calls, members_table="m").pair("a", "b")
    memberships = DynamoDbMemberships(calls, members_table="m")
    memberships.among("dm:a:b", ["a", "b"])
    memberships.groups(["group:1"])
    assert memberships.roster("group:1") is None
    *batches, query = [request for _, request in calls.made]
    assert [len(request["RequestItems"]["m"]["Keys"]) for request in batches] == [2, 100, 4, 3, 2, 1]
    assert all(request["RequestItems"]["m"]["ConsistentRead"] for request in batches)
    assert query["ConsistentRead"]


@pytest.mark.parametrize("error", [ServiceError("ValidationException", "", {}), Unavailable()])
def test_a_contact_that_cannot_be_changed_for_another_reason_is_no_race(error: Exception) -> None:
    with pytest.raises(type(error)):
        DynamoDbContacts(OneAnswer(error), members_table="m").change(
            "a", "b", was=Pair(None, None, blocks_me=False), mine=None, theirs=None
        )


class Unprocessed(Unhurried):
    """Leaves what it is asked to write for later, so many times."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.sizes: list[int] = []

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation != "BatchWriteItem":
            return {}
        self.sizes.append(len(request["RequestItems"]["m"]))
        self.times -= 1
        return {"UnprocessedItems": request["RequestItems"]} if self.times >= 0 else {}


def test_watches_are_written_25_to_a_call_and_again_what_was_left() -> None:
    calls = Unprocessed(2)
    DynamoDbWatches(calls, members_table="m").replace("a", "c1", [f"u{n}" for n in range(100)], expires_at=1_000)
    assert calls.sizes == [25, 25, 25, 25, 25, 25]  # the list of them follows on its own, since it has a condition
    with pytest.raises(Unavailable):
        DynamoDbWatches(Unprocessed(100), members_table="m").replace("a", "c1", ["b"], expires_at=1_000)
