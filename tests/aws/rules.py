"""What the services refuse beyond their models' shapes, as their documents say.

DynamoDB's rules are those of the simulated tables, which the contract suites hold to other engines: expressions and
their reserved words, names and values that are missing or spare, keys, duplicates, the sizes of items, batches and
transactions.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from shared.adapters.aws.calls import ServiceError
from tests.aws.calls import Call
from tests.dynamodb import Store
from tests.dynamodb.errors import Unsupported
from tests.dynamodb.store import BATCH_BYTES
from tests.dynamodb.writes import Write

LARGEST_MESSAGE: Final = 1024 * 1024  # of SQS, one or all of a batch together
LARGEST_BATCH: Final = 10
LONGEST_DELAY_S: Final = 900
LARGEST_POST: Final = 128 * 1024
_ID: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_")
# What a call meets only in the item that is there: on empty tables it says nothing about the call.
_OF_THE_ITEM: Final = "The document path provided in the update expression is invalid for update"
_REFUSALS: Final = frozenset({"ValidationException", "ResourceNotFoundException"})


def rule_problems(call: Call, tables: Mapping[str, str]) -> Iterator[str]:
    """`tables` says which of the four a name is of."""
    check = _CHECKS.get(call.service)
    return iter(()) if check is None else check(call, tables)


class _Empty(Store):
    """Tables in which nothing is ever written: a call is looked at, and that is all."""

    def _commit(self, *_: Any) -> None:
        pass

    def _is_done(self, token: str, writes: list[Write]) -> bool:
        return False


_TABLES: Final = _Empty()


def _dynamodb(call: Call, tables: Mapping[str, str]) -> Iterator[str]:
    size = len(json.dumps(call.parameters, ensure_ascii=False).encode())
    if size > BATCH_BYTES:
        yield f"a request of {size} bytes"
    try:
        _TABLES.call(call.operation, renamed(call.parameters, tables))
    except Unsupported as unknown:
        yield f"what the simulated tables do not know: {unknown}"
    except ServiceError as refused:
        messages = [refused.body.get("message", ""), *_reasons(refused)]
        if refused.code in _REFUSALS and messages[0] != _OF_THE_ITEM:
            yield f"{refused.code}: {messages[0]}"
        yield from (one for one in messages[1:] if one and one != _OF_THE_ITEM)


def _reasons(refused: ServiceError) -> list[str]:
    """Why a transaction was cancelled, but for conditions that do not hold on empty tables."""
    reasons = refused.body.get("CancellationReasons") or ()
    return [str(one.get("Message")) for one in reasons if one.get("Code") == "ValidationError"]


def renamed(request: Any, tables: Mapping[str, str]) -> Any:
    """A request with other names of the tables, wherever a table is named. A name that is not known stays."""
    if isinstance(request, list):
        return [renamed(one, tables) for one in request]
    if not isinstance(request, Mapping):
        return request
    found: dict[str, Any] = {}
    for name, value in request.items():
        if name == "TableName":
            found[name] = tables.get(value, value)
        elif name in {"RequestItems", "Responses", "UnprocessedKeys", "UnprocessedItems"}:
            found[name] = {tables.get(table, table): one for table, one in value.items()}
        elif name == "TransactItems" or name in {"Put", "Update", "Delete", "ConditionCheck"}:
            found[name] = renamed(value, tables)
        else:
            found[name] = value
    return found


def _sqs(call: Call, _tables: Mapping[str, str]) -> Iterator[str]:
    entries = call.parameters["Entries"] if call.operation == "SendMessageBatch" else [call.parameters]
    if not 1 <= len(entries) <= LARGEST_BATCH:
        yield f"{len(entries)} messages at once"
    ids = [one["Id"] for one in entries if "Id" in one]
    if len(set(ids)) < len(ids):
        yield "two messages of one id"
    if any(not 1 <= len(one) <= 80 or not _ID.issuperset(one) for one in ids):
        yield f"an id of {ids}"
    if sum(len(one["MessageBody"].encode()) for one in entries) > LARGEST_MESSAGE:
        yield "more than a megabyte"
    for one in entries:
        if not one["MessageBody"] or not all(map(_is_allowed, one["MessageBody"])):
            yield "a message that is empty, or has characters that XML has not"
        if not 0 <= one.get("DelaySeconds", 0) <= LONGEST_DELAY_S:
            yield f"a delay of {one['DelaySeconds']} seconds"
        group = one.get("MessageGroupId")
        if group is not None and not (1 <= len(group) <= 128 and group.isascii() and group.isprintable()):
            yield f"a group called {group!a}"


def _is_allowed(character: str) -> bool:
    return (
        character in "\t\n\r"
        or "\x20" <= character <= "\ud7ff"
        or "\ue000" <= character <= "\ufffd"
        or character > "\uffff"
    )


def _connections(call: Call, _tables: Mapping[str, str]) -> Iterator[str]:
    if call.operation == "PostToConnection" and len(call.parameters["Data"]) > LARGEST_POST:
        yield f"a post of {len(call.parameters['Data'])} bytes"


_CHECKS: Final[Mapping[str, Callable[[Call, Mapping[str, str]], Iterator[str]]]] = {
    "dynamodb": _dynamodb,
    "sqs": _sqs,
    "execute-api": _connections,
}
