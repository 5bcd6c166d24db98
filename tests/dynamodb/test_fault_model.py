"""What the store does to its callers when it is told to: everything that DynamoDB leaves open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.adapters.dynamodb.client import batch_get, from_item, query, to_item
from shared.adapters.dynamodb.watches import DynamoDbWatches
from tests.dynamodb import Store


@dataclass
class Bad:
    """All of it, all the time; `left` is how much of the first batch comes back."""

    behind: bool = False
    length: int | None = None
    left: int = 0

    def stale(self) -> bool:
        return self.behind

    def page(self) -> int | None:
        return self.length

    def unprocessed(self, keys: int) -> int:
        left, self.left = min(self.left, keys), 0
        return left


ALL = {
    "TableName": "log",
    "KeyConditionExpression": "conversation_id = :c",
    "ExpressionAttributeValues": to_item({":c": "c"}),
}


def entry(seq: int, text: str = "hi") -> dict[str, Any]:
    return to_item({"conversation_id": "c", "seq": seq, "text": text})


def key(seq: int) -> dict[str, Any]:
    return to_item({"conversation_id": "c", "seq": seq})


def put(store: Store, *seqs: int, text: str = "hi") -> None:
    for seq in seqs:
        store.call("PutItem", {"TableName": "log", "Item": entry(seq, text)})


def found(store: Store, *, consistent: bool) -> list[list[tuple[int, str]]]:
    """What a get of 1, a batch of 1 to 3 and a query say."""
    one = store.call("GetItem", {"TableName": "log", "Key": key(1), "ConsistentRead": consistent})
    asked = {"Keys": [key(seq) for seq in (1, 2, 3)], "ConsistentRead": consistent}
    batch = store.call("BatchGetItem", {"RequestItems": {"log": asked}})["Responses"]["log"]
    page = store.call("Query", {**ALL, "ConsistentRead": consistent})["Items"]
    answers = [[one["Item"]] if "Item" in one else [], batch, page]
    return [[(item["seq"], item["text"]) for item in map(from_item, answer)] for answer in answers]


def test_a_stale_read_answers_from_before_the_items_last_write() -> None:
    store = Store(fault_model=Bad(behind=True))
    put(store, 1)
    put(store, 1, text="edited")
    put(store, 2)
    put(store, 3)
    store.call("DeleteItem", {"TableName": "log", "Key": key(3)})
    assert found(store, consistent=False) == [[(1, "hi")], [(1, "hi"), (3, "hi")], [(1, "hi"), (3, "hi")]]


def test_a_consistent_read_is_never_stale() -> None:
    store = Store(fault_model=Bad(behind=True))
    put(store, 1)
    put(store, 1, text="edited")
    put(store, 2)
    now = [(1, "edited"), (2, "hi")]
    assert found(store, consistent=True) == [[(1, "edited")], now, now]


def test_conditions_and_updates_are_never_stale() -> None:
    store = Store(fault_model=Bad(behind=True))
    put(store, 1)
    store.call("DeleteItem", {"TableName": "log", "Key": key(1)})
    store.call("PutItem", {"TableName": "log", "Item": entry(1), "ConditionExpression": "attribute_not_exists(seq)"})
    assert found(store, consistent=True)[0] == [(1, "hi")]


def test_a_short_page_says_where_the_next_one_begins() -> None:
    store = Store(fault_model=Bad(length=2))
    put(store, *range(1, 6))
    page = store.call("Query", ALL)
    assert (page["Count"], page["LastEvaluatedKey"]) == (2, key(2))
    assert [item["seq"] for item in query(store, ALL)] == [1, 2, 3, 4, 5]
    backwards = {**ALL, "ScanIndexForward": False}
    assert [item["seq"] for item in query(store, backwards, limit=4)] == [5, 4, 3, 2]


def test_a_page_with_all_there_is_has_no_next_one() -> None:
    store = Store(fault_model=Bad(length=2))
    put(store, 1, 2)
    assert "LastEvaluatedKey" not in store.call("Query", ALL)


def test_unprocessed_keys_can_be_asked_for_again_as_they_come() -> None:
    store = Store(fault_model=Bad(left=2))
    put(store, 1, 2, 3)
    asked = {"log": {"Keys": [key(1), key(2), key(3)], "ConsistentRead": True}}
    answer = store.call("BatchGetItem", {"RequestItems": asked})
    assert [from_item(item)["seq"] for item in answer["Responses"]["log"]] == [1]
    assert answer["UnprocessedKeys"] == {"log": {"Keys": [key(2), key(3)], "ConsistentRead": True}}
    again = store.call("BatchGetItem", {"RequestItems": answer["UnprocessedKeys"]})
    assert [from_item(item)["seq"] for item in again["Responses"]["log"]] == [2, 3]


def test_the_adapters_ask_again_for_what_is_unprocessed() -> None:
    fault_model = Bad(left=100)
    store = Store(fault_model=fault_model)
    put(store, 1, 2)
    assert len(batch_get(store, {"log": [{"conversation_id": "c", "seq": 1}]}, consistent=True)["log"]) == 1
    fault_model.left = 1
    watches = DynamoDbWatches(store, members_table="members")
    watches.replace("alice", "c1", ["bob", "carol"], expires_at=5)
    assert [len(watches.of(user)) for user in ("bob", "carol")] == [1, 1]


def test_unprocessed_writes_have_not_happened() -> None:
    store = Store(fault_model=Bad(left=1))
    requests = [{"PutRequest": {"Item": entry(1)}}, {"PutRequest": {"Item": entry(2)}}]
    answer = store.call("BatchWriteItem", {"RequestItems": {"log": requests}})
    assert answer["UnprocessedItems"] == {"log": requests[1:]}
    assert [item["seq"] for item in store.items("log")] == [1]
