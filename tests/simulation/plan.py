"""What one history is about: who takes part, what they do and when, and which faults there are. All from one number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from tests.simulation.faults import Fault, draw

ENDS_MS: Final = 4_000.0

# Alice owns the group of Bob and Carol; Dave may be added; Mallory is in nothing.
_DEVICES: Final = (("alice-1", "alice"), ("alice-2", "alice"), ("bob-1", "bob"), ("carol-1", "carol"))
_OTHERS: Final = (("dave-1", "dave"), ("mallory-1", "mallory"))
_WEIGHTS: Final[Mapping[str, int]] = {
    "send_private": 8,
    "send_to_group": 8,
    "send_first": 2,
    "send_again": 3,
    "send_ahead": 1,
    "post": 2,
    "edit": 2,
    "delete": 1,
    "react": 2,
    "read": 3,
    "read_over_http": 2,
    "look": 2,
    "add": 2,
    "remove": 3,
    "quit": 1,
    "rename": 1,
    "role": 1,
    "block": 1,
    "watch": 1,
    "intrude": 1,
    "leave": 2,
    "come_back": 2,
}
# What a history is mostly about: these count so many times as much. Without it races would be as rare as in life.
_THEMES: Final[Sequence[Mapping[str, int]]] = (
    {},
    {"send_to_group": 4, "send_private": 4, "send_again": 6},
    {"send_to_group": 4, "post": 10, "remove": 5, "add": 5, "quit": 10},
    {"send_private": 3, "send_again": 6, "block": 8, "remove": 3},
    {"watch": 12, "leave": 8, "come_back": 8},
    {"send_private": 3, "send_to_group": 3, "leave": 5, "come_back": 10},
    {"edit": 12, "delete": 12, "react": 12, "role": 12, "rename": 10},
    {"read": 8, "read_over_http": 24, "send_private": 2},
)
_MISHAPS: Final = {Fault.CUT: "cut", Fault.HALF_OPEN: "half_open", Fault.RESTARTED: "restart"}


@dataclass(frozen=True, slots=True)
class Action:
    """One client does something at a time (ms). `number` decides whatever there is to decide in it."""

    at: float
    client: int
    name: str
    number: int


@dataclass(frozen=True, slots=True)
class Plan:
    """`schedule` is the number that everything else is decided by: latencies, faults, which of two goes first.

    Devices are connected from the start, with all that there is, but those `asleep`, which are away, and the `fresh`
    ones, which know nothing yet and have to connect first.
    """

    seed: int
    schedule: int
    devices: tuple[tuple[str, str], ...]
    asleep: frozenset[int]
    fresh: frozenset[int]
    actions: tuple[Action, ...]
    odds: Mapping[Fault, float] = field(default_factory=dict)
    fan_out_above: int = 200


def plan_of(seed: int) -> Plan:
    random = Random(seed)
    devices = _devices(random)
    odds = draw(random)
    slots = [random.random() * ENDS_MS for _ in range(random.randint(1, 3))]
    spread = random.choice((5.0, 15.0, 40.0, 300.0))
    theme = random.choice(_THEMES)
    names, weights = list(_WEIGHTS), [weight * theme.get(name, 1) for name, weight in _WEIGHTS.items()]
    chosen = random.choices(names, weights, k=random.choice((2, 3, 4, 4, 5, 6, 8)))
    chosen += [name for fault, name in _MISHAPS.items() if fault in odds for _ in range(random.randint(1, 2))]
    everybody = range(len(devices))
    actors = random.choice((everybody, everybody, [random.choice(everybody)]))  # many at once, or one in a hurry
    actions = [
        Action(
            random.choice(slots) + random.random() * spread,
            random.choice(actors),
            name,
            random.randrange(1_000),
        )
        for name in chosen
    ]
    return Plan(
        seed=seed,
        schedule=seed,
        devices=devices,
        asleep=_some(devices, 0.15, random),
        fresh=_some(devices, 0.25, random),
        actions=tuple(sorted(actions, key=lambda action: action.at)),
        odds=odds,
        fan_out_above=random.choice((200, 200, 200, 2)),
    )


def _some(devices: Sequence[object], share: float, random: Random) -> frozenset[int]:
    return frozenset(number for number in range(len(devices)) if random.random() < share)


def _devices(random: Random) -> tuple[tuple[str, str], ...]:
    """Two to four devices, in most cases of members."""
    chosen = random.sample(_DEVICES, k=random.choice((2, 2, 3, 3, 4)))
    if random.random() < 0.2:
        chosen.append(random.choice(_OTHERS))
    return tuple(chosen)
