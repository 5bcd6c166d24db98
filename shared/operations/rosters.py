"""The rosters of groups that one instance of a function has read, kept as long as the log says they are still so.

Each entry of a group's log carries `roster_seq`: behind which entry nothing has changed of who is in the group, their
roles, and its name. A roster that was read after that entry was seen is kept under that number, and used for any entry
that carries the same one or a lower one.

Why that is exact: a kept roster reflects the entry at its `roster_seq`, and whatever was stored until it was read. An
entry with the same `roster_seq` has no change between that and itself, so the kept roster is at least as new as the
entry: just what reading the roster behind the entry gives. What follows the entry is added by `Audience.after`, which
may meet changes that are in it already. And a put right behind the entry succeeds only if nothing followed at all: then
the kept roster is the group's, exactly.

It may be newer than the entry, and older than now: a member may have been removed when it was read and be back since.
So it is good for a yes and never for a no: where one of the `needed` users is missing, the roster is read again. And it
is good for what stands right behind the entry, never for what was there before, such as a resend's message.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final, Protocol

from shared.domain.rules import Audience

# Members in all kept rosters together: some 5 MB, with ids of usual length.
MAX_SEATS: Final = 20_000
# A transaction's items become visible one after the other. Once an entry has been there for this long, its effects are.
SETTLED_MS: Final = 5_000
_MOST_SEEN: Final = 1_000


class Behind(Protocol):
    """As much of an entry as says which roster goes with it."""

    @property
    def conversation_id(self) -> str: ...
    @property
    def created_at(self) -> int: ...
    @property
    def roster_seq(self) -> int | None: ...


class Rosters:
    """One instance's memory. Bounded by the number of members; what was used longest ago goes first."""

    def __init__(self, max_seats: int = MAX_SEATS) -> None:
        self._max_seats = max_seats
        self._seats = 0
        self._kept: OrderedDict[str, tuple[int, Audience]] = OrderedDict()
        self._seen: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def get(self, conversation_id: str, roster_seq: int) -> Audience | None:
        """A roster that is at least as new as the group's entry `roster_seq`, and everything up to its next change."""
        seq, audience = self._kept.get(conversation_id, (-1, None))
        if seq < roster_seq:
            return None
        self._kept.move_to_end(conversation_id)
        return audience

    def keep(self, conversation_id: str, roster_seq: int, audience: Audience) -> None:
        """Remember a roster that reflects the entry `roster_seq`."""
        before = self._kept.get(conversation_id)
        if before is not None and before[0] > roster_seq:
            return
        self._seats += len(audience) - (len(before[1]) if before else 0)
        self._kept[conversation_id] = roster_seq, audience
        self._kept.move_to_end(conversation_id)
        while self._seats > self._max_seats:
            _, (_, dropped) = self._kept.popitem(last=False)
            self._seats -= len(dropped)

    def is_settled(self, base: Behind, now: int) -> bool:
        """Whether all that was written with the entry `roster_seq` of `base` is visible for sure: long enough ago."""
        conversation_id, seq = base.conversation_id, base.roster_seq or 0
        if base.created_at + SETTLED_MS <= now:
            return True
        seen, since = self._seen.get(conversation_id, (-1, now))
        if seen != seq:
            since = now
        self._seen[conversation_id] = seq, since
        self._seen.move_to_end(conversation_id)
        if len(self._seen) > _MOST_SEEN:
            self._seen.popitem(last=False)
        return since + SETTLED_MS <= now
