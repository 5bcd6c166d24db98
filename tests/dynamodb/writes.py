"""One write, of its own or as a part of a batch or transaction: what it asks for, and what it makes of an item."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final

from shared.adapters.aws.calls import ServiceError
from tests.dynamodb.conditions import Condition, condition
from tests.dynamodb.errors import Unsupported, invalid, refused
from tests.dynamodb.paths import Names, Values, check_used, resolved
from tests.dynamodb.tables import Place, Table
from tests.dynamodb.tree import Used
from tests.dynamodb.updates import Update, update
from tests.dynamodb.values import MAX_ITEM_BYTES, Item, size_of, taken, taken_item

NO_ITEM: Final[Item] = {}

_EXPRESSIONS: Final = frozenset({"ExpressionAttributeNames", "ExpressionAttributeValues"})
_CONDITIONAL: Final = _EXPRESSIONS | {"TableName", "ConditionExpression", "ReturnValuesOnConditionCheckFailure"}
_FIELDS: Final = {
    "Put": _CONDITIONAL | {"Item"},
    "Update": _CONDITIONAL | {"Key", "UpdateExpression"},
    "Delete": _CONDITIONAL | {"Key"},
    "ConditionCheck": _CONDITIONAL | {"Key"},
}
_RETURNED: Final = {
    "Put": frozenset({"NONE", "ALL_OLD"}),
    "Delete": frozenset({"NONE", "ALL_OLD"}),
    "Update": frozenset({"NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"}),
}
_PLACEHOLDER: Final = re.compile(r"[#:][A-Za-z0-9_]+")


@dataclass(slots=True)
class Write:
    """Checked as far as that goes without the item. Two are equal where they ask for the same."""

    kind: str
    table: Table
    place: Place
    key: Item
    item: Item | None
    size: int
    texts: tuple[str | None, str | None]
    names: Names
    values: Values
    returned: str
    shows_old: bool
    condition: Condition | None = field(compare=False)
    update: Update | None = field(compare=False)

    def holds(self, old: Item | None) -> bool:
        wanted = self.condition
        return wanted is None or wanted.holds(old or NO_ITEM, self.names, self.values)

    def outcome(self, old: Item | None) -> tuple[Item | None, int]:
        """The item after it, with its size. Raises ValidationException for an update that does not fit the item."""
        if self.kind == "Put":
            return self.item, self.size
        if self.kind == "Delete":
            return None, 0
        new = old or self.key
        if self.update is not None:
            self.update.check_key(self.names, self.table.key_names)
            new = self.update.applied(new, self.names, self.values)
        size = size_of(new)
        if size > MAX_ITEM_BYTES:
            raise invalid("Item size to update has exceeded the maximum allowed size")
        return new, size

    def attributes(self, old: Item | None, new: Item | None) -> Item | None:
        """What the answer shows of them."""
        match self.returned:
            case "ALL_OLD":
                return old
            case "ALL_NEW":
                return new
            case "UPDATED_OLD" | "UPDATED_NEW" if self.update is not None:
                return self.update.part_of((old if self.returned == "UPDATED_OLD" else new) or NO_ITEM, self.names)
        return None


def write(kind: str, request: Mapping[str, Any], tables: Mapping[str, Table], *, alone: bool) -> Write:
    """Of a request (`alone`), or of a part of a transaction. Raises ServiceError."""
    check_fields(kind, request, _FIELDS[kind] | {"ReturnValues"} if alone else _FIELDS[kind])
    if kind == "ConditionCheck" and "ConditionExpression" not in request:
        raise invalid("Value null at 'conditionExpression' failed to satisfy constraint: Member must not be null")
    table = table_of(request["TableName"], tables)
    names, values, condition_, update_ = _expressions(request)
    used = [one.used for one in (condition_, update_) if one is not None]
    _check_keys_are_no_documents(used, names, table)
    returned = request.get("ReturnValues", "NONE")
    if returned != "NONE" and returned not in _RETURNED[kind]:
        raise invalid("Return values set to invalid value")
    item, size, key = None, 0, request.get("Key")
    if kind == "Put":
        item, size = sized(request["Item"])
        place, key = table.place_of(item), table.key_of(item)
    else:
        key, _ = taken_item(request["Key"])
        place = table.place(key)
    return Write(
        kind,
        table,
        place,
        key,
        item,
        size,
        (request.get("ConditionExpression"), request.get("UpdateExpression")),
        names,
        values,
        returned,
        _shows_old(request),
        condition_,
        update_,
    )


def plain(table: Table, request: Mapping[str, Any]) -> Write:
    """One request of a batch."""
    ((kind, body),) = request.items()
    wanted = {"PutRequest": ("Put", "Item"), "DeleteRequest": ("Delete", "Key")}
    if kind not in wanted:
        raise Unsupported(f"{kind} in a batch")
    check_fields(kind, body, {wanted[kind][1]})
    return write(wanted[kind][0], {"TableName": table.name, **body}, {table.name: table}, alone=False)


def check_fields(what: str, request: Mapping[str, Any], known: frozenset[str] | set[str]) -> None:
    if not request.keys() <= known:
        raise Unsupported(f"{what} with {', '.join(sorted(request.keys() - known))}")


def table_of(name: str, tables: Mapping[str, Table]) -> Table:
    found = tables.get(name)
    if found is None:
        raise refused("ResourceNotFoundException", f"Requested resource not found: Table: {name} not found")
    return found


def sized(item: Item) -> tuple[Item, int]:
    """An item as it is stored, and its size. Raises ValidationException."""
    stored, size = taken_item(item)
    if size > MAX_ITEM_BYTES:
        raise invalid("Item size has exceeded the maximum allowed size")
    return stored, size


def _shows_old(request: Mapping[str, Any]) -> bool:
    shown = request.get("ReturnValuesOnConditionCheckFailure", "NONE")
    if shown not in {"NONE", "ALL_OLD"}:
        raise invalid(f"Value '{shown}' at 'returnValuesOnConditionCheckFailure' failed to satisfy constraint")
    return bool(shown == "ALL_OLD")


def _expressions(request: Mapping[str, Any]) -> tuple[Names, Values, Condition | None, Update | None]:
    """Compiled, with their placeholders checked."""
    texts = request.get("UpdateExpression"), request.get("ConditionExpression")
    change, compiled, used = _compiled(*texts)
    names, values = placeholders(request, texts, used)
    if change is not None:
        change.check_overlap(names)
    for check in (*(change.checks if change else ()), *(compiled.checks if compiled else ())):
        check(names, values)
    return names, values, compiled, change


@lru_cache(maxsize=4096)
def _compiled(
    update_text: str | None, condition_text: str | None
) -> tuple[Update | None, Condition | None, Mapping[str, Used]]:
    used: dict[str, Used] = {}
    change = None if update_text is None else update(update_text)
    if change is not None:
        used["UpdateExpression"] = change.used
    compiled = None if condition_text is None else condition(condition_text)
    if compiled is not None:
        used["ConditionExpression"] = compiled.used
    return change, compiled, used


def _check_keys_are_no_documents(used: Iterable[Used], names: Names, table: Table) -> None:
    """What DynamoDB says to a place within a key depends on where it stands."""
    for one in used:
        for path in one.documents:
            if resolved(path, names)[0] in table.key_names:
                raise Unsupported("a place within a key attribute")


_fitting: set[tuple[object, ...]] = set()
"""Expressions with the placeholders that they were given, where these were found to be right."""


def placeholders(
    request: Mapping[str, Any], texts: tuple[str | None, ...], used: Mapping[str, Used]
) -> tuple[Names, Values]:
    """What stands for what. Raises ValidationException where that is not what the expressions (`texts`) use."""
    names, values = request.get("ExpressionAttributeNames"), request.get("ExpressionAttributeValues")
    given = texts, None if names is None else tuple(names), None if values is None else tuple(values)
    if given not in _fitting:
        _check_given(names, values, used)
    stored = {name: _value(name, value) for name, value in values.items()} if values else {}
    if given not in _fitting:
        check_used(used, names or {}, stored)
        _fitting.add(given)
    return dict(names) if names else {}, stored


def _check_given(names: Mapping[str, Any] | None, values: Mapping[str, Any] | None, used: Mapping[str, Used]) -> None:
    for what, given in (("Names", names), ("Values", values)):
        if given is None:
            continue
        if not used:
            raise invalid(f"ExpressionAttribute{what} can only be specified when using expressions")
        if not given:
            raise invalid(f"ExpressionAttribute{what} must not be empty")
        for name in given:
            _check_placeholder(what, name)


@lru_cache(maxsize=4096)
def _check_placeholder(what: str, name: str) -> None:
    if not _PLACEHOLDER.fullmatch(name) or name[0] != ("#" if what == "Names" else ":"):
        raise invalid(f'ExpressionAttribute{what} contains invalid key: Syntax error; key: "{name}"')


def _value(name: str, value: Any) -> Any:
    try:
        return taken(value)[0]
    except ServiceError as error:
        text = error.body["message"]
        raise invalid(f"ExpressionAttributeValues contains invalid value: {text} for key {name}") from None
