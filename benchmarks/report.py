"""What `make bench` leaves behind: one file of figures, and a page with tables and pictures made of that file."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from benchmarks.plots import plot
from benchmarks.rows import OURS, Row, table

ROOT: Final = Path(__file__).resolve().parents[1]
FIGURES: Final = ROOT / "docs/benchmarks.json"
PAGE: Final = ROOT / "docs/benchmarks.md"
IMAGES: Final = ROOT / "docs/images"
SLOWER: Final = 1.25
"""A rival's multiple of Parley's time that falls by more than this is told. Runs differ by half of it."""

_INTRODUCTION: Final = """# Measured, side by side

<!-- made by `make bench`; tests/test_benchmarks.py holds this page to docs/benchmarks.json -->

Each figure stands beside its rivals' of the same run, on the same machine, in turns; medians, and multiples of
Parley's: more is worse. The multiples travel, the absolute figures belong to the machine. What each suite does, and
what it leaves out, is said at the top of its file in [benchmarks](../benchmarks/README.md). Nothing here was measured
on AWS. Tinode is not beside Centrifugo: the module of its server was refused by the proxy that Go's modules come from.
The last run:
"""


@dataclass(frozen=True, slots=True)
class Report:
    """`machine` describes where and when, in words."""

    machine: dict[str, str]
    rows: tuple[Row, ...]


def described_machine(day: str, pythons: Iterable[str]) -> dict[str, str]:
    """What the figures may depend on; nothing that names the machine or who owns it."""
    return {
        "day": day,
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": ", ".join(pythons),
        "load": f"{os.getloadavg()[0]:.1f} before it began",
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def as_json(report: Report) -> str:
    rows = ",\n  ".join(json.dumps(asdict(row), ensure_ascii=False) for row in report.rows)
    return f'{{\n"machine": {json.dumps(report.machine, ensure_ascii=False)},\n"rows": [\n  {rows}\n]\n}}\n'


def from_json(text: str) -> Report:
    """Raises ValueError where it is no report."""
    try:
        found: dict[str, Any] = json.loads(text)
        return Report(dict(found["machine"]), tuple(Row(**row) for row in found["rows"]))
    except (KeyError, TypeError) as exc:
        raise ValueError("not a report of make bench") from exc


def suites(rows: Sequence[Row]) -> list[tuple[str, list[Row]]]:
    return [(name, list(some)) for name, some in groupby(rows, lambda row: row.suite)]


def image_of(suite: str) -> str:
    """The name of its picture."""
    return f"bench-{''.join(sign if sign.isalnum() else '-' for sign in suite.lower()).strip('-')}.svg"


def page(report: Report) -> str:
    parts = [_INTRODUCTION, "; ".join(f"{name}: {value}" for name, value in report.machine.items()) + ".\n"]
    for suite, rows in suites(report.rows):
        picture = f"![{suite}: multiples of Parley's](images/{image_of(suite)})\n"
        parts += [f"## {suite}\n", *([picture] if plot(suite, rows) else []), "\n".join(table(rows)) + "\n"]
    return "\n".join(parts)


def written(report: Report) -> dict[Path, str]:
    """All files of a report."""
    pictures = {IMAGES / image_of(suite): plot(suite, rows) for suite, rows in suites(report.rows)}
    files = {FIGURES: as_json(report), PAGE: page(report)}
    return files | {path: text for path, text in pictures.items() if text}


def worse(before: Report, now: Report) -> tuple[list[str], list[str]]:
    """What is counted and has grown, and where Parley has lost much of what it was ahead; a line for each."""
    old = {row.place: row for row in before.rows}
    counted, slower = [], []
    for row in now.rows:
        was = old.get(row.place)
        if was is None:
            continue
        what = f"{row.suite}: {row.what}, {row.unit}"
        if row.is_counted and row.subject == OURS and row.value > was.value:
            counted.append(f"{what}: {was.value:g} before, {row.value:g} now")
        elif not row.is_counted and row.subject != OURS and was.ratio > row.ratio * SLOWER:
            slower.append(f"{what}: {row.subject} took {was.ratio:.2f} times as much before, {row.ratio:.2f} now")
    return counted, slower
