"""What the one-write append costs when many write to one log at once: puts, refused puts and reads per message.

    .venv/bin/python -m benchmarks.contention --writers 20 --messages 25

The log is in memory; every call takes `--latency` milliseconds, as a call inside one region does. Each writer composes
its next message when the last one is stored, holding the entry it last saw. The result is checked: no gap, no double.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any

from shared.clock import backoff_s
from shared.domain.entries import Draft, Entry
from shared.domain.rules import Audience
from shared.operations.messages import append
from tests.calls import Unhurried
from tests.dynamodb import Store
from tests.stores import Stores, adapters
from tests.wiring import make_context

_CONVERSATION = "dm:alice:bob"
_CONTEXT = make_context(time.time_ns, lambda: "", pause=lambda attempt: time.sleep(backoff_s(attempt)))
_CONTEXT = make_context(time.time_ns, lambda: "", pause=lambda attempt: time.sleep(backoff_s(attempt)))
_BOTH = Audience({"alice": "member", "bob": "member"})


class _Slow(Unhurried):
    """The simulated tables, which many threads may use, with a network in front of them."""

    def __init__(self, latency_s: float) -> None:
        self.made: Counter[str] = Counter()
        self._latency_s = latency_s
        self._tables = Store()
        self._lock = Lock()

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        time.sleep(self._latency_s * random.uniform(0.7, 1.3))  # noqa: S311  # no two calls take equally long
        with self._lock:
            self.made[operation] += 1
            return self._tables.call(operation, request)


def _write(stores: Stores, writer: int, messages: int) -> list[float]:
    """The seconds that each message took from its first put to its place."""
    base: Entry | None = None
    took = []
    for number in range(messages):
        name = f"{writer}-{number}"
        draft = Draft(_CONVERSATION, "alice", name, nonce=name, client_message_id=name)
        started = time.perf_counter()
        base = append(
            draft,
            base=base,
            audience=_BOTH,
            stores=stores,
            context=_CONTEXT,
        ).entry
        took.append(time.perf_counter() - started)
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--writers", type=int, nargs="+", default=[1, 2, 5, 20])
    parser.add_argument("--messages", type=int, default=25)
    parser.add_argument("--latency", type=float, default=5.0, metavar="MS")
    options = parser.parse_args()
    print(f"{'writers':>8}{'messages/s':>12}{'puts':>8}{'reads':>8}{'median ms':>11}{'slowest ms':>12}")
    for writers in options.writers:
        calls = _Slow(options.latency / 1e3)
        stores = adapters(calls)
        started = time.perf_counter()
        with ThreadPoolExecutor(writers) as threads:
            every = list(threads.map(lambda writer: _write(stores, writer, options.messages), range(writers)))  # noqa: B023
        seconds = time.perf_counter() - started
        made = Counter(calls.made)
        stored = stores.log.read(_CONVERSATION, start=1, limit=1_000_000)
        total = writers * options.messages
        if [entry.seq for entry in stored] != list(range(1, total + 1)) or len({e.nonce for e in stored}) != total:
            raise SystemExit("the log has a gap or a double")
        took = sorted(second for one in every for second in one)
        print(
            f"{writers:>8}{total / seconds:>12.0f}{made['PutItem'] / total:>8.2f}{made['Query'] / total:>8.2f}"
            f"{took[total // 2] * 1e3:>11.0f}{took[-1] * 1e3:>12.0f}"
        )


if __name__ == "__main__":
    main()
