"""Simulated histories, as many as wanted: python -m tests.simulation --histories 10000

A failing one is printed as short as it gets, with the number that repeats it: --seed 4711 --histories 1
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field

import tests.functions.environment  # noqa: F401  # read by the handlers when they are imported
from tests.simulation.faults import Fault
from tests.simulation.plan import plan_of
from tests.simulation.planted import PLANTED, planted
from tests.simulation.runs import JUDGED, Summary, run, run_many, shortest

_CHUNK = 500


@dataclass(slots=True)
class Totals:
    """What many chunks come to. Failures are texts, since worlds stay where they were made."""

    histories: int = 0
    steps: int = 0
    invocations: int = 0
    entries: int = 0
    operations: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[int, str]] = field(default_factory=list)

    def add(self, other: Totals) -> None:
        self.histories += other.histories
        self.steps += other.steps
        self.invocations += other.invocations
        self.entries += other.entries
        self.operations += other.operations
        self.faults += other.faults
        self.failures += other.failures


def chunk(seeds: range) -> Totals:
    """Some histories in one go."""
    summary: Summary = run_many(seeds, stop_at=5)
    failures = [(one.plan.seed, "\n".join(one.findings)) for one in summary.failures]
    return Totals(
        summary.histories,
        summary.steps,
        summary.invocations,
        summary.entries,
        summary.operations,
        summary.faults,
        failures,
    )


def _all(seeds: range, workers: int) -> Totals:
    totals = Totals()
    chunks = [seeds[start : start + _CHUNK] for start in range(0, len(seeds), _CHUNK)]
    if workers == 1:
        for one in chunks:
            totals.add(chunk(one))
        return totals
    with ProcessPoolExecutor(workers) as pool:
        for done in as_completed([pool.submit(chunk, one) for one in chunks]):
            totals.add(done.result())
    return totals


def report(totals: Totals, seconds: float) -> str:
    """For people."""
    faults = totals.faults.total()
    lines = [
        f"{totals.histories:,} histories in {seconds:.0f} s",
        *_operations(totals.operations),
        f"  {totals.entries:>12,}  entries in the logs",
        f"  {totals.invocations:>12,}  invocations, {totals.steps:,} calls of services",
        f"{faults:,} faults injected:",
        *(f"  {times:>12,}  {Fault[name].value}" for name, times in totals.faults.most_common()),
        f"{len(totals.failures)} histories were not as promised",
    ]
    return "\n".join(lines)


def _operations(counted: Counter[tuple[str, str]]) -> list[str]:
    """A line for each kind: how often it was done, let through, refused with which code, without an answer, judged."""
    kinds: dict[str, Counter[str]] = {}
    for (kind, outcome), times in counted.items():
        kinds.setdefault(kind, Counter())[outcome] += times
    lines = []
    for kind, outcomes in sorted(kinds.items()):
        judged, unknown, fine = (outcomes.pop(name, 0) for name in (JUDGED, "unknown", "ok"))
        refused = ", ".join(f"{code} {times:,}" for code, times in outcomes.most_common())
        done = fine + unknown + outcomes.total()
        said = f"{fine:,} ok, {unknown:,} unanswered" + (f", {refused}" if refused else "")
        lines.append(f"  {done:>12,}  {kind}: {said}; judged {judged:,}")
    return lines


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--histories", type=int, default=10_000, help="how many (10,000)")
    parser.add_argument("--seed", type=int, default=0, help="the first one's number (0)")
    parser.add_argument("--workers", type=int, default=2, help="processes side by side (2)")
    parser.add_argument("--planted", choices=list(PLANTED), help="with this bug in the product, until it is found")
    chosen = parser.parse_args(arguments)
    seeds = range(chosen.seed, chosen.seed + chosen.histories)
    if chosen.planted:
        return _hunt(chosen.planted, seeds)
    start = time.monotonic()
    totals = _all(seeds, chosen.workers)
    print(report(totals, time.monotonic() - start))  # noqa: T201  # a command line tool
    for seed, findings in sorted(totals.failures)[:3]:
        print(f"\nseed {seed}: {findings}\nas short as it gets:")  # noqa: T201
        print(shortest(run(plan_of(seed))).text)  # noqa: T201
    if len(seeds) == 1 and not totals.failures:
        print(run(plan_of(chosen.seed)).text)  # noqa: T201
    return bool(totals.failures)


def _hunt(name: str, seeds: range) -> int:
    with planted(name):
        summary = run_many(seeds)
        if not summary.failures:
            print(f"{name}: not found in {summary.histories:,} histories")  # noqa: T201
            return 1
        print(f"{name}: found in history {summary.histories:,}")  # noqa: T201
        print(shortest(summary.failures[0]).text)  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
