"""Attribute values: what DynamoDB takes, how it writes a number down, what counts towards an item's size."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

from tests.dynamodb.errors import Unsupported, invalid

Attribute = Mapping[str, Any]
Item = Mapping[str, Attribute]
Number = int | Decimal

MAX_ITEM_BYTES: Final = 400 * 1024
_MAX_DEPTH: Final = 32
_MAX_DIGITS: Final = 38
_MAX_EXPONENT: Final = 125
_MIN_EXPONENT: Final = -130
_CONTAINER_BYTES: Final = 3  # and one more for each element
KINDS: Final = frozenset({"S", "N", "B", "SS", "NS", "BS", "BOOL", "NULL", "L", "M"})


def number(text: str) -> Number:
    """Of a number that has been taken."""
    return int(text) if text.lstrip("-").isdigit() else Decimal(text)


def ordered(attribute: Attribute) -> Any:
    """What compares as DynamoDB compares: numbers by value, texts as their UTF-8, which is by code point."""
    if "N" in attribute:
        return number(attribute["N"])
    return attribute.get("S")


def written(value: Number) -> str:
    """A number as DynamoDB writes it: plainly, without zeros at either end. Raises ValidationException."""
    if isinstance(value, int):
        digits = str(value)
        if len(digits) <= _MAX_DIGITS:
            return digits
        value = Decimal(value)
    exact = value.as_tuple()
    digits = "".join(map(str, exact.digits)).strip("0")
    if not digits:
        return "0"
    if len(digits) > _MAX_DIGITS:
        raise invalid("DynamoDB only supports precision up to 38 digits")
    if value.adjusted() > _MAX_EXPONENT:
        raise invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
    if value.adjusted() < _MIN_EXPONENT:
        raise invalid("Number underflow. Attempting to store a number with magnitude smaller than supported range")
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def taken(attribute: Attribute, depth: int = 0) -> tuple[Attribute, int]:
    """The value as it is stored, and its size. Raises ValidationException for what DynamoDB does not take."""
    if len(attribute) != 1:
        raise invalid("Supplied AttributeValue must contain exactly one of the supported datatypes")
    ((kind, value),) = attribute.items()
    if kind == "S":
        if type(value) is not str:
            _check_type(value, str)
        return attribute, len(value) if value.isascii() else len(value.encode())
    if kind == "N":
        if type(value) is not str:
            _check_type(value, str)
        text, size = _normal(value)
        return (attribute if text == value else {"N": text}), size
    if kind == "BOOL":
        _check_type(value, bool)
        return attribute, 1
    if kind in {"M", "L"} and depth == _MAX_DEPTH:
        raise invalid("Nesting Levels have exceeded supported limits")
    if kind == "M":
        inner, size = taken_item(value, depth + 1)
        return {"M": inner}, _CONTAINER_BYTES + len(inner) + size
    stored = {"L": [taken(one, depth + 1)[0] for one in value]} if kind == "L" else _rarer(kind, value)
    return stored, _size(stored)


def taken_item(item: Item, depth: int = 0) -> tuple[dict[str, Attribute], int]:
    """An item or a map as it is stored, and its size."""
    if "" in item:
        raise invalid("Empty attribute name")
    stored, size = {}, 0
    for name, attribute in item.items():
        stored[name], value_size = taken(attribute, depth)
        size += value_size + (len(name) if name.isascii() else len(name.encode()))
    return stored, size


def _rarer(kind: str, value: Any) -> Attribute:
    match kind:
        case "SS":
            return {"SS": _members(value)}
        case "NS":
            return {"NS": _members([_normal(one)[0] for one in value])}
        case "NULL" if value is True:
            return {"NULL": True}
        case "NULL":
            raise invalid("One or more parameter values were invalid: Null attribute value types must be true")
        case _ if kind in KINDS:
            raise Unsupported(f"attributes of type {kind}")
    raise invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")


def _members(values: list[str]) -> list[str]:
    """In one order, so that two equal sets are two equal lists."""
    if not values:
        raise invalid("One or more parameter values were invalid: An string set  may not be empty")
    if len(set(values)) < len(values):
        raise invalid("One or more parameter values were invalid: Input collection contains duplicates")
    return sorted(values)


def _check_type(value: Any, expected: type) -> None:
    if not isinstance(value, expected):
        raise Unsupported(f"a value that JSON has as {type(value).__name__}")


@lru_cache(maxsize=65536)
def _normal(text: str) -> tuple[str, int]:
    """A number as DynamoDB writes it, and its size."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise invalid("A value provided cannot be converted into a number") from None
    if not value.is_finite():
        raise invalid("A value provided cannot be converted into a number")
    normal = written(value)
    digits = len(normal.replace(".", "").strip("-0"))
    return normal, (digits + 1) // 2 + (2 if normal[0] == "-" else 1)


def size_of(item: Item) -> int:
    """Of a stored one, in bytes, by DynamoDB's rules."""
    size = 0
    for name, attribute in item.items():
        size += (len(name) if name.isascii() else len(name.encode())) + _size(attribute)
    return size


def _size(attribute: Attribute) -> int:
    ((kind, value),) = attribute.items()
    if kind == "S":
        return len(value) if value.isascii() else len(value.encode())
    if kind == "N":
        return _normal(value)[1]
    if kind == "M":
        return _CONTAINER_BYTES + len(value) + size_of(value)
    if kind == "L":
        return _CONTAINER_BYTES + len(value) + sum(map(_size, value))
    if kind == "SS":
        return sum(len(one.encode()) for one in value)
    return sum(_normal(one)[1] for one in value) if kind == "NS" else 1
