"""Where broadcasts and their progress are kept, and those whom they are for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from shared.domain.broadcasts import Among, Broadcast, BroadcastPosition, Page, Segment


class Broadcasts(Protocol):
    """A row for each, for 90 days from its beginning, and what they go through."""

    def start(self, broadcast: Broadcast, *, limit: int) -> Broadcast | None:
        """Keep it; where there is one of its id already, that one is returned, and nothing changes.

        None, and nothing changes, where `limit` others are running or paused. It holds however many begin at once.
        """

    def get(self, broadcast_id: str) -> Broadcast | None:
        """Strongly consistent."""

    def of(self, *, before: BroadcastPosition | None, limit: int) -> Sequence[Broadcast]:
        """At most `limit` before that place, the newest first, strongly consistent."""

    def halt(self, broadcast_id: str, why: str, *, now: int) -> Broadcast | None:
        """Pause it, cancel it, or (empty) have it go on: one conditional write. Returns it as it is then.

        Nothing changes where it is cancelled or done. None where there is none.
        """

    def advance(self, broadcast_id: str, number: int, becomes: Segment, *, now: int) -> Broadcast | None:
        """Note one more page of a segment, if `becomes` is the next step: one conditional write. Returns it as it is.

        None, and nothing changes, where another job has done that page. Whether it is halted makes no difference: what
        was done counts.
        """

    def connected(self, segment: int, *, after: tuple[str, ...], limit: int) -> Page:
        """Users in this segment of the sessions, with their connections, stale ones included. Strongly consistent.

        One page of at most `limit` rows, behind the key `after`.
        """

    def known(self, segment: int, *, after: tuple[str, ...], limit: int) -> Page:
        """Users of whom this segment of the members has any row: a page of at most `limit` rows, a little behind.

        A user on whose rows the page before ended is not named again.
        """

    def store(self, broadcast: Broadcast, users: Collection[str], *, among: Among, kept_ms: int) -> int:
        """Keep it as a notification of each of these users, who may have acknowledged it already: a write for each.

        Returns for how many of them it was stored among these, now or when the same was asked before.
        """
