"""Looking for planted bugs by histories of the simulation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Final

import tests.functions.environment  # noqa: F401  # read by the handlers when they are imported
from tests.planted.mutation import Bug, planted
from tests.planted.reaching import reached
from tests.simulation.runs import run_many
from tests.simulation.scenario import beginning

# No bug that the simulation finds may take it more histories than these.
HISTORIES: Final = 2_000
_ROUND: Final = 250
_FEW: Final = 3


@dataclass(frozen=True)
class Found:
    """By which seed, and after how many histories. `what` is the judge's word."""

    seed: int
    histories: int
    what: str


def by_simulation(bug: Bug, seeds: Iterable[int]) -> Found | None:
    """The first of these histories that shows the bug. One that fails without it, too, shows nothing."""
    beginning()  # what all histories start from is made by the product as it is
    left = list(seeds)
    while True:
        with planted(bug):
            summary = run_many(left)
        if not summary.failures:
            return None
        failure = summary.failures[0]
        if not run_many([failure.plan.seed]).failures:
            break
        left = left[summary.histories :]
    return Found(failure.plan.seed, failure.plan.seed + 1, failure.findings[0])


def hunt(bugs: Sequence[Bug], *, histories: int, workers: int) -> Iterator[tuple[Bug, Found | None]]:
    """Each bug with what has found it, as soon as that is known.

    Round by round, so that what is easy to find is found soon. Where there are many bugs, it is looked first which
    histories of the round come to the place of each.
    """
    left = list(bugs)
    with ProcessPoolExecutor(workers) as pool:
        for start in range(0, histories, _ROUND):
            seeds = range(start, min(start + _ROUND, histories))
            reaching = _reaching(left, seeds, workers, pool) if len(left) > _FEW else dict.fromkeys(_names(left), seeds)
            found = pool.map(by_simulation, left, [reaching.get(bug.name, ()) for bug in left])
            again = []
            for bug, one in zip(left, found, strict=True):
                if one:
                    yield bug, one
                else:
                    again.append(bug)
            left = again
    yield from ((bug, None) for bug in left)


def _reaching(
    bugs: Sequence[Bug], seeds: range, workers: int, pool: ProcessPoolExecutor
) -> Mapping[str, Sequence[int]]:
    parts = [seeds[number::workers] for number in range(workers)]
    found: dict[str, list[int]] = {name: [] for name in _names(bugs)}
    for part in pool.map(reached, [bugs] * workers, parts):
        for name, there in part.items():
            found[name] += there
    return {name: sorted(there) for name, there in found.items()}


def _names(bugs: Sequence[Bug]) -> list[str]:
    return [bug.name for bug in bugs]
