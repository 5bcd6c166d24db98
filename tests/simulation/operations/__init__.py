"""What clients do in a history, by name, and how often. Each is told a number that decides all there is to decide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tests.simulation.operations import (
    broadcasting,
    changing,
    coming,
    ending,
    grouping,
    keeping_out,
    lives,
    living,
    moderating,
    people,
    reading,
    repeating,
    sharing,
    stories,
    talking,
    telling,
    weighing,
)
from tests.simulation.operations.acting import Act

# These come with their fault.
MISHAPS: Final = frozenset({"cut", "half_open", "restart"})
_ROOMS: Final = (
    talking,
    changing,
    reading,
    grouping,
    people,
    keeping_out,
    moderating,
    coming,
    telling,
    sharing,
    living,
    lives,
    repeating,
    weighing,
    stories,
    ending,
    broadcasting,
)
ACTIONS: Final[Mapping[str, Act]] = {name: act for room in _ROOMS for name, (act, _) in room.ACTIONS.items()}
WEIGHTS: Final[Mapping[str, int]] = {
    name: weight for room in _ROOMS for name, (_, weight) in room.ACTIONS.items() if name not in MISHAPS
}
