from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.aws.calls import ServiceError
from shared.adapters.dynamodb import client as dynamodb
from shared.adapters.dynamodb.client import (
    BATCH_GET_LIMIT,
    Refused,
    batch_get,
    conditionally,
    from_attribute,
    from_item,
    query,
    to_attribute,
    to_item,
)
from shared.config import AwsEnvironment
from shared.errors import Unavailable
from tests.calls import Unhurried

_VALUES = st.recursive(
    st.text() | st.booleans() | st.integers(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@dataclass
class ScriptedCalls(Unhurried):
    """Answers by a function of the request, and remembers what was asked."""

    answer: Callable[[str, Mapping[str, Any]], dict[str, Any]]
    made: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        self.made.append((operation, dict(request)))  # it may be changed for the next page
        return self.answer(operation, request)


def test_the_service_is_the_regions_dynamodb() -> None:
    service = dynamodb.dynamodb(AwsEnvironment("eu-west-1", "a", "b", "", ""))
    assert service._pool.host == "dynamodb.eu-west-1.amazonaws.com"
    assert service._target_prefix == "DynamoDB_20120810"


@given(value=_VALUES)
def test_values_come_back_as_they_went(value: Any) -> None:
    assert from_attribute(to_attribute(value)) == value


@given(item=st.dictionaries(st.text(), st.none() | _VALUES))
def test_items_come_back_without_what_is_none(item: dict[str, Any]) -> None:
    assert from_item(to_item(item)) == {name: value for name, value in item.items() if value is not None}


@pytest.mark.parametrize(
    ("value", "attribute"),
    [
        ("", {"S": ""}),
        (True, {"BOOL": True}),
        (1, {"N": "1"}),
        (-(10**30), {"N": "-1" + "0" * 30}),
        ((1, "a"), {"L": [{"N": "1"}, {"S": "a"}]}),
        ({"a": {"b": None}}, {"M": {"a": {"M": {}}}}),
    ],
)
def test_each_type_has_its_attribute(value: Any, attribute: dict[str, Any]) -> None:
    assert to_attribute(value) == attribute


@pytest.mark.parametrize("value", [None, 1.5, b"bytes", {"a"}, frozenset(), object(), [None], {"a": 0.1}])
def test_values_that_no_table_holds_are_refused(value: Any) -> None:
    with pytest.raises(TypeError, match="no DynamoDB attribute for"):
        to_attribute(value)


@pytest.mark.parametrize("attribute", [{"B": "AA=="}, {"NS": ["1"]}, {"NULL": True}, {"N": "1.5"}, {"L": [{"B": ""}]}])
def test_attributes_that_no_table_holds_are_refused(attribute: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_attribute(attribute)


def _conditional(error: ServiceError | None) -> ScriptedCalls:
    def answer(_: str, __: Mapping[str, Any]) -> dict[str, Any]:
        if error is not None:
            raise error
        return {"Attributes": {}}

    return ScriptedCalls(answer)


def test_a_write_whose_condition_holds_gives_its_answer() -> None:
    calls = _conditional(None)
    assert conditionally(calls, "PutItem", {"TableName": "t"}) == {"Attributes": {}}
    assert calls.made == [("PutItem", {"TableName": "t", "ReturnValuesOnConditionCheckFailure": "ALL_OLD"})]


@pytest.mark.parametrize(
    ("body", "item"),
    [({"Item": {"seq": {"N": "3"}}}, {"seq": 3}), ({"Item": None}, None), ({"Item": {}}, None), ({}, None)],
)
def test_a_write_whose_condition_fails_gives_what_was_there(body: dict[str, Any], item: Any) -> None:
    calls = _conditional(ServiceError("ConditionalCheckFailedException", "no", body))
    assert conditionally(calls, "PutItem", {}) == Refused(item)


def test_a_write_that_is_refused_for_another_reason_is_an_error() -> None:
    with pytest.raises(ServiceError):
        conditionally(_conditional(ServiceError("ValidationException", "no", {})), "PutItem", {})


def _paged(pages: Sequence[int]) -> ScriptedCalls:
    """A query over pages of so many items, as `Limit` allows."""
    items = [[{"n": {"N": f"{page}{index}"}} for index in range(size)] for page, size in enumerate(pages)]

    def answer(_: str, request: Mapping[str, Any]) -> dict[str, Any]:
        page = int(request.get("ExclusiveStartKey", {"page": 0})["page"])
        more = {"LastEvaluatedKey": {"page": page + 1}} if page + 1 < len(pages) else {}
        return {"Items": items[page][: request.get("Limit")], **more}

    return ScriptedCalls(answer)


def test_a_query_reads_page_after_page() -> None:
    calls = _paged([2, 0, 1])
    assert [item["n"] for item in query(calls, {"TableName": "t"})] == [0, 1, 20]
    assert [request.get("ExclusiveStartKey") for _, request in calls.made] == [None, {"page": 1}, {"page": 2}]
    assert all("Limit" not in request and request["TableName"] == "t" for _, request in calls.made)


def test_a_query_with_a_limit_asks_for_no_more_than_is_left_of_it() -> None:
    calls = _paged([2, 2, 2])
    assert [item["n"] for item in query(calls, {}, limit=3)] == [0, 1, 10]
    assert [request["Limit"] for _, request in calls.made] == [3, 1]


def test_a_query_whose_limit_is_met_ends_though_there_is_more() -> None:
    calls = _paged([2, 2])
    assert len(list(query(calls, {}, limit=2))) == 2
    assert len(calls.made) == 1


def test_a_query_for_nothing_asks_nothing() -> None:
    calls = _paged([2])
    assert list(query(calls, {}, limit=0)) == []
    assert calls.made == []


def test_a_query_of_an_answer_without_items_is_empty() -> None:
    assert list(query(ScriptedCalls(lambda *_: {}), {})) == []


def test_a_query_leaves_its_request_alone() -> None:
    request = {"TableName": "t"}
    list(query(_paged([1, 1]), request, limit=9))
    assert request == {"TableName": "t"}


def _batches(unprocessed: int = 0) -> ScriptedCalls:
    """Every key asked for is there; so many first calls leave their last key of each table unprocessed."""
    left = [unprocessed]

    def answer(_: str, request: Mapping[str, Any]) -> dict[str, Any]:
        responses: dict[str, Any] = {}
        later: dict[str, Any] = {}
        for table, wanted in request["RequestItems"].items():
            keys = list(wanted["Keys"])
            if left[0]:
                later[table] = {**wanted, "Keys": [keys.pop()]}
            responses[table] = keys
        left[0] = max(0, left[0] - 1)
        return {"Responses": responses, "UnprocessedKeys": later}

    return ScriptedCalls(answer)


@pytest.mark.parametrize(("count", "calls_made"), [(0, 0), (1, 1), (100, 1), (101, 2), (250, 3)])
def test_a_hundred_keys_go_into_one_call(count: int, calls_made: int) -> None:
    calls = _batches()
    found = batch_get(calls, {"t": [{"id": n} for n in range(count)]}, consistent=True)
    assert [item["id"] for item in found["t"]] == list(range(count))
    assert len(calls.made) == calls_made
    assert all(len(request["RequestItems"]["t"]["Keys"]) <= BATCH_GET_LIMIT for _, request in calls.made)


def test_the_keys_of_several_tables_share_calls() -> None:
    calls = _batches()
    keys = [{"id": n} for n in range(60)]
    found = batch_get(calls, {"a": keys, "b": keys}, consistent=False)
    assert (len(found["a"]), len(found["b"])) == (60, 60)
    sizes = [{table: len(w["Keys"]) for table, w in request["RequestItems"].items()} for _, request in calls.made]
    assert sizes == [{"a": 60, "b": 40}, {"b": 20}]


@pytest.mark.parametrize("consistent", [True, False])
def test_consistency_is_asked_of_every_table(*, consistent: bool) -> None:
    calls = _batches()
    batch_get(calls, {"a": [{"id": 1}], "b": [{"id": 1}]}, consistent=consistent)
    ((operation, request),) = calls.made
    assert operation == "BatchGetItem"
    assert [wanted["ConsistentRead"] for wanted in request["RequestItems"].values()] == [consistent] * 2


def test_what_is_not_there_is_left_out() -> None:
    calls = ScriptedCalls(lambda *_: {"Responses": {"a": []}, "UnprocessedKeys": {}})
    assert batch_get(calls, {"a": [{"id": 1}], "b": []}, consistent=True) == {"a": [], "b": []}


def test_unprocessed_keys_are_asked_for_again() -> None:
    calls = _batches(unprocessed=3)
    found = batch_get(calls, {"a": [{"id": 1}, {"id": 2}], "b": [{"id": 3}]}, consistent=True)
    assert sorted(item["id"] for item in found["a"] + found["b"]) == [1, 2, 3]
    assert len(calls.made) == 4


def test_keys_that_stay_unprocessed_are_unavailable() -> None:
    calls = _batches(unprocessed=1_000)
    with pytest.raises(Unavailable):
        batch_get(calls, {"a": [{"id": 1}]}, consistent=True)
    assert len(calls.made) == 8
