"""The figures of docs/scale.md: what so many connected users ask of an account's quotas, and how a storm of them ends.

    .venv/bin/python -m benchmarks.scale

prints each table as the page has it; a test holds the page to it. The storm is simulated in virtual time, with the very
backoff of the Python client; the JavaScript client's is the same, and the shared vectors hold both to it.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from parley_client.settings import Settings

from benchmarks.channel import channel_table
from benchmarks.cost_model import CHECK, MESSAGE, ONE_PING, PING, RECEIPT, STREAM, private_message

# AWS's documents, as read in November 2026; the first two are of an account and region, and can be raised.
NEW_CONNECTIONS: Final = 500
"""A second, of all WebSocket APIs."""
REQUESTS: Final = 10_000
"""A second, of HTTP and WebSocket APIs and posts to connections together."""
CONCURRENCY: Final = 1_000
"""Of Lambda; a new account may have 10."""
PARTITION_WRITES: Final = 1_000
TABLE_WRITES: Final = 40_000
"""Write units a second of an on-demand table, before it is raised."""
FRESH_TABLE_WRITES: Final = 4_000
"""What an on-demand table that was just made takes at once; later twice its last peak."""
CONNECTION_S: Final = 7_200
"""The gateway closes what is older."""
HEARTBEAT_S: Final = 240
# Assumed of a busy hour: each connected user writes a message a minute to somebody who is there; it is acknowledged.
MESSAGES_S: Final = 1 / 60
SIZES: Final = (10_000, 100_000, 1_000_000, 10_000_000)
_SIMULATED: Final = 10_000
_LONG_S: Final = 120


@dataclass(frozen=True, slots=True)
class Load:
    """What so many connected users ask for in each second of a busy hour."""

    users: int

    @property
    def messages(self) -> float:
        return self.users * MESSAGES_S

    @property
    def frames(self) -> float:
        """Of the `message` and the `read` or `delivered` routes, and pings."""
        return 2 * self.messages + self.users / HEARTBEAT_S

    @property
    def requests(self) -> float:
        """Of the gateway: frames, and a post for each message and each receipt."""
        return self.frames + 2 * self.messages

    @property
    def concurrency(self) -> float:
        """Invocations that run at once, where records and checks come one by one."""
        private = sum(run.ms for run in (MESSAGE, STREAM, CHECK))
        receipt = sum(run.ms for run in RECEIPT.runs)
        pings = self.users / HEARTBEAT_S * PING.ms
        return (self.messages * (private + receipt) + pings) / 1_000

    @property
    def writes(self) -> float:
        """Write units of the log, which is the busiest table."""
        return self.messages * private_message().writes

    @property
    def session_writes(self) -> float:
        return self.users / HEARTBEAT_S * ONE_PING.writes

    @property
    def reconnects(self) -> float:
        """Connections that end by their age, and are opened again."""
        return self.users / CONNECTION_S


@dataclass(frozen=True, slots=True)
class Storm:
    """How one ended: seconds until half, 99 % and all were back; tries for each; the most tries in a second."""

    half: float
    most: float
    all: float
    tries: float
    peak: float


def storm(users: int, per_second: float, *, seed: int = 1, settings: Settings | None = None) -> Storm:
    """All are cut off at once; the gateway lets in `per_second`, with as many in its bucket, and refuses the others.

    Of a great many, ten thousand stand for all, at as much less a second: the shares of time are the same.
    """
    settings = settings or Settings()
    shown = min(users, _SIMULATED)
    rate = per_second * shown / users
    random = Random(seed).random  # noqa: S311  # a simulation that repeats
    tries = [(settings.backoff(0, random), one, 1) for one in range(shown)]
    heapq.heapify(tries)
    bucket, last, back = max(1.0, rate), 0.0, list[float]()
    by_second: Counter[int] = Counter()
    while tries:
        now, one, failures = heapq.heappop(tries)
        by_second[int(now)] += 1
        bucket, last = min(max(1.0, rate), bucket + (now - last) * rate), now
        if bucket >= 1:
            bucket -= 1
            back.append(now)
        else:
            heapq.heappush(tries, (now + settings.backoff(failures, random), one, failures + 1))
    scale = users / shown
    return Storm(
        half=back[len(back) // 2],
        most=back[len(back) * 99 // 100],
        all=back[-1],
        tries=by_second.total() / shown,
        peak=max(by_second.values()) * scale,
    )


def load_table() -> Iterator[str]:
    yield (
        "| connected users | messages | requests of the gateway | invocations at once | writes: log; sessions | "
        "connections renewed |"
    )
    yield "|---|---|---|---|---|---|"
    for users in SIZES:
        one = Load(users)
        yield (
            f"| {users:,} | {one.messages:,.0f}/s | {one.requests:,.0f}/s | {one.concurrency:,.0f} | "
            f"{one.writes:,.0f}/s; {one.session_writes:,.0f}/s | {one.reconnects:,.0f}/s |"
        )


def first_table() -> Iterator[str]:
    """At how many connected users each quota is used up."""
    one = Load(1)
    rows = (
        ("Lambda's concurrency of a new account", 10, one.concurrency),
        ("our own throttle of a route (`throttle_rate`)", 2_000, one.messages),
        ("requests of the gateway", REQUESTS, one.requests),
        ("what a table takes that was just made", FRESH_TABLE_WRITES, one.writes),
        ("Lambda's concurrency, as it usually is", CONCURRENCY, one.concurrency),
        ("a table's write units", TABLE_WRITES, one.writes),
        ("new connections, by their age alone", NEW_CONNECTIONS, one.reconnects),
    )
    yield "| what | quota | used up by connected users |"
    yield "|---|---|---|"
    for what, quota, each in sorted(rows, key=lambda row: row[1] / row[2]):
        yield f"| {what} | {quota:,} | {_rounded(quota / each):,} |"


def storm_table() -> Iterator[str]:
    yield "| cut off | let in | half are back after | 99 % | all | tries of each | most tries in a second |"
    yield "|---|---|---|---|---|---|---|"
    for users, rate in ((10_000, 500), (100_000, 500), (100_000, 5_000), (1_000_000, 500), (1_000_000, 5_000)):
        found = storm(users, rate)
        yield (
            f"| {users:,} | {rate:,}/s | {_time(found.half)} | {_time(found.most)} | {_time(found.all)} | "
            f"{found.tries:.0f} | {_rounded(found.peak):,} |"
        )


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < _LONG_S else f"{seconds / 60:.0f} min"


def _rounded(number: float) -> int:
    """Two digits: the assumptions have no more."""
    return int(float(f"{number:.2g}"))


TABLES: Final = {
    "A busy hour": load_table,
    "What is used up first": first_table,
    "When all are cut off at once": storm_table,
    "A channel against the quotas": channel_table,
}

if __name__ == "__main__":
    for title, table in TABLES.items():
        print(f"## {title}", *table(), "", sep="\n")
