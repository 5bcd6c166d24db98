"""Paths and placeholders as closures: compiled once for each text, called with what a request puts into it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tests.dynamodb.errors import invalid
from tests.dynamodb.tree import Operand, Path, Size, Used, Value
from tests.dynamodb.values import Attribute, Item

Names = Mapping[str, str]
Values = Mapping[str, Attribute]
Get = Callable[[Item, Names, Values], Attribute | None]
"""What an operand is for this item; None where there is nothing."""


def _units(text: str) -> int:
    """DynamoDB counts a text as Java does."""
    return len(text.encode("utf-16-le")) // 2


SIZED: Final[Mapping[str, Callable[[Any], int]]] = {"M": len, "L": len, "SS": len, "NS": len, "S": _units}


def resolved(path: Path, names: Names) -> tuple[str, ...]:
    return tuple([names[one] if one[0] == "#" else one for one in path.segments])


def getter(operand: Operand) -> Get:
    match operand:
        case Value(name):
            return lambda _item, _names, values: values[name]
        case Size(of):
            return _size_getter(getter(of))
        case Path((only,)) if only[0] != "#":
            return lambda item, _names, _values: item.get(only)
        case Path((only,)):
            return lambda item, names, _values: item.get(names[only])
    return _document_getter(operand)


def _size_getter(get: Get) -> Get:
    def size(item: Item, names: Names, values: Values) -> Attribute | None:
        attribute = get(item, names, values)
        if attribute is None:
            return None
        ((kind, value),) = attribute.items()
        return {"N": str(SIZED[kind](value))} if kind in SIZED else None

    return size


def _document_getter(path: Path) -> Get:
    def get(item: Item, names: Names, _values: Values) -> Attribute | None:
        attribute: Attribute | None = {"M": item}
        for segment in resolved(path, names):
            if attribute is None or "M" not in attribute:
                return None
            attribute = attribute["M"].get(segment)
        return attribute

    return get


def check_used(kinds: Mapping[str, Used], names: Names, values: Values) -> None:
    """Every placeholder of the expressions is given, and every one that is given is in one of them."""
    used_names: set[str] = set()
    used_values: set[str] = set()
    for kind, used in kinds.items():
        if not used.names <= names.keys():
            raise _undefined(kind, "name used in the document path", "attribute name", used.names - names.keys())
        if not used.values <= values.keys():
            raise _undefined(kind, "value used in expression", "attribute value", used.values - values.keys())
        used_names |= used.names
        used_values |= used.values
    _check_all_used("Names", names, used_names)
    _check_all_used("Values", values, used_values)


def _undefined(kind: str, what: str, label: str, which: frozenset[str] | set[str]) -> Exception:
    return invalid(f"Invalid {kind}: An expression attribute {what} is not defined; {label}: {min(which)}")


def _check_all_used(what: str, given: Mapping[str, object], used: set[str]) -> None:
    if len(given) > len(used):
        unused = ", ".join(sorted(given.keys() - used))
        raise invalid(f"Value provided in ExpressionAttribute{what} unused in expressions: keys: {{{unused}}}")
