"""Tables: items by their keys, each with what was there before its last write."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from shared.adapters.dynamodb.client import from_item
from tests.dynamodb.errors import invalid
from tests.dynamodb.values import Attribute, Item, Number, number

MAX_HASH_BYTES: Final = 2048
MAX_SORT_BYTES: Final = 1024

Sort = str | Number
Place = tuple[Sort, Sort]
"""Where an item is: by hash key, and by sort key, which is "" in a table without one."""

# Name → key attributes with their types.
KEYS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "log": (("conversation_id", "S"), ("seq", "N")),
    "members": (("pk", "S"), ("sk", "S")),
    "sessions": (("user_id", "S"),),
    "tickets": (("ticket", "S"),),
}


@dataclass(slots=True)
class Row:
    """One key. `item` is None after a delete: an eventually consistent read may still find what was there before."""

    key: Item
    item: Item | None = None
    size: int = 0
    before: Item | None = None
    _plain: dict[str, Any] | None = None

    def write(self, item: Item | None, size: int) -> None:
        self.before, self.item, self.size, self._plain = self.item, item, size, None

    @property
    def plain(self) -> dict[str, Any]:
        """The item as plain values, the same dict until the next write. For a row that has one."""
        if self._plain is None:
            self._plain = from_item(self.item or {})
        return self._plain


@dataclass(slots=True)
class Partition:
    """All of one hash key."""

    rows: dict[Sort, Row] = field(default_factory=dict)
    order: list[Sort] = field(default_factory=list)

    def between(self, start: int, end: int, *, forward: bool) -> Iterator[Row]:
        for at in range(start, end) if forward else range(end - 1, start - 1, -1):
            yield self.rows[self.order[at]]

    def first_from(self, sort: Sort) -> int:
        return bisect_left(self.order, sort)

    def first_after(self, sort: Sort) -> int:
        return bisect_right(self.order, sort)


class Table:
    """One table."""

    def __init__(self, name: str, keys: tuple[tuple[str, str], ...]) -> None:
        self.name = name
        self.keys = keys
        self.key_names = tuple(key for key, _ in keys)
        self.partitions: dict[Sort, Partition] = {}

    def place(self, key: Item) -> Place:
        """Of a key, which is nothing but a key. Raises ValidationException."""
        if len(key) != len(self.keys):
            raise invalid("The number of conditions on the keys is invalid")
        return self.place_of(key)

    def place_of(self, item: Item) -> Place:
        """Of an item. Raises ValidationException where its key is not as the table's keys are."""
        found = [key_value(item.get(name), name, kind) for name, kind in self.keys]
        if _is_too_long(found[0], MAX_HASH_BYTES) or _is_too_long(found[-1], MAX_HASH_BYTES // len(self.keys)):
            raise invalid(
                "Hash primary key values must be under 2048 bytes, and range primary key values must be under 1024"
                " bytes"
            )
        return found[0], found[1] if len(found) > 1 else ""

    def key_of(self, item: Item) -> Item:
        return {name: item[name] for name in self.key_names}

    def row(self, place: Place) -> Row | None:
        partition = self.partitions.get(place[0])
        return None if partition is None else partition.rows.get(place[1])

    def write(self, place: Place, key: Item, new: Item | None, size: int) -> None:
        hashed, sort = place
        partition = self.partitions.get(hashed)
        if partition is None:
            partition = self.partitions[hashed] = Partition()
        row = partition.rows.get(sort)
        if row is None:
            if new is None:
                return
            row = partition.rows[sort] = Row(key)
            insort(partition.order, sort)
        row.write(new, size)

    def rows(self) -> Iterator[tuple[Place, Row]]:
        """What is there, in the order of the keys."""
        for hashed in sorted(self.partitions):
            partition = self.partitions[hashed]
            for sort in partition.order:
                row = partition.rows[sort]
                if row.item is not None:
                    yield (hashed, sort), row

    def items(self) -> Iterator[tuple[Place, Item]]:
        for place, row in self.rows():
            if row.item is not None:
                yield place, row.item

    def copy_of(self, other: Table) -> None:
        """What another table has, as if it had been written just now. Of one from which nothing was deleted."""
        self.partitions = {
            hashed: Partition(
                {sort: Row(row.key, row.item, row.size, None, row.plain) for sort, row in partition.rows.items()},
                list(partition.order),
            )
            for hashed, partition in other.partitions.items()
        }


def key_value(attribute: Attribute | None, name: str, kind: str) -> Sort:
    """Of a key attribute. Raises ValidationException."""
    if attribute is None:
        raise invalid("One of the required keys was not given a value")
    value: str | None = attribute.get(kind)
    if value is None:
        raise invalid("One or more parameter values were invalid: Type mismatch for key")
    if not value:
        raise invalid(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty"
            f" string value. Key: {name}"
        )
    return number(value) if kind == "N" else value


def _is_too_long(value: Sort, limit: int) -> bool:
    return isinstance(value, str) and len(value) * 4 > limit and len(value.encode()) > limit
