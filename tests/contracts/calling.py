"""Requests to DynamoDB's API in few words, with plain values in and out. The item is that of user "u" unless said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from shared.adapters.aws.calls import ServiceError
from shared.adapters.dynamodb.client import Calls, Item, from_item, to_item

KEY = {"user_id": {"S": "u"}}
VALIDATION = "ValidationException"


def expressions(
    values: Mapping[str, Any] | None, names: Mapping[str, str] | None, condition: str | None
) -> dict[str, Any]:
    """Only what there is."""
    return {
        **({"ExpressionAttributeValues": to_item({f":{name}": one for name, one in values.items()})} if values else {}),
        **({"ExpressionAttributeNames": {f"#{name}": one for name, one in names.items()}} if names else {}),
        **({"ConditionExpression": condition} if condition is not None else {}),
    }


def put(
    calls: Calls,
    item: Item,
    condition: str | None = None,
    values: Mapping[str, Any] | None = None,
    *,
    table: str = "sessions",
    **more: Any,
) -> dict[str, Any]:
    stored = to_item({"user_id": "u", **item} if table == "sessions" else item)
    request = {"TableName": table, "Item": stored, **expressions(values, None, condition), **more}
    return calls.call("PutItem", request)


def update(
    calls: Calls,
    expression: str,
    values: Mapping[str, Any] | None = None,
    *,
    names: Mapping[str, str] | None = None,
    condition: str | None = None,
    **more: Any,
) -> Item:
    """Returns the attributes of the answer."""
    request = {"TableName": "sessions", "Key": KEY, "UpdateExpression": expression, **more}
    answer = calls.call("UpdateItem", {**request, **expressions(values, names, condition)})
    return from_item(answer.get("Attributes", {}))


def delete(calls: Calls, condition: str | None = None, **more: Any) -> Item:
    request = {"TableName": "sessions", "Key": KEY, **expressions(None, None, condition), **more}
    return from_item(calls.call("DeleteItem", request).get("Attributes", {}))


def get(calls: Calls, user_id: str = "u", *, consistent: bool = True) -> Item | None:
    request = {"TableName": "sessions", "Key": to_item({"user_id": user_id}), "ConsistentRead": consistent}
    answer = calls.call("GetItem", request)
    return from_item(answer["Item"]) if "Item" in answer else None


def attributes(calls: Calls) -> Item:
    """The item without its key."""
    item = get(calls)
    assert item is not None
    del item["user_id"]
    return item


def holds(
    calls: Calls, condition: str, values: Mapping[str, Any] | None = None, names: Mapping[str, str] | None = None
) -> bool:
    """Whether a condition on the item does."""
    check = {"TableName": "sessions", "Key": KEY, **expressions(values, names, condition)}
    try:
        calls.call("TransactWriteItems", {"TransactItems": [{"ConditionCheck": check}]})
    except ServiceError as error:
        if "ConditionalCheckFailed" not in error.reasons:
            raise
        return False
    return True


def refused(calls: Calls, operation: str, request: Mapping[str, Any]) -> ServiceError:
    """The error with which a call is refused."""
    with pytest.raises(ServiceError) as caught:
        calls.call(operation, request)
    return caught.value


def is_invalid(calls: Calls, expression: str, values: Mapping[str, Any] | None = None, **more: Any) -> bool:
    """Whether an update is refused as no valid one."""
    with pytest.raises(ServiceError) as caught:
        update(calls, expression, values, **more)
    return caught.value.code == VALIDATION


def shown(value: object) -> str:
    """An argument as a part of its test's name."""
    if isinstance(value, frozenset):
        return f"{{{', '.join(sorted(value))}}}"
    return value if isinstance(value, str) else repr(value)
