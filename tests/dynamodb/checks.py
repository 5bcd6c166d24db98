"""What DynamoDB asks of a condition's operands whatever the item is: before it looks at any."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from shared.adapters.aws.calls import ServiceError
from tests.dynamodb.errors import invalid
from tests.dynamodb.paths import SIZED, Names, Values, resolved
from tests.dynamodb.tree import Between, Both, Comparison, Either, In, Node, Not, Operand, Path, Predicate, Size, Value
from tests.dynamodb.values import KINDS, ordered

Check = Callable[[Names, Values], None]
"""Raises ValidationException."""

_ORDERED: Final = frozenset({"S", "N", "B"})
_TEXT: Final = frozenset({"S", "B"})


def checks(node: Node, kind: str) -> Iterable[Check]:
    """All of a condition. `kind` is what the request calls it."""
    match node:
        case Both(left, right) | Either(left, right):
            yield from checks(left, kind)
            yield from checks(right, kind)
        case Not(inner):
            yield from checks(inner, kind)
        case Comparison(sign, left, right):
            yield from _operands(kind, sign, frozenset() if sign in {"=", "<>"} else _ORDERED, left, right)
        case Between(operand, low, high):
            yield from _operands(kind, "BETWEEN", _ORDERED, operand, low, high)
            if isinstance(low, Value) and isinstance(high, Value):
                yield _bounds(kind, low.name, high.name)
        case In(operand, among):
            yield from _operands(kind, "IN", frozenset(), operand, *among)
        case Predicate("attribute_type", (attribute, type_name)):
            yield from _operands(kind, "attribute_type", frozenset(), attribute, type_name)
            yield _type_name(kind, type_name)
        case Predicate(function, arguments):
            allowed = _TEXT if function == "begins_with" else frozenset[str]()
            yield from _operands(kind, function, allowed, *arguments)


def _operands(kind: str, what: str, allowed: frozenset[str], *operands: Operand) -> Iterable[Check]:
    """The first one is none of the others, and values are of the types `allowed` (all types if none is said)."""
    first, *others = operands
    for operand in operands:
        if isinstance(operand, Value) and allowed:
            yield value_type(kind, what, allowed, operand.name)
        elif isinstance(operand, Size) and isinstance(operand.of, Value):
            yield value_type(kind, "size", frozenset(SIZED), operand.of.name)
    if isinstance(first, Path):
        for other in others:
            if isinstance(other, Path):
                yield distinct(kind, what, first, other)


def value_type(kind: str, what: str, allowed: frozenset[str], name: str) -> Check:
    def check(_names: Names, values: Values) -> None:
        (found,) = values[name]
        if found not in allowed:
            raise _wrong_type(kind, what, found)

    return check


def _wrong_type(kind: str, what: str, found: str) -> ServiceError:
    return invalid(
        f"Invalid {kind}: Incorrect operand type for operator or function; operator or function: {what},"
        f" operand type: {found}"
    )


def distinct(kind: str, what: str, first: Path, other: Path) -> Check:
    def check(names: Names, _values: Values) -> None:
        place = resolved(first, names)
        if place == resolved(other, names):
            raise invalid(
                f"Invalid {kind}: The first operand must be distinct from the remaining operands for this operator or"
                f" function; operator: {what}, first operand: [{', '.join(place)}]"
            )

    return check


def _bounds(kind: str, low: str, high: str) -> Check:
    def check(_names: Names, values: Values) -> None:
        if values[low].keys() != values[high].keys():
            raise invalid(f"Invalid {kind}: The BETWEEN operator requires same data type for lower and upper bounds")
        if ordered(values[low]) > ordered(values[high]):
            raise invalid(
                f"Invalid {kind}: The BETWEEN operator requires upper bound to be greater than or equal to lower bound"
            )

    return check


def _type_name(kind: str, operand: Operand) -> Check:
    def check(_names: Names, values: Values) -> None:
        if not isinstance(operand, Value):
            raise _wrong_type(kind, "attribute_type", "any")
        name = values[operand.name].get("S")
        if name is None:
            raise _wrong_type(kind, "attribute_type", *values[operand.name])
        if name not in KINDS:
            raise invalid(f"Invalid {kind}: Invalid attribute type name found; type: {name}")

    return check
