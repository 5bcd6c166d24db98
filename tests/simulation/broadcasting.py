"""Histories in which everybody is told something, by numbers of their own: no other history is another for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Final

from tests.simulation.faults import Fault

# In this many.
SHARE: Final = 0.03
ENDS_MS: Final = 5_000.0
_HOW_MANY: Final = (6, 10, 16, 30)
_DONE: Final[Mapping[str, int]] = {
    "broadcast": 10,
    "pause_broadcast": 6,
    "resume_broadcast": 10,
    "cancel_broadcast": 2,
    "look_at_broadcast": 8,
    "list_broadcasts": 3,
    "acknowledge_broadcast": 8,
    "notices": 8,
    "send_private": 4,
    "send_to_group": 4,
    "react": 2,
    "read": 2,
    "send_first": 1,
    "notify": 2,
    "leave": 4,
    "come_back": 6,
    "ban": 2,
    "unban": 3,
    "revoke_tokens": 1,
}
# What is done with it while it is told, each in half of the histories.
_MEANWHILE: Final = ("pause_broadcast", "resume_broadcast", "pause_broadcast", "resume_broadcast", "broadcast")
_TOLD_WITHIN_MS: Final = 500.0
# What a job may meet. Each strikes often, in a history of its own.
_STRIKING: Final[Sequence[Mapping[Fault, float]]] = (
    {},
    {},
    {Fault.KILLED: 0.4},
    {Fault.QUEUE_TWICE: 0.3},
    {Fault.QUEUE_REFUSED: 0.7},
    {Fault.KILLED: 0.2, Fault.QUEUE_TWICE: 0.2, Fault.QUEUE_REFUSED: 0.5, Fault.LOST_AFTER: 0.02},
    {Fault.STALE: 0.3, Fault.SHORT_PAGE: 0.3},
    {Fault.THROTTLED: 0.1, Fault.POST_FAILED: 0.1, Fault.POST_UNKNOWN: 0.1},
)


def draw_broadcasting(random: Random) -> tuple[Mapping[Fault, float], list[tuple[float, str]]]:
    """What strikes, and what is done when: the first one is begun soon, what is done with it mostly soon after."""
    begins = random.random() * 1_000.0
    chosen = random.choices(list(_DONE), list(_DONE.values()), k=random.choice(_HOW_MANY))
    within = random.choice((60.0, 300.0, 1_500.0, ENDS_MS - 1_000.0))
    slots = [begins, *(begins + random.random() * within for _ in range(3))]
    done = [(random.choice(slots) + random.random() * 100.0, name) for name in chosen]
    done += [(begins + random.random() * _TOLD_WITHIN_MS, name) for name in _MEANWHILE if random.random() < 0.5]
    return random.choice(_STRIKING), sorted([(begins, "broadcast"), *done])
