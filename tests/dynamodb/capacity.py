"""What one partition key takes in a second, and what every call costs: a hot key is throttled as DynamoDB's is.

Units are counted as AWS does: a read unit is 4 KB strongly consistent, half of it eventually; a write unit is 1 KB of
the item before or after, whichever is larger; a transaction costs double; a condition that fails costs as much as one
that holds. There is no credit from quieter times beyond one second's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import ceil
from typing import Any, Final

from shared.adapters.aws.calls import ServiceError
from tests.calls import Unhurried
from tests.dynamodb.errors import refused
from tests.dynamodb.store import Store
from tests.dynamodb.tables import KEYS
from tests.dynamodb.values import Item, size_of

WRITE_UNITS: Final = 1_000.0
READ_UNITS: Final = 3_000.0
_WRITES: Final = frozenset({"PutItem", "UpdateItem", "DeleteItem"})
_THROTTLED: Final = "ProvisionedThroughputExceededException"

Partition = tuple[str, str]
"""A table, and the value of its partition key."""


@dataclass(slots=True)
class Bucket:
    """Units that are left; it may be overdrawn by the call that takes the last of them."""

    rate: float
    left: float
    at: float

    def has_any(self, now: float) -> bool:
        self.left = min(self.rate, self.left + (now - self.at) / 1_000 * self.rate)
        self.at = now
        return self.left > 0


@dataclass
class Limited(Unhurried):
    """The store, with limits for each partition key. `now_ms` is the time; `spent` sums units, by kind."""

    store: Store
    now_ms: Callable[[], float]
    writes: float = WRITE_UNITS
    reads: float = READ_UNITS
    spent: Counter[str] = field(default_factory=Counter)
    throttled: int = 0
    _buckets: dict[tuple[str, Partition], Bucket] = field(default_factory=dict)

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """One call. Raises what the store raises, and for a partition that has no units left what DynamoDB does."""
        if operation in _WRITES or operation == "TransactWriteItems":
            return self._write(operation, request)
        if operation == "BatchWriteItem":
            raise AssertionError("no hot partition is written to in batches")
        return self._read(operation, request)

    # --- writes

    def _write(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        parts = list(_parts(operation, request))
        hot = [not self._bucket("write", _partition(table, key)).has_any(self.now_ms()) for table, key in parts]
        if any(hot):
            self.throttled += 1
            raise _too_much(hot) if operation == "TransactWriteItems" else refused(_THROTTLED, "")
        before = [self._size(table, key) for table, key in parts]
        asked = _put_sizes(operation, request)
        try:
            return self.store.call(operation, request)
        finally:
            factor = 2 if operation == "TransactWriteItems" else 1
            for (table, key), old, new in zip(parts, before, asked, strict=True):
                size = max(old, new, self._size(table, key))
                self._spend("write", _partition(table, key), factor * max(1, ceil(size / 1_024)))

    def _size(self, table: str, key: Item) -> int:
        item = self.store.call("GetItem", {"TableName": table, "Key": key, "ConsistentRead": True}).get("Item")
        return size_of(item) if item else 0

    # --- reads

    def _read(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "BatchGetItem":
            return self._batch(request)
        if operation == "Query":
            (hashed,) = [value["S"] for name, value in request["ExpressionAttributeValues"].items() if _is_hash(name)]
            partition = request["TableName"], hashed
        else:
            partition = _partition(request["TableName"], request["Key"])
        self._check_read(partition)
        answer = self.store.call(operation, request)
        items = answer.get("Items", [answer["Item"]] if "Item" in answer else [])
        self._spend("read", partition, _units(sum(map(size_of, items)), request.get("ConsistentRead", False)))
        return answer

    def _batch(self, request: Mapping[str, Any]) -> dict[str, Any]:
        for table, asked in request["RequestItems"].items():
            for key in asked["Keys"]:
                self._check_read(_partition(table, key))
        for table, asked in request["RequestItems"].items():
            for key in asked["Keys"]:
                units = _units(self._size(table, key), asked.get("ConsistentRead", False))
                self._spend("read", _partition(table, key), units)
        return self.store.call("BatchGetItem", request)

    def _check_read(self, partition: Partition) -> None:
        if not self._bucket("read", partition).has_any(self.now_ms()):
            self.throttled += 1
            raise refused(_THROTTLED, "")

    def _spend(self, kind: str, partition: Partition, units: float) -> None:
        self._bucket(kind, partition).left -= units
        self.spent[kind] += units  # type: ignore[assignment]  # halves, where a read is eventually consistent

    def _bucket(self, kind: str, partition: Partition) -> Bucket:
        rate = self.writes if kind == "write" else self.reads
        return self._buckets.setdefault((kind, partition), Bucket(rate, rate, self.now_ms()))


def _is_hash(placeholder: str) -> bool:
    return placeholder in {":id", ":conversation", ":user", ":target", ":file", ":watched", ":pk"}


def _units(size: int, consistent: bool) -> float:  # as the request has it
    return max(1, ceil(size / 4_096)) * (1.0 if consistent else 0.5)


def _parts(operation: str, request: Mapping[str, Any]) -> Iterator[tuple[str, Item]]:
    if operation == "TransactWriteItems":
        for part in request["TransactItems"]:
            ((kind, body),) = part.items()
            yield from _parts(f"{kind}Item", body)
    else:
        table = request["TableName"]
        names = [name for name, _ in KEYS[table]]
        whole = request.get("Key") or request["Item"]
        yield table, {name: whole[name] for name in names}


def _put_sizes(operation: str, request: Mapping[str, Any]) -> list[int]:
    """The sizes of what is put; an update's are seen when it is done."""
    bodies = [next(iter(part.values())) for part in request.get("TransactItems", ())] or [request]
    return [size_of(body["Item"]) if "Item" in body else 0 for body in bodies]


def _partition(table: str, key: Item) -> Partition:
    return table, key[KEYS[table][0][0]]["S"]


def _too_much(hot: list[bool]) -> ServiceError:
    reasons = [{"Code": "ThrottlingError" if one else "None"} for one in hot]
    return refused("TransactionCanceledException", "Transaction cancelled", CancellationReasons=reasons)
