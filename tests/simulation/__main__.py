"""Simulated histories, as many as wanted: python -m tests.simulation --histories 10000

A failing one is printed as short as it gets, with the number that repeats it: --seed 4711 --histories 1
A long run is kept in a file and can be cut off: --histories 1000000 --keep run.jsonl
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import tests.functions.environment  # noqa: F401  # read by the handlers when they are imported
from tests.simulation.kept import keep, kept
from tests.simulation.plan import plan_of
from tests.simulation.planted import PLANTED, planted
from tests.simulation.runs import CPU_S, run, run_many, shortest
from tests.simulation.totals import Totals, chunk, report

_CHUNK = 500


def _all(seeds: range, workers: int, file: Path | None) -> Totals:
    """With a file, what it has of these seeds is not run again, and progress is told."""
    totals, start = Totals(), time.monotonic()
    chunks = [seeds[at : at + _CHUNK] for at in range(0, len(seeds), _CHUNK)]
    for done, what in kept(file) if file else ():
        if done in chunks:
            chunks.remove(done)
            totals.add(what)
    for done, what in _each(chunks, workers):
        totals.add(what)
        if file is not None:
            keep(file, done, what)
            print(_progress(totals, len(seeds), time.monotonic() - start), file=sys.stderr, flush=True)  # noqa: T201
    return totals


def _each(chunks: Sequence[range], workers: int) -> Iterator[tuple[range, Totals]]:
    """Each chunk as it is done."""
    if workers == 1:
        yield from ((one, chunk(one)) for one in chunks)
        return
    with ProcessPoolExecutor(workers) as pool:
        running = {pool.submit(chunk, one): one for one in chunks}
        yield from ((running[done], done.result()) for done in as_completed(running))


def _progress(totals: Totals, of: int, seconds: float) -> str:
    wrong = len(totals.failures)
    cost = f"{totals.cpu_s:,.0f} s of CPU, {seconds:,.0f} s since the start"
    return f"{totals.histories:,} of {of:,} histories, {wrong} not as promised; {cost}"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--histories", type=int, default=10_000, help="how many (10,000)")
    parser.add_argument("--seed", type=int, default=0, help="the first one's number (0)")
    parser.add_argument("--workers", type=int, default=2, help="processes side by side (2)")
    parser.add_argument(
        "--keep", type=Path, metavar="FILE", help="note what was run; the same command goes on from there"
    )
    parser.add_argument("--planted", choices=list(PLANTED), help="with this bug in the product, until it is found")
    parser.add_argument("--shorten", type=float, default=CPU_S, help="seconds of CPU to make a failing one short (60)")
    chosen = parser.parse_args(arguments)
    seeds = range(chosen.seed, chosen.seed + chosen.histories)
    if chosen.planted:
        return _hunt(chosen.planted, seeds)
    start = time.monotonic()
    totals = _all(seeds, chosen.workers, chosen.keep)
    print(report(totals, time.monotonic() - start))  # noqa: T201  # a command line tool
    for seed, findings in sorted(totals.failures)[:3]:
        print(f"\nseed {seed}: {findings}\nas short as it gets:")  # noqa: T201
        print(shortest(run(plan_of(seed)), cpu_s=chosen.shorten).text)  # noqa: T201
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
