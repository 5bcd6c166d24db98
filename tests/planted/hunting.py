"""Looking for a planted bug by histories of the simulation."""

from __future__ import annotations

from dataclasses import dataclass

import tests.functions.environment  # noqa: F401  # read by the handlers when they are imported
from tests.planted.mutation import Bug, planted
from tests.simulation.runs import run_many
from tests.simulation.world import beginning

# No bug that the simulation finds may take it more histories than these.
HISTORIES = 2_000


@dataclass(frozen=True)
class Found:
    """By which seed, and after how many histories. `what` is the judge's word."""

    seed: int
    histories: int
    what: str


def by_simulation(bug: Bug, *, hint: int | None = None, histories: int = HISTORIES) -> Found | None:
    """The first history that shows the bug. `hint` is a seed that did once, and is tried first."""
    beginning()  # what all histories start from is made by the product as it is
    with planted(bug):
        for seeds in ([] if hint is None else [range(hint, hint + 1)]) + [range(histories)]:
            summary = run_many(seeds)
            if summary.failures:
                failure = summary.failures[0]
                return Found(failure.plan.seed, summary.histories, failure.findings[0])
    return None
