"""Counts what DynamoDB is asked, in calls and in units, by DynamoDB's own rules.

A read unit is 4 KB strongly consistent (half of it eventually), a write unit 1 KB. Every key of a batch is rounded up
for itself, a query as a whole; what is missing costs the least there is, a refused write as much as one that succeeds,
and a transaction double. An update or a delete inside a batch or a transaction does not say how large its item is: it
counts as one of up to 1 KB.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from shared.adapters.aws.calls import ServiceError
from shared.adapters.dynamodb.client import Calls
from tests.calls import Unhurried

WRITES = {"PutItem", "UpdateItem", "DeleteItem"}


def attribute_bytes(attribute: Mapping[str, Any]) -> int:
    ((kind, value),) = attribute.items()
    if kind == "S":
        return len(value.encode())
    if kind == "N":
        return ceil(len(value.lstrip("-")) / 2) + 1
    if kind == "SS":
        return sum(len(one.encode()) for one in value)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + attribute_bytes(one) for name, one in value.items())
    if kind == "L":
        return 3 + sum(1 + attribute_bytes(one) for one in value)
    return 1


def item_bytes(item: Mapping[str, Any]) -> int:
    return sum(len(name.encode()) + attribute_bytes(value) for name, value in item.items())


def read_units(size: int, *, consistent: bool) -> float:
    return max(1, ceil(size / 4096)) * (1.0 if consistent else 0.5)


def write_units(item: Mapping[str, Any]) -> int:
    return max(1, ceil(item_bytes(item) / 1024))


def actions(operation: str, request: Mapping[str, Any]) -> set[tuple[str, str]]:
    """The permissions that a call needs: action and table. A transaction needs those of its parts."""
    if operation == "TransactWriteItems":
        parts = [next(iter(item.items())) for item in request["TransactItems"]]
        return {(f"{kind}Item", part["TableName"].capitalize()) for kind, part in parts}
    is_batch = operation in {"BatchGetItem", "BatchWriteItem"}
    tables = request["RequestItems"] if is_batch else [request["TableName"]]
    return {(operation, table.capitalize()) for table in tables}


@dataclass
class Meter(Unhurried):
    """Calls of the DynamoDB API, passed on and counted."""

    calls: Calls
    made: list[str] = field(default_factory=list)
    reads: float = 0
    writes: float = 0
    used: set[tuple[str, str]] = field(default_factory=set)

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        self.made.append(operation)
        self.used |= actions(operation, request)
        try:
            answer = self.calls.call(operation, request)
        except ServiceError:
            self._count(operation, request, {})
            raise
        self._count(operation, request, answer)
        return answer

    @property
    def count(self) -> Counter[str]:
        return Counter(self.made)

    def reset(self) -> None:
        self.made.clear()
        self.reads = self.writes = 0

    def _count(self, operation: str, request: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        if operation == "BatchGetItem":
            for table, wanted in request["RequestItems"].items():
                found = answer.get("Responses", {}).get(table, [])
                sizes = [item_bytes(item) for item in found] + [0] * (len(wanted["Keys"]) - len(found))
                self.reads += sum(read_units(size, consistent=wanted["ConsistentRead"]) for size in sizes)
        elif request.get("Select") == "COUNT":  # rows that are counted are read
            everything = {name: value for name, value in request.items() if name != "Select"}
            read = self.calls.call("Query", everything)["Items"]
            self.reads += read_units(sum(map(item_bytes, read)), consistent=bool(request.get("ConsistentRead")))
        elif operation in {"GetItem", "Query"}:
            items = answer.get("Items", [answer["Item"]] if "Item" in answer else [])
            consistent = bool(request.get("ConsistentRead"))
            self.reads += read_units(sum(map(item_bytes, items)), consistent=consistent)
        elif operation == "Scan":  # what is read counts, not what the filter lets through
            everything = {name: value for name, value in request.items() if not _is_filter(name)}
            read = self.calls.call("Scan", everything)["Items"]
            self.reads += read_units(sum(map(item_bytes, read)), consistent=bool(request.get("ConsistentRead")))
        elif operation in WRITES:
            self.writes += write_units(request.get("Item") or answer.get("Attributes") or {})
        elif operation == "TransactWriteItems":
            parts = [part for one in request["TransactItems"] for part in one.values()]
            self.writes += 2 * sum(write_units(part.get("Item", {})) for part in parts)
        elif operation == "BatchWriteItem":
            parts = [part for some in request["RequestItems"].values() for one in some for part in one.values()]
            self.writes += sum(write_units(part.get("Item", {})) for part in parts)
        else:
            raise AssertionError(f"no budget knows {operation}")


def _is_filter(name: str) -> bool:
    return name.startswith(("Filter", "ExpressionAttribute", "Projection"))
