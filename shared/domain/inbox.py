"""The order of the inbox, kept still while a client reads page after page of it.

Conversations go by when something last happened in them, so one that moves up between two pages would be passed over.
The pages after the first go by the order of **then**. It needs no state: what had happened by then stands in the logs,
whose entries keep their times for good. Only for the moments around the first page a time does not tell, since clocks
differ and a write takes a while: the heads of those last seconds are named in the cursor, each by a short mark.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

Order = tuple[int, str]
"""When something last happened in a conversation, and its id, so that no two are equal."""

# An entry that had its time this long ago is in the log, or never will be: no write goes on for as long.
SETTLING_MS: Final = 30_000
# Heads that a cursor names. Of more, the oldest go by their time after all.
MAX_MARKS: Final = 128
_MARK_BYTES: Final = 6
_MARK: Final = 8  # characters
# Entries read back in a conversation for the one that was its head. One that has gone on for longer comes last.
_MAX_READ: Final = 1_000
_PAGE: Final = 25


@dataclass(frozen=True, slots=True)
class Happened:
    """The latest of a conversation: its head, or (seq 0) that the user became its member."""

    conversation_id: str
    seq: int
    at: int

    @property
    def order(self) -> Order:
        return self.at, self.conversation_id

    @property
    def mark(self) -> str:
        text = f"{self.conversation_id}/{self.seq}"
        return b64encode(blake2b(text.encode(), digest_size=_MARK_BYTES).digest()).decode()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What there was when the first page was read: all from up to `settled` (ms), and the later heads in `marks`."""

    settled: int
    marks: frozenset[str]

    @classmethod
    def of(cls, heads: Iterable[Happened], now: int) -> Snapshot:
        young = sorted((one.at, one.mark) for one in heads if one.at > now - SETTLING_MS)
        older, kept = young[:-MAX_MARKS], young[-MAX_MARKS:]
        return cls(older[-1][0] if older else now - SETTLING_MS, frozenset(mark for _, mark in kept))

    @staticmethod
    def marks_in(text: str) -> frozenset[str]:
        """The marks that stand in `text`, one behind the other."""
        return frozenset(text[start : start + _MARK] for start in range(0, len(text), _MARK))

    def has(self, one: Happened) -> bool:
        return one.at <= self.settled or one.mark in self.marks


@dataclass(frozen=True, slots=True)
class InboxPosition:
    """Where a page ended, in the order that `snapshot` shows."""

    before: Order
    snapshot: Snapshot


def order_then(
    head: Happened, joined: Happened, snapshot: Snapshot, earlier: Callable[[int, int], Iterable[Happened]]
) -> Order | None:
    """Where the conversation stood; None if not there. `earlier(seq, limit)` are entries below `seq`, latest first."""
    if snapshot.has(head):
        return head.order
    seq = head.seq
    for _ in range(0, _MAX_READ, _PAGE):
        if seq <= 1:
            break
        page = list(earlier(seq, _PAGE))
        found = next((one for one in page if snapshot.has(one)), None)
        if found is not None:
            return found.order
        if not page:
            break
        seq = page[-1].seq
    if seq > 1:
        return 0, head.conversation_id
    return joined.order if snapshot.has(joined) else None
