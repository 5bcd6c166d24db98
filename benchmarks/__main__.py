"""Everything that is measured, in one run, beside its rivals: `make bench`.

    .venv/bin/python -m benchmarks --rounds 5 --only "a fan-out" counted --write

Prints a table. With --write docs/benchmarks.json, docs/benchmarks.md and its pictures are made anew; of what --only
leaves out they keep the last figures. Ends with 1 where something counted has grown since docs/benchmarks.json; where
Parley is slower than it was, beside its rivals, that is told and nothing more: times are a machine's.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks import centrifugo, client, contention, counted, fan_out, frames, handlers, imports, report, transport
from benchmarks.report import Report, described_machine
from benchmarks.rows import Row, table

LAMBDAS: Final = "python3.13"
"""The functions' own Python."""


def _cold_starts(rounds: int) -> list[Row]:
    """On this Python, and on the functions' own, if there is one here."""
    other = None if sys.version_info[:2] == (3, 13) else _lambdas_python()
    return [*imports.rows(rounds), *(imports.rows_with(other, rounds) if other else [])]


def _lambdas_python() -> str | None:
    """One that runs: what is on the path may be a version manager's stand-in for one that is not chosen."""
    kept = Path.home().glob(".pyenv/versions/3.13.*/bin/python3.13")
    for found in filter(None, (shutil.which(LAMBDAS), *map(str, kept))):
        with suppress(OSError, subprocess.CalledProcessError):
            imports.version_of(found)
            return found
    return None


def _invocations(rounds: int) -> list[Row]:
    rows = handlers.rows(rounds)
    return [*rows, *centrifugo.rows(rounds, rows)]


SUITES: Final[Mapping[str, Callable[[int], Sequence[Row]]]] = {
    counted.SUITE: lambda _: counted.rows(),
    imports.SUITE: _cold_starts,
    transport.SUITE: transport.rows,
    fan_out.SUITE: fan_out.rows,
    handlers.SUITE: _invocations,
    contention.SUITE: lambda _: contention.rows(),
    frames.SUITE: frames.rows,
    client.SUITE: client.rows,
}


def measured(only: Sequence[str], rounds: int) -> list[Row]:
    found: list[Row] = []
    for name, rows in SUITES.items():
        if not only or name.lower() in {one.lower() for one in only}:
            began = time.monotonic()
            print(f"{name} …", end=" ", file=sys.stderr, flush=True)
            found += rows(rounds)
            print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    return found


def merged(before: Sequence[Row], now: Sequence[Row]) -> tuple[Row, ...]:
    """In the order of the suites; of those that were not run now, what there was."""
    run = {_suite(row) for row in now}
    rows = [*(row for row in before if _suite(row) not in run), *now]
    return tuple(sorted(rows, key=lambda row: list(SUITES).index(_suite(row))))


def _suite(row: Row) -> str:
    """Of which of SUITES it is: some have parts, with names of their own."""
    if row.suite == centrifugo.SUITE:
        return handlers.SUITE
    return next(name for name in SUITES if row.suite.startswith(name))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, choices=range(1, 16), metavar="1..15")
    parser.add_argument("--only", nargs="+", default=[], metavar="SUITE", help=f"of: {', '.join(SUITES)}")
    parser.add_argument("--write", action="store_true", help="make the page, its pictures and its file anew")
    options = parser.parse_args()
    known = {name.lower() for name in SUITES}
    if strange := [name for name in options.only if name.lower() not in known]:
        parser.error(f"no suite: {', '.join(strange)}; there are: {', '.join(SUITES)}")
    before = report.from_json(report.FIGURES.read_text(encoding="utf-8")) if report.FIGURES.is_file() else None
    machine = described_machine(f"{datetime.now(UTC):%Y-%m-%d}", _pythons())
    now = Report(machine, tuple(measured(options.only, options.rounds)))
    for suite, rows in report.suites(now.rows):
        print(f"\n{suite}\n" + "\n".join(table(rows)))
    counted_more, slower = report.worse(before, now) if before else ([], [])
    for line in [*(f"SLOWER   {one}" for one in slower), *(f"GROWN    {one}" for one in counted_more)]:
        print(line)
    if options.write:
        kept = merged(before.rows if before else (), now.rows)
        for path, text in report.written(Report(machine, kept)).items():
            path.write_text(text, encoding="utf-8")
            print(f"written: {path.relative_to(report.ROOT)}")
    return 1 if counted_more else 0


def _pythons() -> list[str]:
    other = _lambdas_python()
    ours = imports.version_of(sys.executable)
    return [ours, *([imports.version_of(other)] if other and imports.version_of(other) != ours else [])]


if __name__ == "__main__":
    sys.exit(main())
