"""DynamoDB's own semantics, at the level of its API: what its writes do. All of the log leans on them."""

from __future__ import annotations

from typing import Any

import pytest

from shared.adapters.dynamodb.client import Calls, to_item
from tests.contracts.calling import (
    KEY,
    VALIDATION,
    attributes,
    delete,
    get,
    holds,
    is_invalid,
    put,
    refused,
    shown,
    update,
)

LIMIT = 400 * 1024
SHOW = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}


def test_every_kind_of_value_comes_back_as_it_was(calls: Calls) -> None:
    item = {
        "text": "h\u00e9llo \U0001f600",
        "empty": "",
        "number": -17,
        "yes": True,
        "document": {"inner": {"list": [1, "two", {"three": 3}]}, "none": {}},
        "nothing_in_it": [],
        "members": frozenset({"b", "a"}),
    }
    put(calls, item)
    assert attributes(calls) == item


def test_null_is_a_value(calls: Calls) -> None:
    calls.call("PutItem", {"TableName": "sessions", "Item": {**KEY, "nothing": {"NULL": True}}})
    answer = calls.call("GetItem", {"TableName": "sessions", "Key": KEY})
    assert answer["Item"]["nothing"] == {"NULL": True}


@pytest.mark.parametrize(("sent", "stored"), [("1.50", "1.5"), ("1E+3", "1000"), ("007", "7"), ("-0", "0")])
def test_a_number_is_stored_in_its_shortest_form(calls: Calls, sent: str, stored: str) -> None:
    calls.call("PutItem", {"TableName": "sessions", "Item": {**KEY, "n": {"N": sent}}})
    assert calls.call("GetItem", {"TableName": "sessions", "Key": KEY})["Item"]["n"] == {"N": stored}


def test_a_put_replaces_all_of_the_item(calls: Calls) -> None:
    put(calls, {"a": 1, "b": 2})
    put(calls, {"b": 3})
    assert attributes(calls) == {"b": 3}


def test_a_put_answers_with_the_item_before_where_that_is_asked_for(calls: Calls) -> None:
    assert "Attributes" not in put(calls, {"a": 1}, ReturnValues="ALL_OLD")
    assert put(calls, {"a": 2}, ReturnValues="ALL_OLD")["Attributes"] == {**KEY, "a": {"N": "1"}}


def test_a_put_cannot_answer_with_the_item_after(calls: Calls) -> None:
    request = {"TableName": "sessions", "Item": KEY, "ReturnValues": "ALL_NEW"}
    assert refused(calls, "PutItem", request).code == VALIDATION


def test_a_refused_put_changes_nothing_and_shows_what_is_there(calls: Calls) -> None:
    put(calls, {"a": 1})
    request = {"TableName": "sessions", "Item": KEY, "ConditionExpression": "attribute_not_exists(user_id)"}
    error = refused(calls, "PutItem", {**request, **SHOW})
    assert (error.code, error.is_transient) == ("ConditionalCheckFailedException", False)
    assert error.body["Item"] == {**KEY, "a": {"N": "1"}}
    assert attributes(calls) == {"a": 1}


def test_a_refusal_shows_nothing_unless_it_is_asked_to(calls: Calls) -> None:
    put(calls, {"a": 1})
    request = {"TableName": "sessions", "Item": KEY, "ConditionExpression": "attribute_not_exists(user_id)"}
    assert "Item" not in refused(calls, "PutItem", request).body


def test_a_refusal_has_no_item_to_show_where_there_is_none(calls: Calls) -> None:
    request = {"TableName": "sessions", "Item": KEY, "ConditionExpression": "attribute_exists(user_id)"}
    assert "Item" not in refused(calls, "PutItem", {**request, **SHOW}).body
    assert get(calls) is None


def test_a_condition_is_about_the_item_at_the_same_place_alone(calls: Calls) -> None:
    entries = [{"conversation_id": "c", "seq": seq} for seq in (1, 2)]
    for entry in entries:
        put(calls, entry, "attribute_not_exists(seq)", table="log")
    again = {"TableName": "log", "Item": to_item(entries[1]), "ConditionExpression": "attribute_not_exists(seq)"}
    assert refused(calls, "PutItem", again).code == "ConditionalCheckFailedException"


@pytest.mark.parametrize(
    "item",
    [
        {"user_id": {"S": ""}},
        {"user_id": {"N": "1"}},
        {"other": {"S": "u"}},
        {"user_id": {"S": "x" * 2049}},
        {**KEY, "members": {"SS": []}},
        {**KEY, "members": {"SS": ["a", "a"]}},
        {**KEY, "n": {"N": "many"}},
        {**KEY, "n": {"N": "1" * 39}},
        {**KEY, "n": {"N": "1E126"}},
        {**KEY, "n": {}},
        {**KEY, "n": {"S": "x", "N": "1"}},
    ],
    ids=[
        *("empty key", "key of another type", "no key", "long key", "empty set", "set with duplicates", "no number"),
        *("39 digits", "number too large", "no value", "two values"),
    ],
)
def test_an_item_that_is_none_is_refused(calls: Calls, item: dict[str, Any]) -> None:
    assert refused(calls, "PutItem", {"TableName": "sessions", "Item": item}).code == VALIDATION


def test_a_sort_key_must_not_be_empty_either(calls: Calls) -> None:
    request = {"TableName": "members", "Item": to_item({"pk": "user#u", "sk": ""})}
    assert refused(calls, "PutItem", request).code == VALIDATION


@pytest.mark.parametrize("key", [{}, {"conversation_id": "c"}, {"conversation_id": "c", "seq": 1, "more": 1}])
def test_a_key_is_exactly_the_keys_attributes(calls: Calls, key: dict[str, Any]) -> None:
    assert refused(calls, "GetItem", {"TableName": "log", "Key": to_item(key)}).code == VALIDATION


def test_an_gone_table_is_an_error_of_its_own(calls: Calls) -> None:
    assert refused(calls, "GetItem", {"TableName": "nowhere", "Key": KEY}).code == "ResourceNotFoundException"


def test_an_item_has_400_kilobytes_with_its_names(calls: Calls) -> None:
    name_and_key = len("text") + len("user_id") + len("u")
    put(calls, {"text": "x" * (LIMIT - name_and_key)})
    too_large = to_item({"user_id": "u", "text": "x" * (LIMIT - name_and_key + 1)})
    assert refused(calls, "PutItem", {"TableName": "sessions", "Item": too_large}).code == VALIDATION


def test_an_update_cannot_make_an_item_too_large(calls: Calls) -> None:
    put(calls, {"a": "x" * (LIMIT - 100)})
    assert is_invalid(calls, "SET b = :b", {"b": "x" * 100})
    assert set(attributes(calls)) == {"a"}


def test_an_update_makes_an_item_that_is_not_there(calls: Calls) -> None:
    update(calls, "SET a = :a", {"a": 1})
    assert get(calls) == {"user_id": "u", "a": 1}


def test_an_update_of_what_is_not_there_can_be_ruled_out(calls: Calls) -> None:
    request = {"TableName": "sessions", "Key": KEY, "UpdateExpression": "SET a = b"}
    error = refused(calls, "UpdateItem", {**request, "ConditionExpression": "attribute_exists(user_id)"})
    assert error.code == "ConditionalCheckFailedException"
    assert get(calls) is None


def test_a_refused_update_shows_what_is_there(calls: Calls) -> None:
    put(calls, {"a": 1})
    request = {"TableName": "sessions", "Key": KEY, "UpdateExpression": "REMOVE a", **SHOW}
    error = refused(calls, "UpdateItem", {**request, "ConditionExpression": "attribute_not_exists(a)"})
    assert error.body["Item"] == {**KEY, "a": {"N": "1"}}


def test_a_place_within_a_map_is_set_and_removed_without_touching_the_rest(calls: Calls) -> None:
    put(calls, {"places": {"c1": {"since": 1, "name": "phone"}, "c2": {"since": 2}}})
    update(
        calls,
        "SET places.c1.since = :since, places.#new = :new",
        {"since": 7, "new": {"since": 3}},
        names={"new": "c.3="},
    )
    update(calls, "REMOVE places.c2, places.gone")
    assert attributes(calls) == {"places": {"c1": {"since": 7, "name": "phone"}, "c.3=": {"since": 3}}}


@pytest.mark.parametrize("place", ["gone.a", "places.gone.a", "number.a"])
@pytest.mark.parametrize("expression", ["SET {} = :v", "ADD {} :v"])
def test_a_place_within_what_is_no_map_is_refused(calls: Calls, place: str, expression: str) -> None:
    put(calls, {"places": {}, "n": 1, "number": 1})
    assert is_invalid(calls, expression.format(place), {"v": 1})


@pytest.mark.parametrize("place", ["gone.a", "places.gone.a"])
def test_nothing_is_removed_from_a_map_that_is_not_there(calls: Calls, place: str) -> None:
    put(calls, {"places": {}})
    assert is_invalid(calls, f"REMOVE {place}")


def test_an_update_computes_from_the_item_before(calls: Calls) -> None:
    put(calls, {"a": 1, "b": 2})
    update(calls, "SET a = b, b = a, c = a + :ten REMOVE d", {"ten": 10})
    assert attributes(calls) == {"a": 2, "b": 1, "c": 11}


def test_sums_and_defaults(calls: Calls) -> None:
    put(calls, {"a": 5})
    update(calls, "SET b = a - :one, c = if_not_exists(a, :one), d = if_not_exists(e, :one) + a", {"one": 1})
    assert attributes(calls) == {"a": 5, "b": 4, "c": 5, "d": 6}


@pytest.mark.parametrize("expression", ["SET b = gone", "SET b = gone + :v", "SET b = places.gone"])
def test_what_is_not_there_cannot_be_a_source(calls: Calls, expression: str) -> None:
    put(calls, {"places": {}})
    values = {"v": 1} if ":v" in expression else None
    assert is_invalid(calls, expression, values)


@pytest.mark.parametrize("expression", ["SET a = word + :v", "ADD word :v", "ADD members :v"])
def test_a_number_is_added_to_numbers_alone(calls: Calls, expression: str) -> None:
    put(calls, {"word": "x", "members": frozenset("a")})
    assert is_invalid(calls, expression, {"v": 1})


def test_lists_are_joined(calls: Calls) -> None:
    put(calls, {"a": [1]})
    update(calls, "SET a = list_append(a, :more), b = list_append(if_not_exists(b, :none), :more)", MORE)
    assert attributes(calls) == {"a": [1, 2], "b": [2]}


MORE = {"more": [2], "none": []}


def test_numbers_and_sets_grow_from_nothing(calls: Calls) -> None:
    update(calls, "ADD n :two, members :some", {"two": 2, "some": frozenset({"a", "b"})})
    update(calls, "ADD n :two, members :some", {"two": -3, "some": frozenset({"b", "c"})})
    assert attributes(calls) == {"n": -1, "members": frozenset("abc")}


def test_a_set_without_members_is_no_attribute_any_more(calls: Calls) -> None:
    put(calls, {"members": frozenset({"a", "b"})})
    update(calls, "DELETE members :gone", {"gone": frozenset({"a", "gone"})})
    assert attributes(calls) == {"members": frozenset("b")}
    update(calls, "DELETE members :gone, guests :gone", {"gone": frozenset({"b"})})
    assert attributes(calls) == {}


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        ("NONE", {}),
        ("ALL_OLD", {"user_id": "u", "a": 1, "b": 2}),
        ("ALL_NEW", {"user_id": "u", "a": 3, "b": 2, "c": 4}),
        ("UPDATED_OLD", {"a": 1}),
        ("UPDATED_NEW", {"a": 3, "c": 4}),
    ],
    ids=shown,
)
def test_an_update_answers_with_as_much_as_is_asked_for(calls: Calls, returned: str, expected: dict[str, int]) -> None:
    put(calls, {"a": 1, "b": 2})
    assert update(calls, "SET a = :a, c = :c", {"a": 3, "c": 4}, ReturnValues=returned) == expected


def test_there_is_no_item_before_the_first_update(calls: Calls) -> None:
    assert update(calls, "SET a = :a", {"a": 1}, ReturnValues="ALL_OLD") == {}


@pytest.mark.parametrize(
    ("expression", "more"),
    [
        ("SET user_id = :v", {}),
        ("SET places = :v, places.a = :v", {}),
        ("SET a = :v REMOVE a", {}),
        ("SET #a.b = :v, a.b = :v", {"names": {"a": "a"}}),
        ("SET a = :v SET b = :v", {}),
        ("SET status = :v", {}),
        ("SET a = :v, ttl = :v", {}),
        ("SET a = :v,", {}),
        ("SET a = :v + :v + :v", {}),
        ("SET a = :missing", {}),
        ("SET #gone = :v", {}),
        ("SET a = :v", {"names": {"unused": "b"}}),
        ("REMOVE a", {}),
        ("", {}),
        ("SET a = :v", {"ReturnValues": "SOME"}),
        ("DELETE a :v", {}),
    ],
    ids=shown,
)
def test_an_update_that_makes_no_sense_is_refused(calls: Calls, expression: str, more: dict[str, Any]) -> None:
    put(calls, {"a": {"b": 1}, "places": {"a": 1}})
    assert is_invalid(calls, expression, {"v": 1}, **more)


def test_a_delete_returns_what_was_there_once(calls: Calls) -> None:
    put(calls, {"a": 1})
    assert delete(calls, ReturnValues="ALL_OLD") == {"user_id": "u", "a": 1}
    assert delete(calls, ReturnValues="ALL_OLD") == {}
    assert get(calls) is None


def test_a_delete_can_have_a_condition(calls: Calls) -> None:
    put(calls, {"a": 1})
    request = {"TableName": "sessions", "Key": KEY, "ConditionExpression": "attribute_exists(b)"}
    assert refused(calls, "DeleteItem", request).code == "ConditionalCheckFailedException"
    assert delete(calls, "attribute_exists(a)") == {}
    assert not holds(calls, "attribute_exists(user_id)")
