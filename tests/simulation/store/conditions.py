"""Conditions as closures."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from tests.simulation.store.errors import invalid
from tests.simulation.store.paths import Get, Names, Values, getter
from tests.simulation.store.syntax import (
    Between,
    Both,
    Comparison,
    Either,
    In,
    Node,
    Not,
    Operand,
    Predicate,
    Used,
    Value,
    parse_condition,
)
from tests.simulation.store.values import Attribute, Item, number

Holds = Callable[[Item, Names, Values], bool]
Check = Callable[[Values], None]

_KINDS: Final = frozenset({"N", "BS", "L", "B", "NULL", "M", "S", "SS", "NS", "BOOL"})
_ORDERS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition: whether it holds for an item, and what it asks of the values whatever the item is."""

    node: Node
    used: Used
    checks: tuple[Check, ...]
    holds: Holds


@lru_cache(maxsize=4096)
def condition(text: str, kind: str = "ConditionExpression") -> Condition:
    node, used = parse_condition(text, kind)
    return Condition(node, used, tuple(_checks(node, kind)), _compiled(node))


def ordered(attribute: Attribute) -> Any:
    """What compares as DynamoDB compares: numbers by value, texts as their UTF-8, which is by code point."""
    if "N" in attribute:
        return number(attribute["N"])
    return attribute.get("S")


def _compiled(node: Node) -> Holds:  # noqa: PLR0911  # one for each kind of node
    match node:
        case Both(left, right):
            first, second = _compiled(left), _compiled(right)
            return lambda item, names, values: first(item, names, values) and second(item, names, values)
        case Either(left, right):
            first, second = _compiled(left), _compiled(right)
            return lambda item, names, values: first(item, names, values) or second(item, names, values)
        case Not(inner):
            negated = _compiled(inner)
            return lambda item, names, values: not negated(item, names, values)
        case Comparison(sign, left, right):
            return _comparison(sign, getter(left), getter(right))
        case Between(operand, low, high):
            above, below = _order(">=", getter(operand), getter(low)), _order("<=", getter(operand), getter(high))
            return lambda item, names, values: above(item, names, values) and below(item, names, values)
        case In(operand, among):
            equal = [_comparison("=", getter(operand), getter(one)) for one in among]
            return lambda item, names, values: any(one(item, names, values) for one in equal)
        case Predicate(function, arguments):
            return _test(function, *map(getter, arguments))


def _comparison(sign: str, left: Get, right: Get) -> Holds:
    if sign == "=":
        # Two that are not there are not equal, either.
        return lambda item, names, values: (
            (found := left(item, names, values)) is not None and found == right(item, names, values)
        )
    if sign == "<>":
        equal = _comparison("=", left, right)
        return lambda item, names, values: not equal(item, names, values)
    return _order(sign, left, right)


def _order(sign: str, left: Get, right: Get) -> Holds:
    compare = _ORDERS[sign]

    def holds(item: Item, names: Names, values: Values) -> bool:
        one, other = left(item, names, values), right(item, names, values)
        if one is None or other is None or one.keys() != other.keys():
            return False
        first = ordered(one)
        return first is not None and compare(first, ordered(other))

    return holds


def _test(function: str, get: Get, other: Get | None = None) -> Holds:
    if function == "attribute_exists":
        return lambda item, names, values: get(item, names, values) is not None
    if function == "attribute_not_exists":
        return lambda item, names, values: get(item, names, values) is None
    assert other is not None
    decide = {"attribute_type": _has_type, "begins_with": _begins, "contains": _contains}[function]

    def holds(item: Item, names: Names, values: Values) -> bool:
        attribute, argument = get(item, names, values), other(item, names, values)
        return attribute is not None and argument is not None and decide(attribute, argument)

    return holds


def _has_type(attribute: Attribute, kind: Attribute) -> bool:
    return kind.get("S") in attribute


def _begins(attribute: Attribute, prefix: Attribute) -> bool:
    return "S" in attribute and "S" in prefix and attribute["S"].startswith(prefix["S"])


def _contains(attribute: Attribute, part: Attribute) -> bool:
    ((kind, value),) = attribute.items()
    if kind == "L":
        return part in value
    ((part_kind, part_value),) = part.items()
    return (kind, part_kind) in {("S", "S"), ("SS", "S"), ("NS", "N")} and part_value in value


def _checks(node: Node, kind: str) -> Iterable[Check]:
    match node:
        case Both(left, right) | Either(left, right):
            yield from _checks(left, kind)
            yield from _checks(right, kind)
        case Not(inner):
            yield from _checks(inner, kind)
        case Comparison(sign, left, right) if sign in _ORDERS:
            yield from _typed(kind, sign, "SN", left, right)
        case Between(operand, low, high):
            yield from _typed(kind, "BETWEEN", "SN", operand, low, high)
            if isinstance(low, Value) and isinstance(high, Value):
                yield _bounds(kind, low.name, high.name)
        case Predicate("begins_with", arguments):
            yield from _typed(kind, "begins_with", "S", *arguments)
        case Predicate("attribute_type", (_, Value(name))):
            yield from _typed(kind, "attribute_type", "S", Value(name))
            yield _type_name(kind, name)


def _typed(kind: str, what: str, allowed: str, *operands: Operand) -> Iterable[Check]:
    for operand in operands:
        if isinstance(operand, Value):
            yield _value_type(kind, what, allowed, operand.name)


def _value_type(kind: str, what: str, allowed: str, name: str) -> Check:
    def check(values: Values) -> None:
        (found,) = values[name]
        if found not in allowed:
            raise invalid(
                f"Invalid {kind}: Incorrect operand type for operator or function; operator or function: {what},"
                f" operand type: {found}"
            )

    return check


def _bounds(kind: str, low: str, high: str) -> Check:
    def check(values: Values) -> None:
        if values[low].keys() != values[high].keys():
            raise invalid(f"Invalid {kind}: The BETWEEN operator requires same data type for lower and upper bounds")
        if ordered(values[low]) > ordered(values[high]):
            raise invalid(
                f"Invalid {kind}: The BETWEEN operator requires upper bound to be greater than or equal to lower bound"
            )

    return check


def _type_name(kind: str, name: str) -> Check:
    def check(values: Values) -> None:
        if values[name]["S"] not in _KINDS:
            raise invalid(f"Invalid {kind}: Invalid attribute type name found; type: {values[name]['S']}")

    return check
