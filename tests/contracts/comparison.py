"""The same random requests to two that should answer alike."""

from __future__ import annotations

import json
from collections.abc import Mapping
from random import Random
from typing import Any

from shared.adapters.aws.calls import ServiceError
from shared.adapters.dynamodb.client import Calls
from tests.contracts.random_requests import Requests


def difference(store: Calls, judge: Calls, *, requests: int, seed: int) -> str | None:
    """The first request that the two answer differently, with their answers."""
    source = Requests(Random(seed))
    for number in range(requests):
        operation, request = source.one()
        if _names_an_item_twice(operation, request):
            continue  # DynamoDB Local looks at it part by part
        ours, theirs = answer(store, operation, request), answer(judge, operation, request)
        if ours != theirs and not _is_documented(ours, theirs):
            return f"request {number}: {operation} {json.dumps(request)}\nstore: {ours}\njudge: {theirs}"
    return None


def answer(calls: Calls, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
    """What is said, but for the words of refusals."""
    try:
        said = calls.call(operation, request)
    except ServiceError as error:
        reasons = error.body.get("CancellationReasons", [])
        said = {
            "code": error.code,
            "item": error.body.get("Item"),
            "reasons": [{name: value for name, value in one.items() if name != "Message"} for one in reasons],
        }
    ordered: dict[str, Any] = _ordered({name: one for name, one in said.items() if name != "ConsumedCapacity"})
    return ordered


def _ordered(value: Any) -> Any:
    """Sets have no order."""
    if isinstance(value, dict):
        return {name: sorted(one) if name == "SS" else _ordered(one) for name, one in value.items()}
    return [_ordered(one) for one in value] if isinstance(value, list) else value


def _names_an_item_twice(operation: str, request: Mapping[str, Any]) -> bool:
    if operation != "TransactWriteItems":
        return False
    bodies = [body for part in request["TransactItems"] for body in part.values()]
    sources = [body["Item"] if "Item" in body else body["Key"] for body in bodies]
    return len({(one["conversation_id"]["S"], one["seq"]["N"]) for one in sources}) < len(sources)


def _is_documented(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> bool:
    """An update that does not fit its item is one of a transaction's reasons. DynamoDB Local refuses the request."""
    return {"Code": "ValidationError"} in ours.get("reasons", []) and theirs.get("code") == "ValidationException"
