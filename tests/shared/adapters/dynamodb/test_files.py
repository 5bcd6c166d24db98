"""What the contract suite can't see of files in DynamoDB: conditions, refusals, consistency, and when a row ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from shared.adapters.aws.calls import ServiceError
from shared.adapters.dynamodb.client import from_item, to_item
from shared.adapters.dynamodb.conversation_log import DynamoDbConversationLog
from shared.adapters.dynamodb.files import DynamoDbFiles
from shared.adapters.dynamodb.schema import entry_item
from shared.domain.changes import Deleted
from shared.domain.entries import Entry
from shared.domain.files import IMAGE, READY, REJECTED, File
from shared.errors import NotFound, Unavailable
from tests.changes import changed
from tests.shared.adapters.dynamodb.test_adapters import OneAnswer

ENTRY = Entry("dm:alice:bob", 2, "alice", 5, 2, "", message_type="image", file_id="cat", message_seq=2)
OTHER = Entry("dm:alice:bob", 2, "bob", 4, 2, "me first", message_seq=2, authors={"bob": 2})
CAT = File("cat", "alice", IMAGE, "cat.png", "image/png", 5, created_at=1_000, expires_at=901_500)
FILE = {"pk": {"S": "file#cat"}, "sk": {"S": "file"}}
REFERENCE = {"pk": {"S": "file#cat"}, "sk": {"S": "message#dm:alice:bob/2"}}
FAILED: Mapping[str, Any] = {"Code": "ConditionalCheckFailed"}
TAKEN: Mapping[str, Any] = {**FAILED, "Item": to_item(entry_item(OTHER))}
FINE: Mapping[str, Any] = {"Code": "None"}
BUSY: Mapping[str, Any] = {"Code": "TransactionConflict"}


def log(calls: OneAnswer) -> DynamoDbConversationLog:
    return DynamoDbConversationLog(calls, log_table="log", members_table="members")


def files(calls: OneAnswer) -> DynamoDbFiles:
    return DynamoDbFiles(calls, members_table="members")


def cancelled(*reasons: Mapping[str, Any]) -> ServiceError:
    return ServiceError("TransactionCanceledException", "", {"CancellationReasons": list(reasons)})


def test_a_message_its_count_and_its_reference_are_one_transaction() -> None:
    calls = OneAnswer({})
    for _ in range(2):
        assert log(calls).put(ENTRY) is None
    (operation, request), (_, again) = calls.made
    assert (operation, request) == ("TransactWriteItems", again)
    put, counted, reference = request["TransactItems"]
    assert put["Put"]["ConditionExpression"] == "attribute_not_exists(seq)"
    assert (counted["Update"]["TableName"], counted["Update"]["Key"]) == ("members", FILE)
    assert counted["Update"]["ConditionExpression"] == "#status = :ready"
    assert counted["Update"]["UpdateExpression"] == "ADD #references :one REMOVE #ttl"
    assert reference["Put"] == {"TableName": "members", "Item": {**REFERENCE, "conversation_id": {"S": "dm:alice:bob"}}}


def test_deleting_it_takes_both_back_and_has_no_condition_but_its_place() -> None:
    calls = OneAnswer({})
    gone = changed(Deleted(2, None, "cat"), ENTRY, at=9)
    assert log(calls).put(gone) is None
    put, message, counted, reference = calls.made[0][1]["TransactItems"]
    assert (put["Put"]["Item"]["kind"], put["Put"]["Item"]["file_id"]) == ({"S": "message_deleted"}, {"S": "cat"})
    assert message["Update"]["Key"]["seq"] == {"N": "2"}
    assert (counted["Update"]["Key"], counted["Update"]["ExpressionAttributeValues"]) == (FILE, {":less": {"N": "-1"}})
    assert reference == {"Delete": {"TableName": "members", "Key": REFERENCE}}
    assert [
        name for part in (message, counted, reference) for one in part.values() for name in one if "Cond" in name
    ] == []


@pytest.mark.parametrize("reasons", [(TAKEN, FAILED, FINE), (TAKEN, FINE, FINE), (TAKEN, BUSY, FINE)])
def test_a_taken_place_is_told_whatever_is_with_the_file(reasons: Sequence[Mapping[str, Any]]) -> None:
    assert log(OneAnswer(cancelled(*reasons))).put(ENTRY) == OTHER


@pytest.mark.parametrize("reasons", [(FINE, FAILED, FINE), (BUSY, FAILED, FINE)])
def test_a_file_that_is_not_ready_is_not_found(reasons: Sequence[Mapping[str, Any]]) -> None:
    with pytest.raises(NotFound):
        log(OneAnswer(cancelled(*reasons))).put(ENTRY)


@pytest.mark.parametrize("error", [cancelled(FINE, {"Code": "ValidationError"}, FINE), cancelled(), Unavailable()])
def test_another_refusal_is_an_error_and_neither_stored_nor_not_found(error: Exception) -> None:
    with pytest.raises(type(error)):
        log(OneAnswer(error)).put(ENTRY)


def test_files_and_their_references_are_read_strongly() -> None:
    calls = OneAnswer({"Items": []})
    assert (files(calls).get("cat"), dict(files(calls).messages("cat"))) == (None, {})
    assert [(operation, request["ConsistentRead"]) for operation, request in calls.made] == [
        ("GetItem", True),
        ("Query", True),
    ]
    assert calls.made[1][1]["ExpressionAttributeValues"] == {":file": {"S": "file#cat"}, ":prefix": {"S": "message#"}}


def test_a_file_its_bytes_and_when_it_is_due_are_one_transaction() -> None:
    calls = OneAnswer({})
    assert files(calls).create(CAT, quota=7, due=1_234)
    ((operation, request),) = calls.made
    assert operation == "TransactWriteItems"
    counted, noted, due = request["TransactItems"]
    assert counted["Update"]["Key"] == {"pk": {"S": "user#alice"}, "sk": {"S": "files"}}
    assert counted["Update"]["UpdateExpression"] == "ADD #bytes :size"
    assert counted["Update"]["ConditionExpression"] == "attribute_not_exists(#bytes) OR #bytes <= :room"
    assert counted["Update"]["ExpressionAttributeValues"] == {":size": {"N": "5"}, ":room": {"N": "2"}}
    item = from_item(noted["Put"]["Item"])
    assert (item["counted"], item["size"], "ttl" in item) == (True, 5, False)
    assert due["Put"]["Item"]["sk"] == {"S": "0000000000001234#cat"}
    assert due["Put"]["Item"]["pk"]["S"].startswith("due#")


def test_one_that_is_larger_than_all_may_be_is_not_asked_about() -> None:
    calls = OneAnswer({})
    assert not files(calls).create(CAT, quota=4)
    assert calls.made == []


def test_what_is_ready_stays_counted_and_a_row_of_the_first_edition_has_no_end_from_then_on() -> None:
    calls = OneAnswer({})
    assert files(calls).settle(replace(CAT, status=READY, width=4, height=3))
    ((operation, request),) = calls.made
    update = "SET #status = :status, #width = :width, #height = :height, #has_thumbnail = :has_thumbnail REMOVE #ttl"
    assert (operation, request["UpdateExpression"]) == ("UpdateItem", update)
    assert (request["Key"], request["ConditionExpression"]) == (FILE, "#status = :pending")


def test_what_is_rejected_counts_no_more_in_the_same_transaction() -> None:
    calls = OneAnswer({})
    assert files(calls).settle(replace(CAT, status=REJECTED, reason="wrong_size"))
    ((_, request),) = calls.made
    outcome, less = request["TransactItems"]
    update = "SET #status = :status, #reason = :reason, #has_thumbnail = :has_thumbnail REMOVE #counted"
    assert outcome["Update"]["UpdateExpression"] == update
    assert outcome["Update"]["ConditionExpression"] == "#status = :pending AND attribute_exists(#counted)"
    assert less["Update"]["ExpressionAttributeValues"] == {":less": {"N": "-5"}}


@pytest.mark.parametrize("error", [ServiceError("ValidationException", "", {}), Unavailable()])
def test_what_could_not_be_written_for_another_reason_is_an_error(error: Exception) -> None:
    with pytest.raises(type(error)):
        files(OneAnswer(error)).retire("cat")
    with pytest.raises(type(error)):
        files(OneAnswer(error)).settle(CAT)
    with pytest.raises(type(error)):
        files(OneAnswer(error)).create(CAT)
