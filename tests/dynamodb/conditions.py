"""Conditions as closures."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from tests.dynamodb.checks import Check, checks
from tests.dynamodb.paths import Get, Names, Values, getter
from tests.dynamodb.syntax import parse_condition
from tests.dynamodb.tree import Between, Both, Comparison, Either, In, Node, Not, Predicate, Used
from tests.dynamodb.values import Attribute, Item, ordered

Holds = Callable[[Item, Names, Values], bool]
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
    return Condition(node, used, tuple(checks(node, kind)), _compiled(node))


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
