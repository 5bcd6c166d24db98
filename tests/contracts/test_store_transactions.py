"""DynamoDB's own semantics, at the level of its API: transactions, the reasons of their refusal, and their tokens."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import pytest

from shared.adapters.aws.calls import ServiceError
from shared.adapters.dynamodb.client import Calls, from_item, to_item
from tests.contracts.calling import VALIDATION, expressions, get, refused

NEW = "attribute_not_exists(user_id)"
THERE = "attribute_exists(user_id)"
SHOW = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
NONE = {"Code": "None"}


@pytest.fixture
def token() -> str:
    """A new one for each test: a service may know a token longer than its tables."""
    return secrets.token_hex(8)


def put(user_id: str, condition: str | None = None, *, a: Any = 1, **more: Any) -> dict[str, Any]:
    item = to_item({"user_id": user_id, "a": a})
    return {"Put": {"TableName": "sessions", "Item": item, **expressions(None, None, condition), **more}}


def update(
    user_id: str, expression: str, values: Mapping[str, Any], condition: str | None = None, **more: Any
) -> dict[str, Any]:
    body = {"TableName": "sessions", "Key": to_item({"user_id": user_id}), "UpdateExpression": expression}
    return {"Update": {**body, **expressions(values, None, condition), **more}}


def count(user_id: str, by: int = 1) -> dict[str, Any]:
    return update(user_id, "ADD a :by", {"by": by})


def delete(user_id: str, condition: str | None = None, **more: Any) -> dict[str, Any]:
    key = to_item({"user_id": user_id})
    return {"Delete": {"TableName": "sessions", "Key": key, **expressions(None, None, condition), **more}}


def check(user_id: str, condition: str) -> dict[str, Any]:
    return {"ConditionCheck": delete(user_id, condition)["Delete"]}


def transact(calls: Calls, *parts: dict[str, Any], token: str | None = None) -> None:
    calls.call("TransactWriteItems", request(*parts, token=token))


def request(*parts: dict[str, Any], token: str | None = None) -> dict[str, Any]:
    return {"TransactItems": list(parts), **({"ClientRequestToken": token} if token else {})}


def cancelled(calls: Calls, *parts: dict[str, Any], token: str | None = None) -> list[dict[str, Any]]:
    """The reasons, without the words that go with their codes."""
    error = refused(calls, "TransactWriteItems", request(*parts, token=token))
    assert (error.code, error.is_transient) == ("TransactionCanceledException", False)
    reasons: list[dict[str, Any]] = error.body["CancellationReasons"]
    return [{name: value for name, value in reason.items() if name != "Message"} for reason in reasons]


def users(calls: Calls, *user_ids: str) -> list[Any]:
    """What is there, by the attribute a alone."""
    return [(get(calls, user_id) or {}).get("a") for user_id in user_ids]


def test_all_parts_take_effect(calls: Calls) -> None:
    transact(calls, put("u"), put("v"), put("w"))
    transact(calls, put("x", NEW), count("u", 4), delete("v", THERE), check("w", THERE))
    assert users(calls, *"uvwx") == [5, None, 1, 1]


def test_one_part_refused_is_all_refused(calls: Calls) -> None:
    transact(calls, put("u"))
    cancelled(calls, put("v"), count("u"), delete("u2", THERE))
    assert users(calls, *"uv") == [1, None]


def test_parts_of_several_tables_are_one_transaction(calls: Calls) -> None:
    entry = {"Put": {"TableName": "log", "Item": to_item({"conversation_id": "c", "seq": 1})}}
    cancelled(calls, entry, count("u"), check("v", THERE))
    transact(calls, entry, count("u"))
    found = calls.call("GetItem", {"TableName": "log", "Key": entry["Put"]["Item"], "ConsistentRead": True})
    assert (from_item(found["Item"])["seq"], users(calls, "u")) == (1, [1])


def test_there_is_a_reason_for_each_part_in_their_order(calls: Calls) -> None:
    transact(calls, put("u"))
    reasons = cancelled(calls, put("v", NEW), put("u", NEW), count("w"), delete("x", THERE))
    failed = {"Code": "ConditionalCheckFailed"}
    assert reasons == [NONE, failed, NONE, failed]


def test_a_reason_shows_what_is_there_where_its_part_asks_for_it(calls: Calls) -> None:
    transact(calls, put("u", a=7), put("v"))
    item = to_item({"user_id": "u", "a": 7})
    for part in (put("u", NEW, **SHOW), update("u", "SET a = :a", {"a": 1}, NEW, **SHOW), delete("u", NEW, **SHOW)):
        assert cancelled(calls, part, put("v", NEW)) == [
            {"Code": "ConditionalCheckFailed", "Item": item},
            {"Code": "ConditionalCheckFailed"},
        ]


def test_a_reason_has_no_item_where_there_is_none(calls: Calls) -> None:
    assert cancelled(calls, put("u", THERE, **SHOW)) == [{"Code": "ConditionalCheckFailed"}]


def test_conditions_are_about_what_was_before_the_transaction(calls: Calls) -> None:
    transact(calls, put("u"), check("v", NEW), put("w", NEW))
    assert cancelled(calls, delete("u"), check("v", THERE))[0] == NONE
    assert users(calls, *"uvw") == [1, None, 1]


@pytest.mark.parametrize(
    "part",
    [
        update("v", "SET gone.b = :v", {"v": 1}),
        update("v", "SET a = gone + :v", {"v": 1}),
        update("v", "SET a = word + :v", {"v": 1}),
        update("v", "SET user_id = :v", {"v": "w"}),
        update("v", "SET body = :v, word = :v", {"v": "x" * 250_000}),
    ],
    ids=["no map", "no source", "no number", "the key", "too large"],
)
def test_an_update_that_does_not_fit_its_item_is_a_reason(calls: Calls, part: dict[str, Any]) -> None:
    transact(calls, put("u"), update("v", "SET word = :w", {"w": "x"}))
    assert cancelled(calls, count("u"), part) == [NONE, {"Code": "ValidationError"}]
    assert users(calls, "u") == [1]


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [count("u"), put("u")],
        [count("u"), check("u", NEW)],
        [count(f"u{number}") for number in range(101)],
        [{**count("u"), **put("v")}],
        [count("u"), put("v", "a =")],
        [count("u"), put("v", "status = a")],
        [count("u"), put("")],
        [count("u"), put("v", a="x" * 410_000)],
        [put(f"u{number}", a="x" * 400_000) for number in range(11)],
        [count("u"), {"ConditionCheck": {"TableName": "sessions", "Key": to_item({"user_id": "v"})}}],
    ],
    ids=[
        *("none", "one item twice", "one item checked", "101", "two in one", "no condition", "reserved", "empty key"),
        *("too large", "4 MB", "check of nothing"),
    ],
)
def test_a_transaction_that_makes_no_sense_is_refused(calls: Calls, parts: list[dict[str, Any]]) -> None:
    assert refused(calls, "TransactWriteItems", request(*parts)).code == VALIDATION
    assert users(calls, "u") == [None]


def test_a_hundred_parts_are_not_too_many(calls: Calls) -> None:
    transact(calls, *(count(f"u{number}") for number in range(100)))
    assert users(calls, "u0", "u99") == [1, 1]


def test_a_repeated_transaction_with_the_same_token_has_no_second_effect(calls: Calls, token: str) -> None:
    for _ in range(3):
        transact(calls, count("u"), token=token)
    assert users(calls, "u") == [1]


def test_a_repeated_transaction_succeeds_though_its_condition_does_not_hold_any_more(calls: Calls, token: str) -> None:
    for _ in range(2):
        transact(calls, put("u", NEW), count("v"), token=token)
    assert users(calls, *"uv") == [1, 1]


def test_without_a_token_or_with_another_one_it_is_another_transaction(calls: Calls, token: str) -> None:
    for one in (token, None, None, f"{token}2"):
        transact(calls, count("u"), token=one)
    assert users(calls, "u") == [4]


def test_a_token_stands_for_one_request(calls: Calls, token: str) -> None:
    transact(calls, count("u"), token=token)
    for other in (count("u", 2), count("v")):
        error = refused(calls, "TransactWriteItems", request(other, token=token))
        assert (error.code, error.is_transient) == ("IdempotentParameterMismatchException", False)
    assert users(calls, *"uv") == [1, None]


def test_the_token_of_a_cancelled_transaction_is_free(calls: Calls, token: str) -> None:
    cancelled(calls, count("u"), check("v", THERE), token=token)
    transact(calls, put("v"))
    transact(calls, count("u"), check("v", THERE), token=token)
    assert users(calls, "u") == [1]


def test_a_token_has_at_most_36_characters(calls: Calls, token: str) -> None:
    transact(calls, count("u"), token=token.ljust(36, "t"))
    with pytest.raises(ServiceError, match=VALIDATION):
        transact(calls, count("u"), token=token.ljust(37, "t"))
