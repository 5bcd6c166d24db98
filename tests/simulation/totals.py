"""What many histories come to, over several processes, and how it is said."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field

from tests.simulation.faults import Fault
from tests.simulation.runs import JUDGED, run_many


@dataclass(slots=True)
class Totals:
    """What many chunks come to. Failures are texts, since scenarios stay where they were made. `cpu_s` is seconds."""

    histories: int = 0
    steps: int = 0
    invocations: int = 0
    entries: int = 0
    cpu_s: float = 0.0
    operations: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[int, str]] = field(default_factory=list)

    def add(self, other: Totals) -> None:
        self.histories += other.histories
        self.steps += other.steps
        self.invocations += other.invocations
        self.entries += other.entries
        self.cpu_s += other.cpu_s
        self.operations += other.operations
        self.faults += other.faults
        self.failures += other.failures


def chunk(seeds: range) -> Totals:
    """Some histories in one go."""
    start = time.process_time()
    summary = run_many(seeds, stop_at=5)
    failures = [(one.plan.seed, "\n".join(one.findings)) for one in summary.failures]
    return Totals(
        summary.histories,
        summary.steps,
        summary.invocations,
        summary.entries,
        time.process_time() - start,
        summary.operations,
        summary.faults,
        failures,
    )


def report(totals: Totals, seconds: float) -> str:
    """For people."""
    faults = totals.faults.total()
    lines = [
        f"{totals.histories:,} histories in {seconds:.0f} s, {totals.cpu_s:,.0f} s of CPU",
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
