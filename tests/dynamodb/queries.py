"""Key conditions: which part of a table a query reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from tests.dynamodb.conditions import Condition, condition
from tests.dynamodb.errors import invalid
from tests.dynamodb.paths import Values, resolved
from tests.dynamodb.tables import Partition, Sort, Table, key_value
from tests.dynamodb.tree import Between, Both, Comparison, Either, In, Node, Not, Path, Predicate, Value
from tests.dynamodb.writes import placeholders

_KIND: Final = "KeyConditionExpression"
_FLIPPED: Final = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True, slots=True)
class Term:
    """What one key attribute must be: `bounds` are one or two values."""

    path: Path
    operator: str
    bounds: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Range:
    """Sort keys, by comparison with values."""

    operator: str
    bounds: tuple[Sort, ...]

    def within(self, partition: Partition) -> tuple[int, int]:
        """The first index, and the one after the last."""
        first, last = self.bounds[0], self.bounds[-1]
        match self.operator:
            case "<":
                return 0, partition.first_from(first)
            case "<=":
                return 0, partition.first_after(first)
            case ">":
                return partition.first_after(first), len(partition.order)
            case ">=":
                return partition.first_from(first), len(partition.order)
            case "begins_with":
                return partition.first_from(first), partition.first_from(_after_prefix(str(first)))
        return partition.first_from(first), partition.first_after(last)

    def ends_with(self, sort: Sort, *, forward: bool) -> bool:
        """Whether nothing of it can come after this one. With "=", DynamoDB does not think so far."""
        if self.operator == "BETWEEN":
            return sort == self.bounds[-1 if forward else 0]
        return self.operator == ("<=" if forward else ">=") and sort == self.bounds[0]

    def holds(self, sort: Any) -> bool:
        first, last = self.bounds[0], self.bounds[-1]
        match self.operator:
            case "<":
                return bool(sort < first)
            case "<=":
                return bool(sort <= first)
            case ">":
                return bool(sort > first)
            case ">=":
                return bool(sort >= first)
            case "begins_with":
                return bool(sort.startswith(first))
        return bool(first <= sort <= last)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A partition, and a part of it (None: all)."""

    hashed: Sort
    range: Range | None


def wanted(request: Mapping[str, Any], table: Table) -> Wanted:
    """Raises ServiceError for a key condition that DynamoDB would refuse."""
    if _KIND not in request:
        raise invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
    compiled, terms = _terms(request[_KIND])
    names, values = placeholders(request, (request[_KIND],), {_KIND: compiled.used})
    for check in compiled.checks:
        check(names, values)
    by_name = {resolved(term.path, names)[0]: term for term in terms}
    if len(by_name) < len(terms):
        raise invalid("KeyConditionExpressions must only contain one condition per key")
    if table.key_names[0] not in by_name or not by_name.keys() <= set(table.key_names):
        raise invalid("Query condition missed key schema element")
    hash_term, sort_term = by_name[table.key_names[0]], by_name.get(table.key_names[-1])
    if hash_term.operator != "=":
        raise invalid("Query key condition not supported")
    (hashed,) = _bounds(hash_term, table.keys[0], values)
    if sort_term is None or sort_term is hash_term:
        return Wanted(hashed, None)
    return Wanted(hashed, Range(sort_term.operator, _bounds(sort_term, table.keys[1], values)))


@lru_cache(maxsize=256)
def _terms(text: str) -> tuple[Condition, tuple[Term, ...]]:
    compiled = condition(text, _KIND)
    return compiled, tuple(_flat(compiled.node))


def _flat(node: Node) -> list[Term]:
    match node:
        case Both(left, right):
            return [*_flat(left), *_flat(right)]
        case Comparison("<>", _, _):
            raise _not_for_keys("<>")
        case Comparison(sign, Path() as path, Value(name)):
            return [Term(path, sign, (name,))]
        case Comparison(sign, Value(name), Path() as path):
            return [Term(path, _FLIPPED[sign], (name,))]
        case Between(Path() as path, Value(low), Value(high)):
            return [Term(path, "BETWEEN", (low, high))]
        case Predicate("begins_with", (Path() as path, Value(name))):
            return [Term(path, "begins_with", (name,))]
        case Either() | Not() | In() | Predicate():
            raise _not_for_keys(node.function if isinstance(node, Predicate) else _WORDS[type(node)])
    raise invalid("KeyConditionExpressions cannot contain nested operations")


_WORDS: Final[Mapping[type, str]] = {Either: "OR", Not: "NOT", In: "IN"}


def _not_for_keys(operator: str) -> Exception:
    return invalid(f"Invalid operator used in KeyConditionExpression: {operator}")


def _bounds(term: Term, key: tuple[str, str], values: Values) -> tuple[Sort, ...]:
    name, kind = key
    bounds = [values[bound] for bound in term.bounds]
    for bound in bounds:
        if kind not in bound:
            raise invalid(
                "One or more parameter values were invalid: Condition parameter type does not match schema type"
            )
    return tuple([key_value(bound, name, kind) for bound in bounds])


def _after_prefix(prefix: str) -> str:
    """The first text, in order, after all that begin with this one."""
    shorter = prefix.rstrip(chr(0x10FFFF))
    return shorter[:-1] + chr(ord(shorter[-1]) + 1)
