"""When entries end, by their own rows: each says by which rule it is kept, and is rewritten when that changes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Final

from shared.adapters.dynamodb.client import Item
from shared.domain.changes import Edited
from shared.domain.text import user_of_log
from tests.simulation.functions import BASE_MS
from tests.simulation.judge.past import Past
from tests.simulation.limits import DAY_MS

_MS: Final = 1_000

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Kept:
    """What a row said from `since` until `until`, in the time of the history. `item` is None once it is gone."""

    since: float
    until: float
    item: Item | None
    end: float

    def is_ended_from(self, early: float) -> float:
        """From when on it says so to a clock that is so much ahead; infinite where it never does."""
        at = max(self.since, self.end - early)
        return at if at < self.until else inf


@dataclass(frozen=True, eq=False)
class Ends:
    """Of all entries of a history. `kind_days`: how long kinds keep them, 0 for good."""

    past: Past
    kind_days: int

    @cached_property
    def rows(self) -> dict[Place, Sequence[Kept]]:
        found: dict[Place, list[tuple[float, Item | None]]] = defaultdict(list)
        for table, name, seq in self.past.places():
            if table == "log" and user_of_log(name) is None:
                found[name, seq] = self.past.states("log", name, seq)
        return {place: list(self._kept(states)) for place, states in found.items()}

    def _kept(self, states: Sequence[tuple[float, Item | None]]) -> Iterator[Kept]:
        for number, (since, item) in enumerate(states):
            until = states[number + 1][0] if number + 1 < len(states) else inf
            yield Kept(since, until, item, since if item is None else self.end(item))

    def end(self, item: Item) -> float:
        """As the row says, in the time of the history; infinite: never."""
        days = item.get("keep_days") or self.kind_days
        by_rule = self.past.entry(item).kept_since + days * DAY_MS if days else inf
        return min(by_rule, item["ends"] * _MS if "ends" in item else inf) - BASE_MS

    def first(self, place: Place, early: float) -> float:
        """From when on it may have been read as ended, by a clock that is so much ahead."""
        return min((one.is_ended_from(early) for one in self.rows.get(place, ())), default=inf)

    def last(self, place: Place, late: float) -> float:
        """From when on it is read as ended, by a clock that is so much behind."""
        return self.first(place, -late)

    def of_edit(self, place: Place, late: float) -> float:
        """From when on nothing is read of what an edit says: with its message, as far as its own row knows of that."""
        found = self.last(place, late)
        for one in self.rows.get(place, ()):
            change = None if one.item is None else self.past.entry(one.item).change
            if isinstance(change, Edited) and change.since is not None and one.item is not None:
                days = one.item.get("keep_days") or self.kind_days
                at = max(one.since, change.since + days * DAY_MS - BASE_MS + late) if days else inf
                found = min(found, at if at < one.until else inf)
        return found

    def stored(self, place: Place) -> float:
        """When it was."""
        rows = self.rows.get(place)
        return rows[0].since if rows else inf
