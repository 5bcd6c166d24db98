"""DynamoDB: plain Python values in and out, and the conditional failure as a value that says what is there."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from shared.adapters.aws.calls import PLAIN, UNBOUNDED, Json, JsonService, ServiceError, undone
from shared.clock import Deadline
from shared.config import AwsEnvironment
from shared.errors import Unavailable

Item = dict[str, Any]
# Attributes of several tables. Here, since the sessions of a handshake need no other of `schema`.
USER_ID: Final = "user_id"
TTL: Final = "ttl"
BATCH_GET_LIMIT: Final = 100
BATCH_WRITE_LIMIT: Final = 25
UNPROCESSED: Final = "Unprocessed"
CONDITION_FAILED: Final = "ConditionalCheckFailedException"
_UNPROCESSED_ATTEMPTS: Final = 8
_NAMES: Final = re.compile(r"#(\w+)")


class Calls(Protocol):
    """Makes one call of the DynamoDB API. Tests count here."""

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]: ...

    def pause(self, attempt: int) -> None:
        """Wait a jittered while before the next attempt at what is unprocessed or contended."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A condition did not hold, and nothing was written. `item` is what was there (None: nothing)."""

    item: Item | None


def dynamodb(environment: AwsEnvironment, deadline: Deadline = UNBOUNDED, codec: Json = PLAIN) -> JsonService:
    """The DynamoDB endpoint of this region (or of the laptop's emulator), called as long as the deadline allows."""
    service = JsonService(
        service="dynamodb",
        target_prefix="DynamoDB_20120810",
        content_type="application/x-amz-json-1.0",
        environment=environment,
        deadline=deadline,
    )
    service.codec = codec
    return service


def to_attribute(value: Any) -> dict[str, Any]:
    """A value in DynamoDB's own JSON. Only the types that the tables use."""
    match value:
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case Mapping():
            return {"M": to_item(value)}
        case list() | tuple():
            return {"L": [to_attribute(element) for element in value]}
        case frozenset() if value:
            return {"SS": sorted(value)}
    raise TypeError(f"no DynamoDB attribute for {type(value).__name__}")


def to_item(values: Mapping[str, Any]) -> dict[str, Any]:
    """A whole item; what is None is left out. Texts take no detour, as in `from_item`."""
    return {
        name: {"S": value} if type(value) is str else to_attribute(value)
        for name, value in values.items()
        if value is not None
    }


def from_attribute(attribute: Mapping[str, Any]) -> Any:
    """The value of one attribute. Raises ValueError for a type that the tables don't use."""
    ((kind, value),) = attribute.items()
    read = _READERS.get(kind)
    if read is None:
        raise ValueError(f"unexpected DynamoDB attribute type {kind}")
    return read(value)


def from_item(item: Mapping[str, Any]) -> Item:
    """A whole item. Texts and numbers, which most attributes are, take no detour: this runs for all that is read."""
    found: Item = {}
    for name, attribute in item.items():
        ((kind, value),) = attribute.items()
        found[name] = value if kind == "S" else int(value) if kind == "N" else from_attribute(attribute)
    return found


def _same(value: Any) -> Any:
    return value


_READERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "S": _same,
    "BOOL": _same,
    "N": int,
    "M": from_item,
    "L": lambda elements: list(map(from_attribute, elements)),
    "SS": frozenset,
}


def conditionally(calls: Calls, operation: str, request: Mapping[str, Any]) -> dict[str, Any] | Refused:
    """Make a conditional write; a condition that does not hold comes back as Refused, with the item that is there."""
    try:
        return calls.call(operation, {**request, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"})
    except ServiceError as error:
        if error.code != CONDITION_FAILED:
            raise
        item = error.body.get("Item")
        return Refused(from_item(item) if item else None)


@contextmanager
def refusal_passes() -> Iterator[None]:
    """A conditional write within whose condition does not hold writes nothing, and is no error."""
    try:
        yield
    except ServiceError as error:
        if error.code != CONDITION_FAILED:
            raise


def transact(calls: Calls, parts: Sequence[Mapping[str, Any]]) -> bool:
    """All of these writes, or none: False where a condition fails. By a token a repeated call is the same."""
    request = {"TransactItems": list(parts), "ClientRequestToken": secrets.token_hex(16)}
    try:
        calls.call("TransactWriteItems", request)
    except ServiceError as error:
        if "ConditionalCheckFailed" not in error.reasons:
            raise
        return False
    return True


def query(calls: Calls, request: Mapping[str, Any], *, limit: int | None = None) -> Iterator[Item]:
    """Every item of a query, page after page, at most `limit`."""
    for page in _pages(calls, request, limit=limit):
        yield from map(from_item, page.get("Items", []))


def _pages(calls: Calls, request: Mapping[str, Any], *, limit: int | None = None) -> Iterator[dict[str, Any]]:
    """What a query is answered, at most `limit` items of it. Pages end at 1 MB, wherever that falls."""
    page_request = dict(request)
    remaining = limit
    while remaining is None or remaining > 0:
        if remaining is not None:
            page_request["Limit"] = remaining
        page = calls.call("Query", page_request)
        yield page
        if remaining is not None:
            remaining -= len(page.get("Items", []))
        if "LastEvaluatedKey" not in page:
            return
        page_request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def batch_get(calls: Calls, keys: Mapping[str, Sequence[Item]], *, consistent: bool) -> dict[str, list[Item]]:
    """Items of one or several tables, 100 keys to a call. What is not there is left out, order is not kept.

    Keys must not repeat. Unprocessed ones are asked for again. Raises Unavailable if they stay unprocessed.
    """
    found: dict[str, list[Item]] = {table: [] for table in keys}
    for table, item in batch_get_raw(calls, keys, consistent=consistent):
        found[table].append(from_item(item))
    return found


def batch_get_raw(
    calls: Calls, keys: Mapping[str, Sequence[Item]], *, consistent: bool
) -> Iterator[tuple[str, dict[str, Any]]]:
    """As above: each item as it comes from DynamoDB, with its table."""
    flat = [(table, to_item(key)) for table, table_keys in keys.items() for key in table_keys]
    for start in range(0, len(flat), BATCH_GET_LIMIT):
        request: dict[str, Any] = {}
        for table, key in flat[start : start + BATCH_GET_LIMIT]:
            request.setdefault(table, {"Keys": [], "ConsistentRead": consistent})["Keys"].append(key)
        yield from _batch(calls, request)


def _batch(calls: Calls, request: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for attempt in range(_UNPROCESSED_ATTEMPTS):
        answer = calls.call("BatchGetItem", {"RequestItems": request})
        for table, items in answer.get("Responses", {}).items():
            for item in items:
                yield table, item
        request = answer.get("UnprocessedKeys") or {}
        if not request:
            return
        if not is_time_for_another(calls, attempt):
            break
    raise Unavailable from undone("dynamodb:BatchGetItem", UNPROCESSED, attempt + 1)


def batch_write(calls: Calls, table: str, requests: Sequence[Mapping[str, Any]]) -> None:
    """Put and delete rows, 25 to a call; what is left unprocessed is sent again. Raises Unavailable if it stays so."""
    for start in range(0, len(requests), BATCH_WRITE_LIMIT):
        waiting: dict[str, Any] = {table: list(requests[start : start + BATCH_WRITE_LIMIT])}
        for attempt in range(_UNPROCESSED_ATTEMPTS):
            waiting = calls.call("BatchWriteItem", {"RequestItems": waiting}).get("UnprocessedItems") or {}
            if not waiting:
                break
            if not is_time_for_another(calls, attempt):
                break
        if waiting:
            raise Unavailable from undone("dynamodb:BatchWriteItem", UNPROCESSED, attempt + 1)


def is_time_for_another(calls: Calls, attempt: int) -> bool:
    """Wait before what is unprocessed is asked for again; False where the invocation has no time left for that."""
    try:
        calls.pause(attempt)
    except Unavailable:
        return False
    return True


class Table:
    """One table: requests of it, and calls with them. What is read is strongly consistent.

    In expressions `#name` stands for the attribute `name`, or for what `names` says. DynamoDB refuses requests with an
    empty part: those are left out.
    """

    def __init__(self, calls: Calls, name: str) -> None:
        self._calls = calls
        self.name = name

    def get(self, key: Item) -> Item | None:
        answer = self._calls.call("GetItem", {**self._at(key), "ConsistentRead": True})
        return from_item(answer["Item"]) if "Item" in answer else None

    def find(self, keys: Iterable[Item], *, consistent: bool = True) -> list[Item]:
        """The rows with these keys, as `batch_get` has it."""
        return batch_get(self._calls, {self.name: list(keys)}, consistent=consistent)[self.name]

    def query(
        self,
        condition: str,
        values: Item,
        *,
        limit: int | None = None,
        backwards: bool = False,
        consistent: bool = True,
        after: Item | None = None,
    ) -> Iterator[Item]:
        """The rows of one partition; those behind the key `after`, where that is given."""
        start = {} if after is None else {"ExclusiveStartKey": to_item(after)}
        request = {
            **start,
            "TableName": self.name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": to_item(values),
            "ScanIndexForward": not backwards,
            "ConsistentRead": consistent,
        }
        return query(self._calls, request, limit=limit)

    def count(self, condition: str, values: Item) -> int:
        """How many rows a query would give, page after page, without the rows."""
        request = {
            "TableName": self.name,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": to_item(values),
            "ConsistentRead": True,
            "Select": "COUNT",
        }
        return sum(int(page["Count"]) for page in _pages(self._calls, request))

    def put(self, item: Item) -> None:
        self._calls.call("PutItem", self.written(item))

    def delete(self, key: Item) -> None:
        self._calls.call("DeleteItem", self._at(key))

    def update(
        self,
        key: Item,
        change: str,
        values: Item,
        *,
        condition: str = "",
        names: Mapping[str, str] | None = None,
        returns: str = "",
    ) -> dict[str, Any] | Refused:
        request = {**self._at(key), **_expressions(change, condition, values, names or {})}
        return conditionally(self._calls, "UpdateItem", request | ({"ReturnValues": returns} if returns else {}))

    def written(self, item: Item, *, condition: str = "", values: Item | None = None) -> dict[str, Any]:
        """A request to put a row."""
        return {"TableName": self.name, "Item": to_item(item), **_expressions("", condition, values or {}, {})}

    def changed(self, key: Item, change: str, values: Item, *, condition: str = "") -> dict[str, Any]:
        """A request to update a row."""
        return {**self._at(key), **_expressions(change, condition, values, {})}

    def deleted(self, key: Item, *, condition: str = "", values: Item | None = None) -> dict[str, Any]:
        """A request to delete a row."""
        return {**self._at(key), **_expressions("", condition, values or {}, {})}

    def _at(self, key: Item) -> dict[str, Any]:
        return {"TableName": self.name, "Key": to_item(key)}


def _expressions(change: str, condition: str, values: Item, names: Mapping[str, str]) -> dict[str, Any]:
    parts: dict[str, Any] = {}
    if change:
        parts["UpdateExpression"] = change
    if condition:
        parts["ConditionExpression"] = condition
    if placeholders := _NAMES.findall(f"{change} {condition}"):
        parts["ExpressionAttributeNames"] = {f"#{name}": names.get(name, name) for name in placeholders}
    if attributes := to_item(values):
        parts["ExpressionAttributeValues"] = attributes
    return parts


def set_to(fields: Mapping[str, Any]) -> tuple[str, Item]:
    """The change that stores these attributes, and takes away those that are None; and its values."""
    kept = {name: value for name, value in fields.items() if value is not None}
    sets = ", ".join(f"#{name} = :{name}" for name in kept)
    removes = ", ".join(f"#{name}" for name in fields if name not in kept)
    whole = [f"SET {sets}"] * bool(sets) + [f"REMOVE {removes}"] * bool(removes)
    return " ".join(whole), {f":{name}": value for name, value in kept.items()}


class MembersStore:
    """A store on the members table. Where it notes changes in users' own logs, it has the log's, too."""

    def __init__(self, calls: Calls, *, members_table: str, log_table: str = "") -> None:
        self._calls = calls
        self._table = Table(calls, members_table)
        self._log = Table(calls, log_table)
