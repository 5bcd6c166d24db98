"""Attribute values: what DynamoDB takes, how it writes a number down, what counts towards an item's size."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from tests.simulation.store.errors import Unsupported, invalid

Attribute = Mapping[str, Any]
Item = Mapping[str, Attribute]
Number = int | Decimal

MAX_ITEM_BYTES: Final = 400 * 1024
_MAX_DEPTH: Final = 32
_MAX_DIGITS: Final = 38
_MAX_EXPONENT: Final = 125
_MIN_EXPONENT: Final = -130
_CONTAINER_BYTES: Final = 3  # and one more for each element
_KINDS: Final = frozenset({"S", "N", "B", "SS", "NS", "BS", "BOOL", "NULL", "L", "M"})


def number(text: str) -> Number:
    """Of a number that has been taken."""
    return int(text) if text.lstrip("-").isdigit() else Decimal(text)


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


def taken(attribute: Attribute, depth: int = 0) -> Attribute:
    """The value as it is stored. Raises ValidationException for what DynamoDB does not take."""
    if len(attribute) != 1:
        raise invalid("Supplied AttributeValue must contain exactly one of the supported datatypes")
    ((kind, value),) = attribute.items()
    if kind == "S":
        _check_type(value, str)
        return attribute
    if kind == "N":
        _check_type(value, str)
        return attribute if _is_plain(value) else {"N": _normal(value)}
    if kind in {"M", "L"}:
        if depth == _MAX_DEPTH:
            raise invalid("Nesting Levels have exceeded supported limits")
        if kind == "L":
            return {"L": [taken(element, depth + 1) for element in value]}
        return {"M": taken_item(value, depth + 1)}
    if kind == "BOOL":
        _check_type(value, bool)
        return attribute
    return _rarer(kind, value)


def taken_item(item: Item, depth: int = 0) -> dict[str, Attribute]:
    if "" in item:
        raise invalid("Empty attribute name")
    return {name: taken(value, depth) for name, value in item.items()}


def _rarer(kind: str, value: Any) -> Attribute:
    match kind:
        case "SS":
            return {"SS": _members(value)}
        case "NS":
            return {"NS": _members([_normal(one) for one in value])}
        case "NULL" if value is True:
            return {"NULL": True}
        case "NULL":
            raise invalid("One or more parameter values were invalid: Null attribute value types must be true")
        case _ if kind in _KINDS:
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


def _is_plain(text: str) -> bool:
    digits = text[1:] if text[:1] == "-" else text
    is_short = digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS
    return is_short and (digits[0] != "0" or text == "0")


def _normal(text: str) -> str:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise invalid("A value provided cannot be converted into a number") from None
    if not value.is_finite():
        raise invalid("A value provided cannot be converted into a number")
    return written(value)


def size_of(item: Item) -> int:
    """In bytes, by DynamoDB's rules."""
    return sum([_text(name) + _size(value) for name, value in item.items()])


def _text(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode())


def _size(attribute: Attribute) -> int:  # noqa: PLR0911  # one for each type
    ((kind, value),) = attribute.items()
    match kind:
        case "S":
            return _text(value)
        case "N":
            return _number_size(value)
        case "M":
            return _CONTAINER_BYTES + len(value) + size_of(value)
        case "L":
            return _CONTAINER_BYTES + len(value) + sum(map(_size, value))
        case "SS":
            return sum(map(_text, value))
        case "NS":
            return sum(map(_number_size, value))
    return 1


def _number_size(text: str) -> int:
    return (len(text.replace(".", "").strip("-0")) + 1) // 2 + (2 if text[0] == "-" else 1)
