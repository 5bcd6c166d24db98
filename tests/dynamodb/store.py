"""The tables, and the calls of DynamoDB's API that the adapters make, each of them atomic.

What DynamoDB leaves open is a fault model's to decide: whether an eventually consistent read is behind, where a query's
page ends, what a batch leaves unprocessed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from zlib import crc32

from shared.adapters.aws.calls import ServiceError
from tests.calls import Unhurried
from tests.dynamodb.conditions import condition
from tests.dynamodb.errors import Unsupported, invalid, refused
from tests.dynamodb.fault_model import FaultModel, NoFaults
from tests.dynamodb.queries import Wanted, wanted
from tests.dynamodb.tables import KEYS, Partition, Place, Row, Table
from tests.dynamodb.values import Item, size_of, taken_item
from tests.dynamodb.writes import Write, check_fields, placeholders, plain, table_of, write

MAX_BATCH_GET: Final = 100
MAX_BATCH_WRITE: Final = 25
MAX_PARTS: Final = 100
MAX_TOKEN: Final = 36
TOKEN_MS: Final = 10 * 60 * 1_000
PAGE_BYTES: Final = 1024 * 1024
BATCH_BYTES: Final = 16 * 1024 * 1024
TRANSACTION_BYTES: Final = 4 * 1024 * 1024

_GET: Final = frozenset({"TableName", "Key", "ConsistentRead"})
_BATCHED: Final = frozenset({"Keys", "ConsistentRead"})
_BATCH: Final = frozenset({"RequestItems"})
_TRANSACTION: Final = frozenset({"TransactItems", "ClientRequestToken"})
_QUERY: Final = frozenset(
    {
        "TableName",
        "KeyConditionExpression",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
        "ScanIndexForward",
        "ConsistentRead",
        "Limit",
        "ExclusiveStartKey",
        "Select",
    }
)
_SCAN: Final = frozenset(
    {
        "TableName",
        "FilterExpression",
        "ProjectionExpression",
        "Segment",
        "TotalSegments",
        "ExpressionAttributeNames",
        "ExpressionAttributeValues",
        "ConsistentRead",
        "Limit",
        "ExclusiveStartKey",
    }
)
_FILTER: Final = "FilterExpression"
_FAILED: Final = "The conditional request failed"


@dataclass(frozen=True, slots=True)
class Written:
    """A write that changed an item, as a stream carries it."""

    table: str
    key: Item
    old: Item | None
    new: Item | None


_NO_FAULTS: Final = NoFaults()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Store(Unhurried):
    """DynamoDB with the four tables. `on_write` is called after each write that changed an item, in their order."""

    def __init__(
        self,
        *,
        fault_model: FaultModel = _NO_FAULTS,
        on_write: Callable[[Written], None] | None = None,
        now_ms: Callable[[], int] | None = None,
    ) -> None:
        self._fault_model = fault_model
        self._on_write = on_write
        self._now_ms = now_ms or _now_ms
        self._tables = {name: Table(name, keys) for name, keys in KEYS.items()}
        self._done: dict[str, tuple[list[Write], int]] = {}
        self._operations: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
            "GetItem": self._get,
            "PutItem": lambda request: self._write("Put", request),
            "UpdateItem": lambda request: self._write("Update", request),
            "DeleteItem": lambda request: self._write("Delete", request),
            "Query": self._query,
            "Scan": self._scan,
            "BatchGetItem": self._batch_get,
            "BatchWriteItem": self._batch_write,
            "TransactWriteItems": self._transact,
        }

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """One call. Raises ServiceError as an endpoint's refusal would, Unsupported for what is not simulated."""
        known = self._operations.get(operation)
        if known is None:
            raise Unsupported(operation)
        return known(request)

    def items(self, table: str) -> list[dict[str, Any]]:
        """All of a table in the order of its keys, as plain values. An item is the same dict until its next write."""
        return [row.plain for _, row in self._tables[table].rows()]

    def snapshot(self) -> Mapping[str, Mapping[Place, Item]]:
        """All there is. Equal to another one exactly if nothing differs."""
        return {name: dict(table.items()) for name, table in self._tables.items()}

    def copy_of(self, other: Store) -> None:
        """Have what another store has."""
        for name, table in self._tables.items():
            table.copy_of(other._tables[name])

    # --- reads

    def _get(self, request: Mapping[str, Any]) -> dict[str, Any]:
        check_fields("GetItem", request, _GET)
        table = table_of(request["TableName"], self._tables)
        row = table.row(table.place(taken_item(request["Key"])[0]))
        item = self._seen(row, consistent=request.get("ConsistentRead", False))
        return {} if item is None else {"Item": item}

    def _seen(self, row: Row | None, *, consistent: bool) -> Item | None:
        if row is None:
            return None
        return row.item if consistent or not self._fault_model.stale() else row.before

    def _query(self, request: Mapping[str, Any]) -> dict[str, Any]:
        check_fields("Query", request, _QUERY)
        table = table_of(request["TableName"], self._tables)
        what = wanted(request, table)
        if request.get("Limit", 1) < 1:
            raise invalid("Limit must be greater than or equal to 1")
        partition = table.partitions.get(what.hashed) or Partition()
        forward = request.get("ScanIndexForward", True)
        start, end = what.range.within(partition) if what.range else (0, len(partition.order))
        if "ExclusiveStartKey" in request:
            sort = _start(request["ExclusiveStartKey"], table, what, forward=forward)
            if forward:
                start = max(start, partition.first_after(sort))
            else:
                end = min(end, partition.first_from(sort))
        rows = partition.between(start, end, forward=forward)
        page = self._page(rows, end - start, request)
        if "LastEvaluatedKey" in page and what.range is not None:
            last = table.place(page["LastEvaluatedKey"])[1]
            if what.range.ends_with(last, forward=forward):
                del page["LastEvaluatedKey"]
        if request.get("Select", "COUNT") != "COUNT":
            raise Unsupported(f"Select {request['Select']}")
        if "Select" in request:
            page["Count"] = len(page.pop("Items"))
        return page

    def _scan(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """A page of a table, in the order of its keys. The limit is of what is read, before the filter."""
        check_fields("Scan", request, _SCAN)
        table = table_of(request["TableName"], self._tables)
        if request.get("Limit", 1) < 1:
            raise invalid("Limit must be greater than or equal to 1")
        start = table.place(taken_item(request["ExclusiveStartKey"])[0]) if "ExclusiveStartKey" in request else None
        rows = [row for place, row in table.rows() if start is None or place > start]
        if "TotalSegments" in request:
            part, parts = _segment(request)
            rows = [row for row in rows if _part_of(row.key[table.key_names[0]], parts) == part]
        page = self._page(rows, len(rows), request)
        if _FILTER in request:
            compiled = condition(request[_FILTER], _FILTER)
            names, values = placeholders(request, (request[_FILTER],), {_FILTER: compiled.used})
            for check in compiled.checks:
                check(names, values)
            page["Items"] = [item for item in page["Items"] if compiled.holds(item, names, values)]
            page["Count"] = len(page["Items"])
        if "ProjectionExpression" in request:
            kept = request["ProjectionExpression"].replace(" ", "").split(",")
            page["Items"] = [{name: item[name] for name in kept if name in item} for item in page["Items"]]
        return page

    def _page(self, rows: Iterable[Row], count: int, request: Mapping[str, Any]) -> dict[str, Any]:
        consistent, limit = request.get("ConsistentRead", False), request.get("Limit", count + 1)
        short = (self._fault_model.page() if count > 1 else None) or count
        items: list[Item] = []
        size = 0
        for number, row in enumerate(rows, 1):
            item = self._seen(row, consistent=consistent)
            if item is None:
                continue
            items.append(item)
            size += row.size if item is row.item else size_of(item)
            is_full = len(items) == limit or size >= PAGE_BYTES
            if is_full or (len(items) == short and number < count):
                return {**_counted(items), "LastEvaluatedKey": row.key}
        return _counted(items)

    def _batch_get(self, request: Mapping[str, Any]) -> dict[str, Any]:
        check_fields("BatchGetItem", request, _BATCH)
        rows = self._batch_rows(request["RequestItems"])
        processed = len(rows) - self._fault_model.unprocessed(len(rows))
        responses: dict[str, list[Item]] = {name: [] for name in request["RequestItems"]}
        size = 0
        for at, (name, _, row) in enumerate(rows[:processed]):
            item = self._seen(row, consistent=request["RequestItems"][name].get("ConsistentRead", False))
            if item is None or row is None:
                continue
            size += row.size if item is row.item else size_of(item)
            if size > BATCH_BYTES:
                processed = at
                break
            responses[name].append(item)
        unprocessed: dict[str, Any] = {}
        for name, key, _ in rows[processed:]:
            unprocessed.setdefault(name, {**request["RequestItems"][name], "Keys": []})["Keys"].append(key)
        return {"Responses": responses, "UnprocessedKeys": unprocessed}

    def _batch_rows(self, asked: Mapping[str, Any]) -> list[tuple[str, Item, Row | None]]:
        """Table, key and row of everything that is asked for."""
        if not asked:
            raise invalid("BatchGetItem must have some requests set")
        if sum(len(one["Keys"]) for one in asked.values()) > MAX_BATCH_GET:
            raise invalid("Too many items requested for the BatchGetItem call")
        found = []
        for name, one in asked.items():
            check_fields("BatchGetItem", one, _BATCHED)
            table = table_of(name, self._tables)
            if not one["Keys"]:
                raise invalid(f"The list of keys in RequestItems for BatchGetItem is required: {name} has empty list")
            places = [table.place(taken_item(key)[0]) for key in one["Keys"]]
            if len(set(places)) < len(places):
                raise invalid("Provided list of item keys contains duplicates")
            found += [(name, key, table.row(place)) for key, place in zip(one["Keys"], places, strict=True)]
        return found

    # --- writes

    def _write(self, kind: str, request: Mapping[str, Any]) -> dict[str, Any]:
        asked = write(kind, request, self._tables, alone=True)
        old = _item(asked)
        if not asked.holds(old):
            shown = {"Item": old} if asked.shows_old and old else {}
            raise refused("ConditionalCheckFailedException", _FAILED, **shown)
        new, size = asked.outcome(old)
        self._commit(asked, old, new, size)
        attributes = asked.attributes(old, new) if asked.returned != "NONE" else None
        return {"Attributes": attributes} if attributes else {}

    def _commit(self, asked: Write, old: Item | None, new: Item | None, size: int) -> None:
        if asked.kind == "ConditionCheck":
            return
        asked.table.write(asked.place, asked.key, new, size)
        if self._on_write is not None and old != new:
            self._on_write(Written(asked.table.name, asked.key, old, new))

    def _batch_write(self, request: Mapping[str, Any]) -> dict[str, Any]:
        check_fields("BatchWriteItem", request, _BATCH)
        asked = request["RequestItems"]
        if not asked:
            raise invalid("BatchWriteItem cannot have a null or no requests set")
        if any(not requests for requests in asked.values()):
            raise invalid("The batch write request list for a table cannot be null or empty")
        if sum(map(len, asked.values())) > MAX_BATCH_WRITE:
            raise invalid("Too many items requested for the BatchWriteItem call")
        flat = [(name, one) for name, requests in asked.items() for one in requests]
        writes = [plain(table_of(name, self._tables), one) for name, one in flat]
        if _has_duplicates(writes):
            raise invalid("Provided list of item keys contains duplicates")
        processed = len(flat) - self._fault_model.unprocessed(len(flat))
        for one in writes[:processed]:
            old = _item(one)
            self._commit(one, old, *one.outcome(old))
        unprocessed: dict[str, Any] = {}
        for name, left in flat[processed:]:
            unprocessed.setdefault(name, []).append(left)
        return {"UnprocessedItems": unprocessed}

    def _transact(self, request: Mapping[str, Any]) -> dict[str, Any]:
        check_fields("TransactWriteItems", request, _TRANSACTION)
        writes = [self._part(part) for part in _checked(request["TransactItems"])]
        if _has_duplicates(writes):
            raise invalid("Transaction request cannot include multiple operations on one item")
        if sum(one.size for one in writes) > TRANSACTION_BYTES:
            raise invalid("Transaction payload size cannot exceed 4MB")
        token = request.get("ClientRequestToken")
        if token and self._is_done(token, writes):
            return {}
        outcomes = _outcomes(writes)
        for one, (old, new, size) in zip(writes, outcomes, strict=True):
            self._commit(one, old, new, size)
        if token:
            self._done[token] = (writes, self._now_ms() + TOKEN_MS)
        return {}

    def _part(self, part: Mapping[str, Any]) -> Write:
        if len(part) != 1:
            raise invalid("TransactItems can only contain one of Check, Put, Update or Delete")
        ((kind, body),) = part.items()
        if kind not in {"Put", "Update", "Delete", "ConditionCheck"}:
            raise Unsupported(f"{kind} in a transaction")
        return write(kind, body, self._tables, alone=False)

    def _is_done(self, token: str, writes: list[Write]) -> bool:
        """Whether this very transaction was made within the last ten minutes."""
        if len(token) > MAX_TOKEN:
            raise invalid("Member must have length less than or equal to 36: clientRequestToken")
        while self._done and next(iter(self._done.values()))[1] <= self._now_ms():
            del self._done[next(iter(self._done))]
        earlier = self._done.get(token)
        if earlier is None or earlier[1] <= self._now_ms():
            self._done.pop(token, None)
            return False
        if earlier[0] != writes:
            raise refused("IdempotentParameterMismatchException", "")
        return True


def _segment(request: Mapping[str, Any]) -> tuple[int, int]:
    """Which segment of how many."""
    part, parts = request.get("Segment"), request["TotalSegments"]
    if part is None or not 0 <= part < parts:
        raise invalid("The Segment parameter is zero-based and must be less than parameter TotalSegments")
    return part, parts


def _part_of(hash_key: Mapping[str, Any], parts: int) -> int:
    """In which of so many segments a partition is: any spread will do that stays the same."""
    return crc32(repr(sorted(hash_key.items())).encode()) % parts


def _item(asked: Write) -> Item | None:
    row = asked.table.row(asked.place)
    return row.item if row else None


def _start(key: Item, table: Table, what: Wanted, *, forward: bool) -> Any:
    """The sort key that a query goes on after."""
    if len(key) != len(table.keys):
        raise invalid("Exclusive Start Key must have same size as table's key schema")
    hashed, sort = table.place(taken_item(key)[0])
    is_within = what.range is None or (what.range.holds(sort) and not what.range.ends_with(sort, forward=forward))
    if hashed != what.hashed or not is_within:
        raise invalid("The provided starting key does not match the range key predicate")
    return sort


def _counted(items: list[Item]) -> dict[str, Any]:
    return {"Items": items, "Count": len(items), "ScannedCount": len(items)}


def _has_duplicates(writes: Sequence[Write]) -> bool:
    return len({(one.table.name, one.place) for one in writes}) < len(writes)


def _checked(parts: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
    if not 1 <= len(parts) <= MAX_PARTS:
        raise invalid(f"Member must have length between 1 and {MAX_PARTS}: transactItems")
    return parts


def _outcomes(writes: Iterable[Write]) -> list[tuple[Item | None, Item | None, int]]:
    """The old and the new item of each part, and the latter's size. Raises TransactionCanceledException."""
    outcomes, reasons = [], []
    for one in writes:
        old, reason = _item(one), {"Code": "None"}
        if not one.holds(old):
            shown: dict[str, Any] = {"Item": old} if one.shows_old and old else {}
            reason = {"Code": "ConditionalCheckFailed", "Message": _FAILED, **shown}
        else:
            try:
                outcomes.append((old, *one.outcome(old)))
            except ServiceError as error:
                reason = {"Code": "ValidationError", "Message": error.body["message"]}
        reasons.append(reason)
    if any(reason["Code"] != "None" for reason in reasons):
        codes = ", ".join(reason["Code"] for reason in reasons)
        raise refused(
            "TransactionCanceledException",
            f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]",
            CancellationReasons=reasons,
        )
    return outcomes
