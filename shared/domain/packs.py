"""How a channel's connections are told: by packs of its latest entries, in portions, one pack in each window."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from shared.clock import SECOND_MS
from shared.domain.entries import Entry, Pack

# So that a pack stays one of the gateway's smallest messages, with what stands around it.
MAX_PACK_BYTES: Final = 5_000
# As many of the smallest entries as a pack could hold.
MAX_ENTRIES: Final = 30
# The least time from one pack of a channel to the next. A queue counts in seconds.
MIN_WINDOW_MS: Final = SECOND_MS


@dataclass(frozen=True, slots=True)
class DuePack:
    """A channel's next pack is due, which its entry `seq` has claimed."""

    conversation_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class Claimed:
    """A pack that is to be queued: which entry has claimed it, and from when on it is due (ms)."""

    seq: int
    due_at: int


@dataclass(frozen=True, slots=True)
class Taken:
    """A pack that is to be made now: of what follows `posted`. With `due_at` only from then on (ms)."""

    posted: int
    due_at: int | None = None


@dataclass(frozen=True, slots=True)
class Portion:
    """A part of a channel's connections, and a pack for them: the latest entries behind `posted`, up to `last`.

    It begins behind the connection `after`. A large part begins somewhere, `start`, and once it is at the end it goes
    on from the first one up to there (`is_around`): should later packs overtake it, it is not always the same
    connections that it has not reached. `queued_at` (ms) is when the pack was made.
    """

    conversation_id: str
    posted: int
    last: int
    part: int
    sync_within_ms: int
    queued_at: int
    start: str = ""
    after: str = ""
    is_around: bool = False


def window_ms(connections: int, *, rate: int) -> int:
    """How long posting to so many takes, at `rate` a second."""
    return max(MIN_WINDOW_MS, -(-connections * SECOND_MS // max(1, rate)))


def sync_within_ms(connections: int, *, window: int, rate: int) -> int:
    """Within how long so many sync what a pack left out: the window, or as long as half of `sync`'s throttle takes.

    `rate`: how many syncs a second the gateway lets in, of all users together. The other half is everybody else's.
    """
    return max(window, -(-2 * connections * SECOND_MS // max(1, rate)))


def event_of(
    newest_first: Sequence[Entry], *, posted: int, sync_within_ms: int, size: Callable[[Entry | Pack], int]
) -> Entry | Pack:
    """What is posted: the latest of these entries behind `posted` that fit into MAX_PACK_BYTES, and one in any case.

    One alone is its own event, as it is in every conversation, unless something before it is left out. `size` gives an
    event's encoded bytes.
    """
    latest = newest_first[0]
    chosen = [latest]
    room = MAX_PACK_BYTES - size(Pack(latest.conversation_id, (latest,), sync_within_ms))
    for entry in newest_first[1:]:
        room -= size(entry) + 1
        if entry.seq <= posted or room < 0:
            break
        chosen.append(entry)
    if len(chosen) == 1 and latest.seq <= posted + 1:
        return latest
    return Pack(latest.conversation_id, tuple(reversed(chosen)), sync_within_ms)
