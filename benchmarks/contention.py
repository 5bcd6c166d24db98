"""Many write into one conversation at once: how long a message waits, and what it costs, beside other ways to do it.

    .venv/bin/python -m benchmarks.contention
    PARLEY_DYNAMODB_ENDPOINT=http://127.0.0.1:8000 .venv/bin/python -m benchmarks.contention --real

Virtual time, so the figures repeat exactly: every call takes `--latency` milliseconds, 30 % more or less, and a
partition has DynamoDB's limits. With `--real` it is a thread for each writer, in front of the engine at that address
(Amazon's DynamoDB Local; docs/testing.md says how to get it), with as many milliseconds added to each call.

Closed loop: each writer composes its next message when the last one is stored, behind that. Open loop: messages come by
chance, so many in a second, behind what was stored 30 ms before. Each result is looked through: a gap, a loss or a
double is told.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from benchmarks.rows import OURS, Row, rows_of
from tests.contracts.engines import ENDPOINT, empty, service
from tests.load.writers import WAYS, Crowd, Way, begin, burst, closed_loop, open_loop, ours

SUITE: Final = "Many writers"
_WRITERS = (1, 4, 16, 64)
_RATES = (20, 50, 100)


class _Real:
    """A world in real time: an engine, and a network in front of it."""

    def __init__(self, calls: Any, latency_ms: float) -> None:
        self._calls, self._latency_ms = calls, latency_ms
        self.random = random.Random()  # noqa: S311  # no secret

    def now_ms(self) -> float:
        return time.time() * 1e3

    def wait_ms(self, ms: float) -> None:
        time.sleep(ms / 1e3)

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        half = self._latency_ms / 2 * self.random.uniform(0.7, 1.3)  # no two calls take equally long
        self.wait_ms(half)
        try:
            answer: dict[str, Any] = self._calls.call(operation, request)
            return answer
        finally:
            self.wait_ms(half)


@contextmanager
def _engine(latency_ms: float) -> Iterator[_Real]:
    with service(os.environ[ENDPOINT]) as calls:
        empty(calls)
        begin(calls)
        yield _Real(calls, latency_ms)


def _really_closed(writers: int, *, messages: int, way: Way, latency_ms: float) -> Crowd:
    with _engine(latency_ms) as world, ThreadPoolExecutor(writers) as threads:
        crowd = Crowd(world, way)
        list(threads.map(lambda _: crowd.write_all(messages), range(writers)))
        crowd.look()
        return crowd


def _really_open(rate: float, *, seconds: float, way: Way, latency_ms: float) -> Crowd:
    with _engine(latency_ms) as world, ThreadPoolExecutor(256) as threads:
        crowd = Crowd(world, way)
        at, end = time.monotonic(), time.monotonic() + seconds
        running = []
        while at < end:
            at += random.expovariate(rate)  # no secret
            time.sleep(max(0.0, at - time.monotonic()))
            running.append(threads.submit(crowd.write_once))
        for one in running:
            one.result()
        crowd.look()
        return crowd


def _loads(
    *, real: bool, messages: int, seconds: float, latency_ms: float
) -> Iterator[tuple[str, Callable[[Way], Crowd]]]:
    closed = partial(_really_closed if real else closed_loop, messages=messages, latency_ms=latency_ms)
    arriving = partial(_really_open if real else open_loop, seconds=seconds, latency_ms=latency_ms)
    for writers in _WRITERS:
        yield f"{writers} writer{'s' if writers > 1 else ''}, closed", lambda way, n=writers: closed(n, way=way)  # type: ignore[misc]  # its default
    for rate in _RATES:
        yield f"{rate}/s, open", lambda way, n=rate: arriving(n, way=way)  # type: ignore[misc]  # its default
    if not real:
        yield "64 within 10 ms", lambda way: burst(64, within_ms=10, way=way, latency_ms=latency_ms)


def rows() -> list[Row]:
    """In virtual time: what a message takes in writes, and how long the unlucky wait."""
    found: list[Row] = []
    for load, run in _loads(real=False, messages=20, seconds=5.0, latency_ms=5.0):
        crowds = {OURS if way is ours else name: run(way) for name, way in WAYS.items()}
        found += rows_of(SUITE, load, "write units", {name: [one.each("writes")] for name, one in crowds.items()})
        found += rows_of(SUITE, load, "ms, p99", {name: [one.at(0.99)] for name, one in crowds.items()})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=40, help="of each writer in a closed loop")
    parser.add_argument("--seconds", type=float, default=20.0, help="that an open loop goes on")
    parser.add_argument("--latency", type=float, default=5.0, metavar="MS")
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    parser.add_argument("--real", action="store_true", help=f"at {ENDPOINT}")
    options = parser.parse_args()
    print(f"{'load':<20}{'way':<26}{'stored/s':>9}{'writes':>8}{'reads':>8}{'median':>8}{'p99':>8}{'longest ms':>12}")
    loads = _loads(real=options.real, messages=options.messages, seconds=options.seconds, latency_ms=options.latency)
    for load, run in loads:
        for name in options.ways:
            crowd = run(WAYS[name])
            if not options.real:
                crowd.look()
            refused = (f"  {dict(crowd.refused)}" if crowd.refused else "") + ("  a gap" if crowd.is_torn else "")
            print(
                f"{load:<20}{name:<26}{crowd.per_second:>9.0f}{crowd.each('writes'):>8.2f}{crowd.each('reads'):>8.2f}"
                f"{crowd.at(0.5):>8.0f}{crowd.at(0.99):>8.0f}{crowd.at(1.0):>12.0f}{refused}",
                flush=True,
            )


if __name__ == "__main__":
    main()
