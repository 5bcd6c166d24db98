"""DynamoDB's own semantics, at the level of its API: queries, their pages, and batches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from shared.adapters.dynamodb.client import Calls, from_item, to_item
from tests.contracts.calling import VALIDATION, get, put, refused, shown

MEGABYTE = 1024 * 1024


def fill(calls: Calls, seqs: Iterable[int], **more: Any) -> None:
    for seq in seqs:
        put(calls, {"conversation_id": "c", "seq": seq, **more}, table="log")


def query(
    calls: Calls, more: str = "", values: dict[str, Any] | None = None, **request: Any
) -> tuple[list[int], int | None]:
    """The sequence numbers of a page of conversation c, and the one after which the next page begins."""
    answer = calls.call("Query", asked(more, values, **request))
    assert answer["Count"] == answer["ScannedCount"] == len(answer["Items"])
    last = answer.get("LastEvaluatedKey")
    if last is not None:
        assert set(last) == {"conversation_id", "seq"}
    return [from_item(item)["seq"] for item in answer["Items"]], from_item(last)["seq"] if last else None


def asked(more: str = "", values: dict[str, Any] | None = None, **request: Any) -> dict[str, Any]:
    given = {":id": "c", **{f":{name}": value for name, value in (values or {}).items()}}
    condition = f"conversation_id = :id{' AND ' + more if more else ''}"
    return {
        "TableName": "log",
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": to_item(given),
        "ConsistentRead": True,
        **request,
    }


def key(seq: int, conversation_id: str = "c") -> dict[str, Any]:
    return to_item({"conversation_id": conversation_id, "seq": seq})


def test_what_is_not_there_is_no_item(calls: Calls) -> None:
    assert get(calls) is None


def test_numbers_sort_as_numbers(calls: Calls) -> None:
    fill(calls, (10, 9, 100, -1, 0))
    assert query(calls)[0] == [-1, 0, 9, 10, 100]
    assert query(calls, ScanIndexForward=False)[0] == [100, 10, 9, 0, -1]


def test_texts_sort_by_their_bytes(calls: Calls) -> None:
    names = ["Z", "a", "\u00e9", "\uffee", "\U0001f600"]
    for name in reversed(names):
        put(calls, {"pk": "p", "sk": name}, table="members")
    request = {"TableName": "members", "KeyConditionExpression": "pk = :p"}
    answer = calls.call("Query", {**request, "ExpressionAttributeValues": to_item({":p": "p"})})
    assert [from_item(item)["sk"] for item in answer["Items"]] == names


@pytest.mark.parametrize(
    ("condition", "values", "expected"),
    [
        ("seq = :a", {"a": 3}, [3]),
        ("seq < :a", {"a": 3}, [1, 2]),
        ("seq <= :a", {"a": 3}, [1, 2, 3]),
        ("seq > :a", {"a": 3}, [4, 10]),
        ("seq >= :a", {"a": 3}, [3, 4, 10]),
        ("seq >= :a", {"a": 5}, [10]),
        ("seq BETWEEN :a AND :b", {"a": 2, "b": 4}, [2, 3, 4]),
        ("(seq > :a)", {"a": 4}, [10]),
        (":a < seq", {"a": 4}, [10]),
    ],
    ids=shown,
)
def test_a_part_of_the_sort_keys(calls: Calls, condition: str, values: dict[str, int], expected: list[int]) -> None:
    fill(calls, (1, 2, 3, 4, 10))
    assert query(calls, condition, values) == (expected, None)


def test_rows_by_the_beginning_of_their_sort_key(calls: Calls) -> None:
    for sk in ("block#a", "contact", "contact#a", "contact#b", "contact$", "profile"):
        put(calls, {"pk": "p", "sk": sk}, table="members")
    request = {
        "TableName": "members",
        "KeyConditionExpression": "begins_with(sk, :prefix) AND pk = :p",
        "ExpressionAttributeValues": to_item({":p": "p", ":prefix": "contact#"}),
    }
    answer = calls.call("Query", request)
    assert [from_item(item)["sk"] for item in answer["Items"]] == ["contact#a", "contact#b"]


def test_a_query_finds_nothing_of_another_key(calls: Calls) -> None:
    fill(calls, [1])
    put(calls, {"conversation_id": "cc", "seq": 2}, table="log")
    assert query(calls) == ([1], None)
    assert query(calls, "seq > :a", {"a": 1}) == ([], None)


def test_a_page_ends_at_its_limit_and_the_next_one_goes_on_there(calls: Calls) -> None:
    fill(calls, range(1, 6))
    assert query(calls, Limit=2) == ([1, 2], 2)
    assert query(calls, Limit=2, ExclusiveStartKey=key(2)) == ([3, 4], 4)
    assert query(calls, Limit=2, ExclusiveStartKey=key(4)) == ([5], None)
    assert query(calls, Limit=2, ScanIndexForward=False, ExclusiveStartKey=key(4)) == ([3, 2], 2)


def test_a_page_that_ends_with_the_last_item_does_not_know_it(calls: Calls) -> None:
    fill(calls, (1, 2))
    assert query(calls, Limit=2) == ([1, 2], 2)
    assert query(calls, Limit=2, ExclusiveStartKey=key(2)) == ([], None)
    assert query(calls, Limit=3) == ([1, 2], None)


def test_a_page_that_ends_where_the_range_ends_knows_it(calls: Calls) -> None:
    fill(calls, (1, 2, 3))
    assert query(calls, "seq <= :a", {"a": 2}, Limit=2) == ([1, 2], None)
    assert query(calls, "seq BETWEEN :a AND :b", {"a": 2, "b": 3}, Limit=2) == ([2, 3], None)
    assert query(calls, "seq >= :a", {"a": 2}, Limit=2, ScanIndexForward=False) == ([3, 2], None)
    assert query(calls, "seq < :a", {"a": 3}, Limit=2) == ([1, 2], 2)


def test_a_query_goes_on_after_a_key_that_is_not_there_any_more(calls: Calls) -> None:
    fill(calls, (1, 5))
    assert query(calls, ExclusiveStartKey=key(3)) == ([5], None)
    assert query(calls, ExclusiveStartKey=key(3), ScanIndexForward=False) == ([1], None)


def test_a_page_ends_with_the_item_that_completes_a_megabyte(calls: Calls) -> None:
    fill(calls, range(1, 7), text="x" * 250_000)
    assert query(calls) == ([1, 2, 3, 4, 5], 5)
    assert query(calls, ExclusiveStartKey=key(5)) == ([6], None)
    assert query(calls, ScanIndexForward=False)[1] == 2


@pytest.mark.parametrize(
    "request_",
    [
        asked(Limit=0),
        asked(ExclusiveStartKey=key(1, "other")),
        asked("seq > :a", {"a": 2}, ExclusiveStartKey=key(1)),
        asked(ExclusiveStartKey=to_item({"conversation_id": "c"})),
        asked("seq <> :a", {"a": 1}),
        asked("other = :a", {"a": 1}),
        asked("seq = :a", {"a": "1"}),
        asked("seq IN (:a)", {"a": 1}),
        asked("begins_with(seq, :a)", {"a": 1}),
        asked("seq > :a AND seq < :b", {"a": 1, "b": 3}),
        asked("seq BETWEEN :a AND :b", {"a": 3, "b": 1}),
        asked("attribute_exists(seq)"),
        {**asked("", {"a": 1}), "KeyConditionExpression": "conversation_id = :id OR seq = :a"},
        {**asked(), "KeyConditionExpression": "conversation_id > :id"},
        {**asked(), "KeyConditionExpression": "seq = :id"},
        {**asked(), "ExpressionAttributeValues": to_item({":id": ""})},
        {**asked(), "ExpressionAttributeValues": to_item({":id": "c", ":unused": 1})},
        {"TableName": "log"},
    ],
    ids=[
        *("limit of 0", "start elsewhere", "start outside", "half a start", "<>", "no key", "another type", "IN"),
        *("begins_with of a number", "two of one key", "upside down", "attribute_exists", "OR", "hash key >"),
        *("sort key alone", "empty key", "unused value", "no condition"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(calls: Calls, request_: dict[str, Any]) -> None:
    assert refused(calls, "Query", request_).code == VALIDATION


def test_a_read_that_may_be_behind_is_not_while_nothing_happens(calls: Calls) -> None:
    put(calls, {"a": 1})
    assert get(calls, consistent=False) == get(calls, consistent=True)


def test_a_batch_has_items_of_several_tables_and_nothing_for_what_is_not_there(calls: Calls) -> None:
    fill(calls, (1, 2))
    put(calls, {"a": 1})
    request = {
        "log": {"Keys": [key(1), key(2), key(3)], "ConsistentRead": True},
        "sessions": {"Keys": [to_item({"user_id": "u"}), to_item({"user_id": "v"})]},
    }
    answer = calls.call("BatchGetItem", {"RequestItems": request})
    found = {table: [from_item(item) for item in items] for table, items in answer["Responses"].items()}
    assert sorted(entry["seq"] for entry in found["log"]) == [1, 2]
    assert found["sessions"] == [{"user_id": "u", "a": 1}]
    assert answer["UnprocessedKeys"] == {}


@pytest.mark.parametrize(
    "asked_",
    [
        {},
        {"log": {"Keys": []}},
        {"log": {"Keys": [key(1), key(2), key(1)]}},
        {"log": {"Keys": [key(seq) for seq in range(101)]}},
        {
            "log": {"Keys": [key(seq) for seq in range(60)]},
            "tickets": {"Keys": [to_item({"ticket": str(number)}) for number in range(41)]},
        },
        {"log": {"Keys": [to_item({"conversation_id": "c"})]}},
    ],
    ids=["nothing", "no keys", "duplicates", "101", "101 in two tables", "half a key"],
)
def test_a_batch_get_that_makes_no_sense_is_refused(calls: Calls, asked_: dict[str, Any]) -> None:
    assert refused(calls, "BatchGetItem", {"RequestItems": asked_}).code == VALIDATION


def test_a_batch_get_ends_before_16_megabytes_and_says_what_is_left(calls: Calls) -> None:
    fill(calls, range(43), text="x" * 400_000)
    request = {"log": {"Keys": [key(seq) for seq in range(43)], "ConsistentRead": True}}
    answer = calls.call("BatchGetItem", {"RequestItems": request})
    assert len(answer["Responses"]["log"]) == 41
    assert {table: len(left["Keys"]) for table, left in answer["UnprocessedKeys"].items()} == {"log": 2}
    assert answer["UnprocessedKeys"]["log"].get("ConsistentRead")


def test_a_batch_write_puts_and_deletes(calls: Calls) -> None:
    fill(calls, (1, 2))
    requests = [{"DeleteRequest": {"Key": key(1)}}, {"PutRequest": {"Item": key(3)}}]
    answer = calls.call("BatchWriteItem", {"RequestItems": {"log": requests}})
    assert answer["UnprocessedItems"] == {}
    assert query(calls)[0] == [2, 3]


@pytest.mark.parametrize(
    "requests",
    [
        [],
        [{"PutRequest": {"Item": key(1)}}, {"DeleteRequest": {"Key": key(1)}}],
        [{"PutRequest": {"Item": key(seq)}} for seq in range(26)],
        [{"PutRequest": {"Item": key(1)}}, {"PutRequest": {"Item": to_item({"seq": 2})}}],
        [{"PutRequest": {"Item": key(1)}}, {"PutRequest": {"Item": {**key(2), "text": {"S": "x" * 410_000}}}}],
    ],
    ids=["nothing", "one place twice", "26", "one without its key", "one too large"],
)
def test_a_batch_write_that_makes_no_sense_is_refused_as_a_whole(calls: Calls, requests: list[Any]) -> None:
    assert refused(calls, "BatchWriteItem", {"RequestItems": {"log": requests}}).code == VALIDATION
    assert query(calls)[0] == []


def scan(calls: Calls, **request: Any) -> tuple[list[int], dict[str, Any] | None]:
    """The sequence numbers of a page of the log, in whichever order; and the key after which the next one begins."""
    answer = calls.call("Scan", {"TableName": "log", "ConsistentRead": True, **request})
    assert answer["Count"] == len(answer["Items"])
    return sorted(from_item(item)["seq"] for item in answer["Items"]), answer.get("LastEvaluatedKey")


def test_a_scan_reads_every_row_once_page_after_page_whatever_the_filter_lets_through(calls: Calls) -> None:
    fill(calls, range(1, 8), kind="message")
    for seq in (2, 5):
        put(calls, {"conversation_id": "other", "seq": seq, "kind": "reaction"}, table="log")
    only = {"FilterExpression": "kind = :kind", "ExpressionAttributeValues": to_item({":kind": "reaction"})}
    for limit in (1, 4, 100):
        found: list[int] = []
        start: dict[str, Any] = {}
        pages = 0
        while True:
            page, last = scan(calls, **only, **start, Limit=limit)
            found += page
            pages += 1
            if last is None:
                break
            start = {"ExclusiveStartKey": last}
        assert sorted(found) == [2, 5]
        assert pages >= 9 // limit
    assert scan(calls)[0] == [1, 2, 2, 3, 4, 5, 5, 6, 7]
