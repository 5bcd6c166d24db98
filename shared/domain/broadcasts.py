"""Broadcasts: what everybody is told, and how far that has come.

Two tables are gone through in segments: the sessions, for who is connected, and where it is to be stored the members,
for everybody else who is known. A job does one page of one segment and queues the next; a few lanes, each with a job of
its own, share the segments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from shared.domain.connections import Connection
from shared.domain.notifications import SYSTEM, Notification

State = Literal["running", "paused", "cancelled", "done"]
RUNNING: Final[State] = "running"
PAUSED: Final[State] = "paused"
CANCELLED: Final[State] = "cancelled"
DONE: Final[State] = "done"

Among = Literal["connected", "known"]
CONNECTED: Final[Among] = "connected"
KNOWN: Final[Among] = "known"

# Of each table.
SEGMENTS: Final = 8
# Jobs of one broadcast that are in the queue or under way.
LANES: Final = 2


@dataclass(frozen=True, slots=True)
class Segment:
    """How far a segment has come. `step` counts its pages, `by` is the job that did the last of them.

    `after` is the key behind which the next page begins; none before the first. `posted` and `failed` are posts that
    were taken and not taken, `stored` the users for whom it was stored.
    """

    step: int = 0
    is_done: bool = False
    by: str = ""
    after: tuple[str, ...] = ()
    posted: int = 0
    failed: int = 0
    stored: int = 0


@dataclass(frozen=True, slots=True)
class Broadcast:
    """What is told, by whose token, and how far it is. `halted` is why it does not go on, empty where it does.

    Segments of the sessions come first, then those of the members, if it `is_stored`.
    """

    broadcast_id: str
    title: str
    body: str
    is_stored: bool
    by: str
    created_at: int
    updated_at: int
    segments: Sequence[Segment]
    data: Mapping[str, str] = field(default_factory=dict)
    halted: str = ""

    @property
    def state(self) -> State:
        if self.halted == CANCELLED:
            return CANCELLED
        if all(segment.is_done for segment in self.segments):
            return DONE
        return PAUSED if self.halted else RUNNING

    @property
    def done(self) -> int:
        """How many segments are."""
        return sum(segment.is_done for segment in self.segments)

    def next_of(self, lane: int) -> int | None:
        """The segment that this lane goes on with; None where it has done all of its own."""
        mine = range(lane, len(self.segments), LANES)
        return next((number for number in mine if not self.segments[number].is_done), None)

    def says_as(self, other: Broadcast) -> bool:
        """Whether both tell the same in the same way."""
        mine, theirs = ((one.title, one.body, dict(one.data), one.is_stored) for one in (self, other))
        return mine == theirs

    def told(self, user_id: str = "", *, kept_ms: int) -> Notification:
        """As what it reaches users: a notification of its id."""
        at = self.created_at
        return Notification(
            self.broadcast_id, user_id, SYSTEM, at, at + kept_ms, self.title, self.body, dict(self.data)
        )


def fresh_segments(*, is_stored: bool) -> tuple[Segment, ...]:
    return (Segment(),) * (SEGMENTS * (2 if is_stored else 1))


@dataclass(frozen=True, slots=True)
class BroadcastJob:
    """One page of a segment, the one that its `step` says. The nonce tells a job from another for the same page."""

    broadcast_id: str
    segment: int
    step: int
    nonce: str


@dataclass(frozen=True, slots=True)
class Found:
    """A user in a segment. What follows `key` has not been looked at."""

    key: tuple[str, ...]
    user_id: str
    connections: Sequence[Connection] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Users of a segment, each once, and the key behind which it goes on: None at its end."""

    users: Sequence[Found]
    after: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class BroadcastPosition:
    """A place in the list of broadcasts, the newest first."""

    at: int
    broadcast_id: str
