"""What the one-write append costs when many write to one log at once: puts, refused puts and reads per message.

    .venv/bin/python -m benchmarks.contention --writers 20 --messages 25

The log is in memory; every call takes `--latency` milliseconds, as a call inside one region does. Each writer composes
its next message when the last one is stored, holding the entry it last saw. The result is checked: no gap, no double.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from shared.adapters.aws.deadline import backoff_s
from shared.domain.entries import Draft, Entry
from shared.domain.members import Audience
from shared.operations.messages import append
from tests.fakes import FakeLog

_CONVERSATION = "dm:alice:bob"
_BOTH = Audience({"alice": "member", "bob": "member"})


@dataclass
class _SlowLog(FakeLog):
    """FakeLog, which many threads may use, with a network in front of it."""

    latency_s: float = 0.0

    def put(self, entry: Entry, *, new_members: Sequence[str] = (), once: bool = False) -> Entry | None:
        self._travel()
        return super().put(entry, new_members=new_members, once=once)

    def read(self, conversation_id: str, *, start: int, limit: int) -> list[Entry]:
        self._travel()
        return super().read(conversation_id, start=start, limit=limit)

    def _travel(self) -> None:
        time.sleep(self.latency_s * random.uniform(0.7, 1.3))  # noqa: S311  # no two calls take equally long


def _write(log: _SlowLog, writer: int, messages: int) -> list[float]:
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
            log=log,
            memberships=log.memberships,
            now=time.time_ns,
            pause=lambda attempt: time.sleep(backoff_s(attempt)),
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
        log = _SlowLog(latency_s=options.latency / 1e3)
        started = time.perf_counter()
        with ThreadPoolExecutor(writers) as threads:
            every = list(threads.map(lambda writer: _write(log, writer, options.messages), range(writers)))  # noqa: B023
        seconds = time.perf_counter() - started
        stored = log.entries[_CONVERSATION]
        total = writers * options.messages
        if [entry.seq for entry in stored] != list(range(1, total + 1)) or len({e.nonce for e in stored}) != total:
            raise SystemExit("the log has a gap or a double")
        took = sorted(second for one in every for second in one)
        print(
            f"{writers:>8}{total / seconds:>12.0f}{log.puts / total:>8.2f}{log.reads / total:>8.2f}"
            f"{took[total // 2] * 1e3:>11.0f}{took[-1] * 1e3:>12.0f}"
        )


if __name__ == "__main__":
    main()
