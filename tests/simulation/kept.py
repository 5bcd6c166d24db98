"""What a long run has come to so far, a line for each stretch of its seeds: cut off, it goes on from there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.simulation.totals import Totals


def keep(file: Path, seeds: range, totals: Totals) -> None:
    """Note what these seeds came to."""
    line = {
        "seeds": [seeds.start, seeds.stop],
        "histories": totals.histories,
        "steps": totals.steps,
        "invocations": totals.invocations,
        "entries": totals.entries,
        "cpu_s": round(totals.cpu_s, 3),
        "operations": [[*what, times] for what, times in sorted(totals.operations.items())],
        "faults": dict(sorted(totals.faults.items())),
        "failures": totals.failures,
    }
    with file.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps(line) + "\n")


def kept(file: Path) -> Iterator[tuple[range, Totals]]:
    """Every stretch that was noted. A line that was cut off is none: its seeds run again."""
    if not file.exists():
        return
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            noted = json.loads(line)
        except ValueError:
            continue
        yield (
            range(*noted["seeds"]),
            Totals(
                noted["histories"],
                noted["steps"],
                noted["invocations"],
                noted["entries"],
                noted["cpu_s"],
                Counter({(kind, outcome): times for kind, outcome, times in noted["operations"]}),
                Counter(noted["faults"]),
                [(seed, findings) for seed, findings in noted["failures"]],
            ),
        )
