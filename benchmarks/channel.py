"""A channel against the quotas: when its readers have what is written, and what that takes of an account.

    .venv/bin/python -m benchmarks.channel

Simulated in virtual time. A few readers, each the Python client's real core with its own settings, stand for all of
them: they take the packs, wait with their syncs as long as they do, and are refused by the throttle of `sync` as the
gateway would refuse them. The server's side is what docs/protocol.md says of packs.
"""

from __future__ import annotations

import heapq
import itertools
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import ceil
from random import Random
from typing import Any, Final

from parley_client.core import Core
from parley_client.effects import Connect, Transmit
from parley_client.events import Message

from benchmarks.cost_model import CPU_MS, FRAMES_MB, Run
from shared.domain.packs import sync_within_ms

PACK_BYTES: Final = 5_000
WINDOW_S: Final = 1.0
"""A pack of a channel comes no sooner after the one before."""
CHANNEL_RATE: Final = 2_000
"""Posts a second of one channel in the long run, by default."""
POST_RATE: Final = 2_500
"""Posts a second of all portions of a pack: `fan_out_concurrency` times `fan_out_rate`."""
SYNC_RATE: Final = 500
"""Of the route, as `route_throttles` has it by default."""
RAISED: Final = 5_000
REQUESTS: Final = 10_000
"""A second, of all APIs and posts of an account."""
SYNCED_BYTES: Final = 31_000
"""`reply_limit`."""
UNIT_BYTES: Final = 4_096
PARTITION_READS: Final = 3_000
"""Units a second, of one conversation's log: no quota raises it."""
# Assumed: what a message takes to the stream's consumer and through the queues, and an answer to come.
QUEUED_S, ANSWER_S = 0.5, 0.1
SIZES: Final = (1_000, 10_000, 100_000)
SYNC: Final = Run(cpu=CPU_MS["message"], reads=3, memory_mb=FRAMES_MB)
_SHOWN: Final = 50
_WHERE: Final = "channel:7hQ2mXc0V4tBzYd1"
_TEXT: Final = "Half time. Nobody has scored, and it has begun to rain; both sides stay as they are."
_WINDOW_S: Final = 20
_BEGIN: Final = 1_000.0
_LONGEST_S: Final = 900
"""After the last message: who hasn't got everything by then, won't."""


@dataclass(frozen=True, slots=True)
class Written:
    """How a channel is written: so many messages a second for so long; then there is time for the last to come."""

    rate: float
    seconds: float

    @property
    def times(self) -> list[float]:
        return [_BEGIN + number / self.rate for number in range(max(1, round(self.rate * self.seconds)))]


@dataclass(slots=True)
class Found:
    """What came of it. `delays`: seconds from being stored until a reader's application has it, sorted.

    `posts` and what follows are by the second, and of all readers. `refused` are syncs, by the route's throttle or by
    the log's partition; `units` are those that syncs read of it.
    """

    readers: int
    writes: int = 0
    packs: int = 0
    delays: list[float] = field(default_factory=list)
    lost: int = 0
    posts: Counter[int] = field(default_factory=Counter)
    syncs: Counter[int] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)
    pings: Counter[int] = field(default_factory=Counter)
    receipts: Counter[int] = field(default_factory=Counter)
    units: Counter[int] = field(default_factory=Counter)

    def share(self, part: float) -> float:
        """Seconds until this part of the readers has a message; of 1, until the last one has it."""
        return self.delays[min(len(self.delays) - 1, int(part * len(self.delays)))]

    @property
    def requests(self) -> float:
        """Of the gateway, a second, where they are most: posts, frames and their replies."""
        asked: Counter[int] = Counter(self.posts)
        for answered in (self.syncs, self.pings):
            asked.update({second: 2 * count for second, count in answered.items()})
        asked.update(self.refused)
        asked.update(self.receipts)
        return most(asked)

    @property
    def reads(self) -> float:
        """Of the channel's partition, a second, where they are most."""
        return most(self.units)


def most(by_second: Counter[int]) -> float:
    """A second, over the busiest twenty in a row."""
    if not by_second:
        return 0.0
    starts = range(min(by_second), max(by_second) + 1, _WINDOW_S)
    return max(sum(by_second[start + more] for more in range(_WINDOW_S)) for start in starts) / _WINDOW_S


@dataclass(frozen=True, slots=True)
class Plan:
    """How a channel is told. `sync_rate`: the throttle of the route; `reads`: the units that the log's partition gives.

    Without `spread` what is missing before a pack is synced at once; without `shares` within the window, whatever the
    throttle lets in.
    """

    readers: int
    sync_rate: float = SYNC_RATE
    reads: float = PARTITION_READS
    spread: bool = True
    shares: bool = True

    @property
    def window(self) -> float:
        """Seconds from one pack to the next."""
        return max(WINDOW_S, self.readers / CHANNEL_RATE)

    @property
    def within_ms(self) -> int:
        """Within which who lacks something is to sync, as a pack says."""
        window = ceil(1_000 * self.window) if self.spread else 0
        if not (self.spread and self.shares):
            return window
        return sync_within_ms(self.readers, window=window, rate=round(self.sync_rate))


@dataclass(slots=True)
class Bucket:
    """What is let through, so much a second, and at most a second's worth at once."""

    rate: float
    burst: float
    full: float = 0.0
    last: float = 0.0

    def takes(self, amount: float, now: float) -> bool:
        self.full = min(max(self.burst, amount), self.full + (now - self.last) * self.rate)
        self.last = now
        if self.full < amount:
            return False
        self.full -= amount
        return True


class Channel:
    """The server, the gateway, and some of the readers."""

    def __init__(self, plan: Plan, written: Written, *, seed: int = 1, shown: int = _SHOWN) -> None:
        self.plan, self._times, self._messages = plan, written.times, len(written.times)
        self.shown = min(shown, plan.readers)
        self.scale = plan.readers / self.shown
        self.found = Found(plan.readers)
        self.log: list[dict[str, Any]] = []
        self.sizes: list[int] = []
        self.stored: list[float] = []
        self._told, self._next_pack, self._planned = 0, 0.0, False
        self._events: list[tuple[float, int, Any]] = []
        self._order = itertools.count()
        self._random = Random(seed)  # noqa: S311  # a simulation that repeats
        rate = plan.sync_rate / self.scale  # as much smaller as there are fewer readers here
        self._route = Bucket(rate, max(1.0, rate / 2))
        self._partition = Bucket(plan.reads / self.scale, plan.reads / self.scale)
        self._readers = [self._reader(number) for number in range(self.shown)]

    def run(self) -> Found:
        for at in self._times:
            self._at(at, self._write)
        while self._events:
            now, _, do = heapq.heappop(self._events)
            do(now)
            if self._is_over(now):
                break
        found = self.found
        found.delays = sorted(found.delays)
        found.lost = self.shown * len(self.log) - len(found.delays)
        return found

    # --- the server

    def _write(self, now: float) -> None:
        seq = len(self.log) + 1
        message: dict[str, Any] = {"id": f"{_WHERE}/{seq}", "conversation_id": _WHERE, "seq": seq, "sender_id": "alice"}
        message |= {"content": _TEXT, "type": "text", "created_at": 1_795_431_200_000 + seq}
        event = {"type": "new_message", "conversation_id": _WHERE, "seq": seq, "message": message}
        self.log.append(event)
        self.sizes.append(len(json.dumps(event)))
        self.stored.append(now)
        self.found.writes += 1
        if not self._planned:
            self._planned = True
            self._at(max(now + QUEUED_S, self._next_pack), self._pack)

    def _pack(self, now: float) -> None:
        """The latest that fit, to each reader, as fast as the channel may post."""
        self._planned, self._next_pack = False, now + self.plan.window
        first, size = len(self.log), 300
        while first > self._told and size + self.sizes[first - 1] <= PACK_BYTES:
            first -= 1
            size += self.sizes[first]
        events = self.log[first:]
        alone = len(events) == 1 and first == self._told
        self._told = len(self.log)
        frame: dict[str, Any] = (
            events[0] if alone else {"type": "messages", "conversation_id": _WHERE, "events": events}
        )
        if not alone:
            frame["sync_within_ms"] = self.plan.within_ms
        self.found.packs += 1
        takes = self.plan.readers / POST_RATE
        for number, reader in enumerate(self._readers):
            self._at(now + ANSWER_S + takes * (number + 0.5) / self.shown, reader.receive(frame, self.found.posts))

    def answer(self, reader: Reader, frame: dict[str, Any], now: float) -> None:
        """What a reader sends, as the gateway and the server take it."""
        kind, second = frame["type"], int(now)
        if kind == "sync" and not self._route.takes(1, now):
            self.found.refused[second] += self.weight
            words = {"message": "Limit Exceeded", "connectionId": "c", "requestId": "r"}
            self._at(now + ANSWER_S, reader.receive(words))
        elif kind == "sync":
            self.found.syncs[second] += self.weight
            self._at(now + ANSWER_S, lambda later: self._synced(reader, frame, later))
        elif kind == "ping":
            self.found.pings[second] += self.weight
            behind = frame.get("seq", 0) < len(self.log)
            self._at(now + ANSWER_S, reader.receive({"success": True, "id": frame["id"], "data": {"behind": behind}}))
        else:
            self.found.receipts[second] += self.weight

    def _synced(self, reader: Reader, frame: dict[str, Any], now: float) -> None:
        after, size = frame["conversations"].get(_WHERE, len(self.log)), 0
        upto = after
        while upto < len(self.log) and size + self.sizes[upto] <= SYNCED_BYTES:
            size += self.sizes[upto]
            upto += 1
        units = max(1, ceil(size / UNIT_BYTES))
        if not self._partition.takes(units, now):
            self.found.refused[int(now)] += self.weight
            busy = {"code": "unavailable", "error": "The log is busy", "retryable": True}
            reader.receive({"success": False, "id": frame["id"], **busy})(now)
            return
        self.found.units[int(now)] += self.weight * units
        more = upto < len(self.log)
        block = {"id": _WHERE, "head": len(self.log), "entries": self.log[after:upto], "has_more": more}
        data = {"conversations": [block], "has_more": more}
        reader.receive({"success": True, "id": frame["id"], "data": data})(now)

    # --- the readers

    @cached_property
    def weight(self) -> int:
        """How many readers one of them stands for."""
        return round(self.scale)

    def _reader(self, number: int) -> Reader:
        reader = Reader(self, f"reader{number}", self._random)
        reader.begin(_BEGIN - 240.0 * number / self.shown)
        return reader

    def at(self, when: float, do: Any) -> None:
        self._at(when, do)

    def _at(self, when: float, do: Any) -> None:
        heapq.heappush(self._events, (when, next(self._order), do))

    def _is_over(self, now: float) -> bool:
        if len(self.log) < self._messages:
            return False
        return now > self.stored[-1] + _LONGEST_S or len(self.found.delays) == self.shown * len(self.log)


class Reader:
    """One connected user's client, and the application above it."""

    def __init__(self, channel: Channel, user_id: str, random: Random) -> None:
        numbers = itertools.count()
        self._channel = channel
        self._core = Core(new_id=lambda: f"{next(numbers)}", random=random.random, user_id=user_id)
        self._due = float("inf")

    def begin(self, now: float) -> None:
        """Connected and caught up with a channel of which nothing is written yet."""
        core = self._core
        core.start()
        assert any(isinstance(effect, Connect) for effect in core.effects())  # noqa: S101  # for nothing else is done
        core.connected(now)
        for effect in core.effects():
            if isinstance(effect, Transmit):
                block = {"id": _WHERE, "head": 0, "entries": [], "has_more": False, "joined_seq": 1}
                data = {"conversations": [block], "has_more": False}
                core.receive({"success": True, "id": effect.frame["id"], "data": data}, now)
        self._go_on(now)

    def receive(self, frame: dict[str, Any], count: Counter[int] | None = None) -> Any:
        """To be done when it comes."""

        def do(now: float) -> None:
            if count is not None:
                count[int(now)] += self._channel.weight
            self._core.receive(frame, now)
            self._go_on(now)

        return do

    def _tick(self, now: float) -> None:
        if now >= self._due:
            self._core.tick(now)
            self._go_on(now)

    def _go_on(self, now: float) -> None:
        while (event := self._core.next_event(now)) is not None:
            if isinstance(event, Message):
                self._channel.found.delays.append(now - self._channel.stored[event.seq - 1])
        for effect in self._core.effects():
            if isinstance(effect, Transmit):
                self._channel.answer(self, effect.frame, now)
        due = self._core.deadline()
        self._due = float("inf") if due is None else due
        if due is not None:
            self._channel.at(max(due, now), self._tick)


def simulated(plan: Plan, written: Written, *, shown: int = _SHOWN) -> Found:
    return Channel(plan, written, shown=shown).run()


def invocations(found: Found) -> float:
    """At once, of syncs, where they are most; a channel's portions are `fan_out_concurrency`, five."""
    return most(found.syncs) * SYNC.ms / 1_000 + 5


def channel_table() -> Iterator[str]:
    yield (
        "| readers there | written | `sync` lets in | to sync within | half have it after | 99 % | all | posts | "
        "syncs; refused (within the window) | "
        "gateway's 10,000 | partition's 3,000 reads | invocations at once |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|---|---|"
    for plan, written, what in _rows():
        found, hasty = simulated(plan, written), simulated(replace(plan, shares=False), written)
        times = [_time(found.share(part)) for part in (0.5, 0.99)]
        last = _time(found.share(1)) if not found.lost else "not in 15 min"
        yield (
            f"| {plan.readers:,} | {what} | {plan.sync_rate:,.0f}/s | {plan.within_ms / 1_000:,.0f} s | "
            f"{' | '.join(times)} | {last} | {most(found.posts):,.0f}/s | "
            f"{most(found.syncs):,.0f}/s; {most(found.refused):,.0f}/s ({most(hasty.refused):,.0f}/s) | "
            f"{found.requests / REQUESTS:.0%} | {found.reads / PARTITION_READS:.0%} | {invocations(found):,.0f} |"
        )


def _rows() -> Iterator[tuple[Plan, Written, str]]:
    for readers in SIZES:
        plan = Plan(readers)
        for rate, least_s in ((0.1, 200), (1, 60), (10, 20)):
            yield plan, Written(rate, max(least_s, 3 * plan.window)), f"{rate:g}/s"
        yield plan, Written(1_000, 0.1), "100 at once"
    for rate in (1, 10):
        plan = Plan(SIZES[-1], sync_rate=RAISED)
        yield plan, Written(rate, 3 * plan.window), f"{rate:g}/s"


def _time(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004  # as exact as it is


if __name__ == "__main__":
    print(*channel_table(), sep="\n")
