"""What a channel costs: its messages, the packs that tell them, and the syncs of what finds no room in packs.

    .venv/bin/python -m benchmarks.channel_costs

prints the table of docs/costs.md. What is told is told by packs: the faster a channel is written, the more messages
share one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from benchmarks.cost_model import CPU_MS, FRAME_LINE, FRAMES_MB, MESSAGE, STREAM, Cost, Run, Services
from infra import prices

CHANNEL_RATE: Final = 2_000
"""Posts a second of one channel (`channel_rate`)."""
PARTS: Final = 16
"""In which the connections of a channel are listed."""
SHARD_RATE: Final = 500
"""Posts a second of one invocation (`fan_out_rate`)."""
IN_A_PACK: Final = 16
"""Messages of 300 bytes in 5,000."""
LISTED_UNITS: Final = 0.04
"""Read units of a connection's row in its list."""
MEMBERSHIP_UNITS: Final = 0.5
"""Of each whom a pack is posted to: whether they are a member still, read from any copy."""
SENT: Final = Cost(messages=2, reads=2, writes=1, lines=FRAME_LINE, runs=(replace(MESSAGE, posts=0),))
# The stream's record, which claims the next pack; what makes it, once it is due; and its portions, by their queue.
CLAIM: Final = replace(STREAM, reads=0, writes=1)
MADE: Final = Run(cpu=CPU_MS["delivery check"], reads=2, writes=2, sends=1)
PORTION: Final = Run(cpu=CPU_MS["stream record"], reads=2, posts=1)
PACK: Final = Cost(reads=1 + PARTS, writes=3, sqs=3 + 3 * PARTS, runs=(CLAIM, MADE, *(PORTION,) * PARTS))
SYNC: Final = Cost(
    messages=2, reads=3, lines=FRAME_LINE, runs=(Run(cpu=CPU_MS["message"], reads=3, memory_mb=FRAMES_MB),)
)
ENTRY_UNITS: Final = 300 / 4_096
"""Read units of an entry that a sync brings."""
READ: Final = Cost(messages=1, reads=3, writes=1, lines=FRAME_LINE, runs=(replace(MESSAGE, posts=0),))
"""What a reader says was read, without a reply."""


def posted() -> Services:
    """One post of a pack: the row in the list is counted, and read; an invocation takes its pause."""
    cost = Cost(messages=1, reads=2 * LISTED_UNITS + MEMBERSHIP_UNITS)
    seconds = 1 / SHARD_RATE * PORTION.memory_mb / 1_024
    return {**cost.services, "Lambda": seconds * prices.GB_SECOND}


def pieces() -> Mapping[str, Services]:
    """Dollars of one of each, by service."""
    return {
        "channel_sent": SENT.services,
        "channel_pack": PACK.services,
        "channel_post": posted(),
        "channel_sync": SYNC.services,
        "channel_entry": Cost(reads=ENTRY_UNITS).services,
    }


@dataclass(frozen=True, slots=True)
class Told:
    """What becomes of one message in a channel that is written at `pace` a second, while `readers` are there."""

    pace: float
    readers: float

    @property
    def together(self) -> float:
        """Messages that one pack tells of, with those that find no room in it."""
        return max(1.0, self.pace * max(1.0, self.readers / CHANNEL_RATE))

    @property
    def packs(self) -> float:
        return 1 / self.together

    @property
    def posts(self) -> float:
        return self.packs * self.readers

    @property
    def syncs(self) -> float:
        """Each reader once for each pack, where some find no room."""
        return self.posts if self.together > IN_A_PACK else 0.0

    @property
    def synced(self) -> float:
        """Entries that syncs bring, to all readers."""
        return self.syncs * self.together

    def counts(self) -> dict[str, float]:
        return {
            "channel_sent": 1.0,
            "channel_pack": self.packs,
            "channel_post": self.posts,
            "channel_sync": self.syncs,
            "channel_entry": self.synced,
        }

    @property
    def a_million(self) -> float:
        each = pieces()
        return prices.MILLION * sum(count * sum(each[name].values()) for name, count in self.counts().items())


def table() -> Iterator[str]:
    """Of 100,000 members with 10,000 there, of whom none, or all, have the channel on screen."""
    yield (
        "| a million messages, written at | messages to a pack | posts of each | syncs of each | sum | "
        "if all have it on screen |"
    )
    yield "|---|---|---|---|---|---|"
    for pace in (0.1, 1.0, 10.0):
        told = Told(pace, 10_000)
        read = told.a_million + told.posts * READ.a_million
        yield (
            f"| {pace:g} a second | {told.together:,.0f} | {told.posts:,.0f} | {told.syncs:,.0f} | "
            f"${told.a_million:,.0f} | ${read:,.0f} |"
        )


if __name__ == "__main__":
    print(*table(), sep="\n")
