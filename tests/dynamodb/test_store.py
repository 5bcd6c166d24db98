"""The store beyond DynamoDB's API: what it refuses to simulate, what it tells of its writes, how it is looked into.

That it answers as DynamoDB does is held in tests/contracts, by suites that other implementations run, too.
"""

from __future__ import annotations

from typing import Any

import pytest

from shared.adapters.aws.calls import ServiceError
from shared.adapters.dynamodb.client import to_item
from tests.dynamodb import Store, Unsupported, Written
from tests.dynamodb.store import TOKEN_MS
from tests.dynamodb.tables import KEYS
from tests.moto_tables import TABLES

KEY = {"user_id": {"S": "u"}}
COUNT = {
    "TableName": "sessions",
    "Key": KEY,
    "UpdateExpression": "ADD n :one",
    "ExpressionAttributeValues": to_item({":one": 1}),
}


def test_its_tables_have_the_keys_of_the_others() -> None:
    assert dict(KEYS) == TABLES


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("Scan", {"TableName": "sessions", "Select": "COUNT"}),
        ("CreateTable", {"TableName": "sessions"}),
        ("GetItem", {"TableName": "sessions", "Key": KEY, "ProjectionExpression": "a"}),
        ("PutItem", {"TableName": "sessions", "Item": KEY, "ReturnConsumedCapacity": "TOTAL"}),
        ("PutItem", {"TableName": "sessions", "Item": {**KEY, "a": {"B": "AAAA"}}}),
        ("UpdateItem", {**COUNT, "UpdateExpression": "ADD entries[0] :one"}),
        ("UpdateItem", {**COUNT, "UpdateExpression": "ADD user_id.n :one"}),
        ("Query", {"TableName": "log", "KeyConditionExpression": "seq = :one", "FilterExpression": "a = :one"}),
        ("BatchGetItem", {"RequestItems": {"sessions": {"Keys": [KEY], "AttributesToGet": ["a"]}}}),
        ("BatchWriteItem", {"RequestItems": {"sessions": [{"UpdateRequest": {"Key": KEY}}]}}),
        ("TransactWriteItems", {"TransactItems": [{"Put": {"TableName": "sessions", "Item": KEY, "Returned": "ALL"}}]}),
        ("TransactWriteItems", {"TransactItems": [{"Get": {"TableName": "sessions", "Key": KEY}}]}),
        ("TransactWriteItems", {"TransactItems": [{"Update": COUNT}], "ReturnItemCollectionMetrics": "SIZE"}),
    ],
)
def test_what_it_does_not_simulate_ends_the_test(operation: str, request_: dict[str, Any]) -> None:
    with pytest.raises(Unsupported):
        Store().call(operation, request_)


def test_part_of_a_document_is_not_shown_as_updated() -> None:
    store = Store()
    store.call("PutItem", {"TableName": "sessions", "Item": {**KEY, "a": to_item({"b": {"c": 1}})["b"]}})
    update = {**COUNT, "UpdateExpression": "ADD a.c :one", "ReturnValues": "UPDATED_NEW"}
    with pytest.raises(Unsupported):
        store.call("UpdateItem", update)


def test_every_write_that_changes_an_item_is_told_in_order() -> None:
    told: list[Written] = []
    store = Store(on_write=told.append)
    item = {**KEY, "n": {"N": "1"}}
    store.call("PutItem", {"TableName": "sessions", "Item": item})
    store.call("PutItem", {"TableName": "sessions", "Item": dict(item)})
    store.call("UpdateItem", COUNT)
    store.call("TransactWriteItems", {"TransactItems": [{"Delete": {"TableName": "sessions", "Key": KEY}}]})
    store.call("DeleteItem", {"TableName": "sessions", "Key": KEY})
    counted = {**KEY, "n": {"N": "2"}}
    assert told == [
        Written("sessions", KEY, None, item),
        Written("sessions", KEY, item, counted),
        Written("sessions", KEY, counted, None),
    ]


def test_a_refused_write_is_not_told() -> None:
    told: list[Written] = []
    store = Store(on_write=told.append)
    update = {**COUNT, "ConditionExpression": "attribute_exists(n)"}
    for operation, request in (("UpdateItem", update), ("TransactWriteItems", {"TransactItems": [{"Update": update}]})):
        with pytest.raises(ServiceError):
            store.call(operation, request)
    assert told == []


def test_a_token_is_forgotten_after_ten_minutes() -> None:
    now = [0]
    store = Store(now_ms=lambda: now[0])
    request = {"TransactItems": [{"Update": COUNT}], "ClientRequestToken": "t"}
    counts = []
    for at in (0, TOKEN_MS - 1, TOKEN_MS, TOKEN_MS + 1):
        now[0] = at
        store.call("TransactWriteItems", request)
        counts.append(store.items("sessions")[0]["n"])
    assert counts == [1, 1, 2, 2]


def test_it_shows_its_items_as_plain_values_in_the_order_of_their_keys() -> None:
    store = Store()
    for conversation_id, seq in (("b", 1), ("a", 10), ("a", 9)):
        item = to_item({"conversation_id": conversation_id, "seq": seq})
        store.call("PutItem", {"TableName": "log", "Item": item})
    assert [(item["conversation_id"], item["seq"]) for item in store.items("log")] == [("a", 9), ("a", 10), ("b", 1)]


def test_two_snapshots_are_equal_while_nothing_changes() -> None:
    store = Store()
    empty = store.snapshot()
    store.call("UpdateItem", COUNT)
    one = store.snapshot()
    store.call("UpdateItem", COUNT)
    assert one not in (empty, store.snapshot())
    store.call("PutItem", {"TableName": "sessions", "Item": {**KEY, "n": {"N": "1"}}})
    assert store.snapshot() == one
    store.call("DeleteItem", {"TableName": "sessions", "Key": KEY})
    assert store.snapshot() == empty


def test_what_was_answered_does_not_change_afterwards() -> None:
    store = Store()
    item = {**KEY, "places": to_item({"a": {"b": {"n": 1}}})["a"]}
    store.call("PutItem", {"TableName": "sessions", "Item": item})
    before = store.call("GetItem", {"TableName": "sessions", "Key": KEY})["Item"]
    store.call("UpdateItem", {**COUNT, "UpdateExpression": "ADD places.b.n :one"})
    assert before == item
    assert store.items("sessions")[0]["places"] == {"b": {"n": 2}}
