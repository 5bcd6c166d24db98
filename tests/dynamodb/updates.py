"""Update expressions as closures. Everything is computed from the item as it was before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from tests.dynamodb.checks import Check, distinct, value_type
from tests.dynamodb.errors import Unsupported, invalid
from tests.dynamodb.paths import Get, Names, Values, getter, resolved
from tests.dynamodb.syntax import parse_update
from tests.dynamodb.tree import Action, Made, Path, Source, Sum, Used, Value
from tests.dynamodb.values import Attribute, Item, number, written

Step = Callable[[Item, Item, Names, Values], Item]
"""From the old item, and the new one as far as it is, to the new one a step further."""

_KIND: Final = "UpdateExpression"
_WRONG_TYPE: Final = "An operand in the update expression has an incorrect data type"
_NOTHING_THERE: Final = "The provided expression refers to an attribute that does not exist in the item"
_NO_MAP: Final = "The document path provided in the update expression is invalid for update"


@dataclass(frozen=True, slots=True)
class Update:
    """A compiled update. `paths` are those it writes."""

    paths: tuple[Path, ...]
    used: Used
    checks: tuple[Check, ...]
    steps: tuple[Step, ...]

    def check_overlap(self, names: Names) -> None:
        """No path is, or is within, another one. Raises ValidationException."""
        if len(self.paths) == 1:
            return
        places = [resolved(path, names) for path in self.paths]
        if len({place[0] for place in places}) == len(places):
            return
        for at, one in enumerate(places):
            for other in places[at + 1 :]:
                if one[: len(other)] == other[: len(one)]:
                    raise invalid(
                        "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite"
                        f" one of these paths; path one: [{', '.join(one)}], path two: [{', '.join(other)}]"
                    )

    def check_key(self, names: Names, key: Sequence[str]) -> None:
        """No path is a key attribute. Raises ValidationException."""
        for path in self.paths:
            name = resolved(path, names)[0]
            if name in key:
                raise invalid(
                    "One or more parameter values were invalid:"
                    f" Cannot update attribute {name}. This attribute is part of the key"
                )

    def applied(self, old: Item, names: Names, values: Values) -> Item:
        new = old
        for step in self.steps:
            new = step(old, new, names, values)
        return new

    def part_of(self, item: Item, names: Names) -> dict[str, Attribute]:
        """What this update wrote to, as it is in the item."""
        if any(len(path.segments) > 1 for path in self.paths):
            raise Unsupported("UPDATED_OLD or UPDATED_NEW of an update within a document")
        touched = [resolved(path, names)[0] for path in self.paths]
        return {name: item[name] for name in touched if name in item}


@lru_cache(maxsize=4096)
def update(text: str) -> Update:
    actions, used = parse_update(text)
    return Update(
        paths=tuple(action.path for action in actions),
        used=used,
        checks=tuple(check for action in actions for check in _checks(action)),
        steps=tuple(map(_step, actions)),
    )


def _step(action: Action) -> Step:
    place = _place(action.path)
    match action.verb, action.source:
        case "REMOVE", None:
            return lambda _old, new, names, _values: place(new, names, None)
        case "SET", source if source is not None:
            make = _maker(source)
            return lambda old, new, names, values: place(new, names, make(old, names, values))
    assert isinstance(action.source, Value)
    get, change, name = getter(action.path), {"ADD": _added, "DELETE": _deleted}[action.verb], action.source.name
    return lambda old, new, names, values: place(new, names, change(get(old, names, values), values[name]))


def _place(path: Path) -> Callable[[Item, Names, Attribute | None], Item]:
    """Puts a value at a path of an item (None: takes it away). What is on the way there is copied."""
    if len(path.segments) == 1:
        (only,) = path.segments
        return lambda item, names, value: _with(item, names[only] if only[0] == "#" else only, value)
    return lambda item, names, value: _within(item, resolved(path, names), value)


def _with(item: Item, name: str, value: Attribute | None) -> Item:
    changed = dict(item)
    if value is None:
        changed.pop(name, None)
    else:
        changed[name] = value
    return changed


def _within(item: Item, place: tuple[str, ...], value: Attribute | None) -> Item:
    name, *rest = place
    if not rest:
        return _with(item, name, value)
    inner = item.get(name)
    if inner is None or "M" not in inner:
        raise invalid(_NO_MAP)
    return {**item, name: {"M": _within(inner["M"], tuple(rest), value)}}


def _maker(source: Source) -> Callable[[Item, Names, Values], Attribute]:
    match source:
        case Value(name):
            return lambda _item, _names, values: values[name]
        case Path():
            return _existing(getter(source))
        case Sum(sign, left, right):
            return _summed(sign, _maker(left), _maker(right))
        case Made("if_not_exists", left, right) if isinstance(left, Path):
            return _defaulted(getter(left), _maker(right))
        case Made(_, left, right):
            return _appended(_maker(left), _maker(right))


def _existing(get: Get) -> Callable[[Item, Names, Values], Attribute]:
    def make(item: Item, names: Names, values: Values) -> Attribute:
        found = get(item, names, values)
        if found is None:
            raise invalid(_NOTHING_THERE)
        return found

    return make


def _defaulted(get: Get, otherwise: Callable[..., Attribute]) -> Callable[..., Attribute]:
    def make(item: Item, names: Names, values: Values) -> Attribute:
        default = otherwise(item, names, values)  # which must be there even if it is not needed
        return get(item, names, values) or default

    return make


def _summed(sign: str, left: Callable[..., Attribute], right: Callable[..., Attribute]) -> Callable[..., Attribute]:
    def make(item: Item, names: Names, values: Values) -> Attribute:
        one, other = left(item, names, values), right(item, names, values)
        if "N" not in one or "N" not in other:
            raise invalid(_WRONG_TYPE)
        return _sum(one, other, 1 if sign == "+" else -1)

    return make


def _sum(one: Attribute, other: Attribute, factor: int) -> Attribute:
    return {"N": written(number(one["N"]) + factor * number(other["N"]))}


def _appended(left: Callable[..., Attribute], right: Callable[..., Attribute]) -> Callable[..., Attribute]:
    def make(item: Item, names: Names, values: Values) -> Attribute:
        one, other = left(item, names, values), right(item, names, values)
        if "L" not in one or "L" not in other:
            raise invalid(_WRONG_TYPE)
        return {"L": [*one["L"], *other["L"]]}

    return make


def _added(there: Attribute | None, value: Attribute) -> Attribute:
    if there is None:
        return value
    if there.keys() != value.keys():
        raise invalid(_WRONG_TYPE)
    ((kind, members),) = there.items()
    return _sum(there, value, 1) if kind == "N" else {kind: sorted({*members, *value[kind]})}


def _deleted(there: Attribute | None, value: Attribute) -> Attribute | None:
    """A set without members is no attribute any more."""
    if there is None:
        return None
    if there.keys() != value.keys():
        raise invalid(_WRONG_TYPE)
    ((kind, members),) = there.items()
    left = [one for one in members if one not in value[kind]]
    return {kind: left} if left else None


def _checks(action: Action) -> Iterable[Check]:
    match action.verb, action.source:
        case "ADD", Value(name):
            yield value_type(_KIND, "ADD", frozenset({"N", "SS", "NS"}), name)
        case "DELETE", Value(name):
            yield value_type(_KIND, "DELETE", frozenset({"SS", "NS"}), name)
        case "SET", source if source is not None:
            yield from _source_checks(source)


def _source_checks(source: Source) -> Iterable[Check]:
    match source:
        case Sum(sign, left, right):
            yield from _operands(sign, "N", left, right)
        case Made("list_append", left, right):
            yield from _operands("list_append", "L", left, right)
        case Made(function, left, right):
            if isinstance(left, Path) and isinstance(right, Path):
                yield distinct(_KIND, function, left, right)
            yield from _source_checks(right)


def _operands(what: str, allowed: str, *operands: Source) -> Iterable[Check]:
    for operand in operands:
        if isinstance(operand, Value):
            yield value_type(_KIND, what, frozenset({allowed}), operand.name)
        else:
            yield from _source_checks(operand)
