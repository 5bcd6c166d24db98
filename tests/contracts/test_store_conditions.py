"""DynamoDB's own semantics, at the level of its API: when a condition holds."""

from __future__ import annotations

from typing import Any

import pytest

from shared.adapters.aws.calls import ServiceError
from shared.adapters.dynamodb.client import Calls
from tests.contracts.calling import VALIDATION, holds, put, shown

ITEM = {
    "n": 10,
    "word": "h\u00e9llo",
    "yes": True,
    "places": {"c.1=": {"since": 1}, "b": {}},
    "members": frozenset({"a", "b"}),
    "ages": [1, "x"],
}


@pytest.mark.parametrize(
    ("condition", "values", "expected"),
    [
        ("n > :v", 9, True),
        ("n >= :v", 10, True),
        ("n < :v", 9, False),
        ("n = :v", 10, True),
        ("n <> :v", 10, False),
        ("word < :v", "i", True),
        ("word = :v", "hello", False),
        ("yes = :v", True, True),
        # What is of another type is neither less nor more, and not equal.
        ("n < :v", "a", False),
        ("n > :v", "a", False),
        ("n <> :v", "10", True),
        # So is what is not there.
        ("gone = :v", 1, False),
        ("gone <> :v", 1, True),
        ("gone < :v", 1, False),
        ("NOT gone < :v", 1, True),
        ("places.gone.since = :v", 1, False),
        # Whole values.
        ("members = :v", frozenset({"b", "a"}), True),
        ("ages = :v", [1, "x"], True),
        ("places = :v", {"b": {}, "c.1=": {"since": 1}}, True),
        ("places = :v", {"c.1=": {"since": 1}}, False),
        # Functions.
        ("begins_with(word, :v)", "h\u00e9", True),
        ("begins_with(word, :v)", "e", False),
        ("begins_with(n, :v)", "1", False),
        ("contains(word, :v)", "ll", True),
        ("contains(members, :v)", "a", True),
        ("contains(members, :v)", "c", False),
        ("contains(ages, :v)", "x", True),
        ("contains(n, :v)", 10, False),
        ("contains(gone, :v)", "a", False),
        ("attribute_type(n, :v)", "N", True),
        ("attribute_type(places, :v)", "S", False),
        ("size(places) < :v", 3, True),
        ("size(places) < :v", 2, False),
        ("size(word) = :v", 5, True),
        ("size(members) = :v", 2, True),
        ("size(ages) = :v", 2, True),
        ("size(gone) < :v", 9, False),
        ("size(n) < :v", 9, False),
    ],
    ids=shown,
)
def test_a_condition_on_one_value(calls: Calls, condition: str, values: Any, expected: bool) -> None:
    put(calls, ITEM)
    assert holds(calls, condition, {"v": values}) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("n BETWEEN :one AND :ten", True),
        ("n BETWEEN :one AND :one", False),
        ("n IN (:one, :ten)", True),
        ("n IN (:one)", False),
        ("gone IN (:one, :ten)", False),
        ("n = :ten OR n = :ten AND n = :one", True),
        ("(n = :ten OR n = :ten) AND n = :one", False),
        ("NOT n = :ten AND n = :one", False),
        ("NOT (n = :one OR gone = :one)", True),
        ("not n = :one and n = :ten or n = :one", True),
        ("attribute_exists(gone) OR (attribute_not_exists(gone) AND n < :ten)", False),
    ],
    ids=shown,
)
def test_conditions_of_several_parts(calls: Calls, condition: str, expected: bool) -> None:
    put(calls, ITEM)
    used = {name: value for name, value in {"one": 1, "ten": 10}.items() if f":{name}" in condition}
    assert holds(calls, condition, used) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("attribute_exists(places.#id)", True),
        ("attribute_exists(places.#id.since)", True),
        ("attribute_not_exists(places.#id.gone)", True),
        ("attribute_exists(n.#id)", False),
        ("attribute_not_exists(gone.#id)", True),
    ],
    ids=shown,
)
def test_a_name_stands_for_any_text(calls: Calls, condition: str, expected: bool) -> None:
    put(calls, ITEM)
    assert holds(calls, condition, names={"id": "c.1="}) == expected


@pytest.mark.parametrize("condition", ["attribute_not_exists(user_id)", "attribute_not_exists(n)"])
def test_where_nothing_is_no_attribute_is(calls: Calls, condition: str) -> None:
    assert holds(calls, condition)


@pytest.mark.parametrize("number", ["10.0", "1E1", "0010"])
def test_numbers_are_equal_however_they_are_written(calls: Calls, number: str) -> None:
    put(calls, {"n": 10, "deep": {"n": 10}})
    key = {"user_id": {"S": "u"}}
    for condition, value in (("n = :v", {"N": number}), ("deep = :v", {"M": {"n": {"N": number}}})):
        check = {"TableName": "sessions", "Key": key, "ConditionExpression": condition}
        part = {"ConditionCheck": {**check, "ExpressionAttributeValues": {":v": value}}}
        calls.call("TransactWriteItems", {"TransactItems": [part]})


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        ("status = :v", {"v": 1}),
        ("n = :v", {}),
        ("n = :v", {"v": 1, "unused": 1}),
        ("n = :v AND", {"v": 1}),
        ("n == :v", {"v": 1}),
        ("n = :v)", {"v": 1}),
        ("((n = :v))", {"v": 1}),
        ("n = n", {}),
        ("n < :v", {"v": {}}),
        ("n BETWEEN :v AND :w", {"v": 2, "w": 1}),
        ("n BETWEEN :v AND :w", {"v": 1, "w": "a"}),
        ("begins_with(word, :v)", {"v": 1}),
        ("attribute_type(n, :v)", {"v": "X"}),
        ("attribute_exists(:v)", {"v": 1}),
        ("Attribute_exists(n)", {}),
        ("exists(n)", {}),
        ("size(n)", {}),
        ("_n = :v", {"v": 1}),
        ("", {}),
    ],
    ids=shown,
)
def test_a_condition_that_makes_no_sense_is_refused(calls: Calls, condition: str, values: dict[str, Any]) -> None:
    put(calls, ITEM)
    with pytest.raises(ServiceError) as caught:
        holds(calls, condition, values)
    assert caught.value.code == VALIDATION
