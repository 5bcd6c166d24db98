"""Reading a log whose beginning is kept no longer: what has ended is left out, and where the rest begins is told."""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.entries import Entry
from shared.ports.conversations import FIRST, ROW_KEPT_MS, ConversationLog, Place
from shared.ports.stores import ChatStores


def kept_from(conversation_id: str, start: int, limit: int, log: ConversationLog) -> tuple[Sequence[Entry], int]:
    """Entries from `start` on, in order, at most `limit`, and which is the first where that is another one; else 0.

    One query, unless `start` has ended: then one more. Where more than a page has ended, the first that is kept is
    found by halving, some twenty reads at most. Where everything has ended, it is the last: its place stays.
    """
    found = log.read(conversation_id, start=start, limit=limit)
    if not found or not may_have_ended(found, log):
        return found, 0
    if not found[0].is_trimmed:
        return found, found[0].seq if found[0].seq > start else 0
    first = _first_kept(found, limit, log)
    if first == found[0].seq and first == start:
        return found, 0
    entries = [entry for entry in found if entry.seq >= first]
    if len(found) == limit:
        entries = log.read(conversation_id, start=first, limit=limit)
    return entries, first


def _first_kept(found: Sequence[Entry], limit: int, log: ConversationLog) -> int:
    """The first that is kept, of a log whose entry `found[0]` has ended."""
    for entry in found:
        if not entry.is_trimmed:
            return entry.seq
    conversation_id, low = found[0].conversation_id, found[-1].seq
    if len(found) < limit:
        return low
    high = next((tail.seq for tail in log.read_back(conversation_id, limit=1)), low)
    while high - low > 1:  # `low` has ended, and `high` is kept, or the last
        middle = (low + high) // 2
        there = log.fetch([(conversation_id, middle)]).get((conversation_id, middle))
        low, high = (middle, high) if there is None or there.is_trimmed else (low, middle)
    return high


def kept_back(
    conversation_id: str, before: int | None, limit: int, log: ConversationLog
) -> tuple[Sequence[Entry], int]:
    """Entries below `before` (None: from the head), newest first, and the first that is kept, where this reaches it.

    One query. Where all of the page has ended, one read more, and where `before` has ended too, as in `kept_from`.
    """
    page = log.read_back(conversation_id, before=before, limit=limit)
    if not page or not may_have_ended(page, log):
        return page, 0
    kept = [entry for entry in page if not entry.is_trimmed]
    if len(kept) == len(page):
        return page, 0
    if kept:
        return kept, kept[-1].seq
    if before is None:
        return kept, page[0].seq
    there = log.fetch([(conversation_id, before)]).get((conversation_id, before))
    if there is not None and not there.is_trimmed:  # as whoever pages back asks: below the first that is kept
        return kept, before
    return kept, _first_kept(page[:1], 0, log)


def may_have_ended(entries: Sequence[Entry], log: ConversationLog) -> bool:
    """Whether entries end in the conversation of these, by its kind's rule or its own; one of them at least."""
    return log.may_end(entries[0].conversation_id) or any(entry.keep_seq is not None for entry in entries)


def settle_end_before(place: Place, *, has_own_rule: bool, stores: ChatStores, now: int) -> None:
    """An entry is stored there: the one before it is the last no more, and its row may go some days after it has ended.

    Two calls, of conversations whose entries end; else none. `has_own_rule`: the entry says so. Its files are looked
    at once it has gone. Repeating does no harm: what died in between is done again, since the files come first. A row
    goes a day after this at the earliest, however old what it has is: somebody may have seen it a moment ago.
    """
    conversation_id, seq = place
    if seq <= FIRST or not (has_own_rule or stores.log.may_end(conversation_id)):
        return
    before = conversation_id, seq - 1
    ending = stores.log.ending(*before)
    if ending is None:
        return
    goes_at = None if ending.is_held else max(ending.at, now) + ROW_KEPT_MS
    for file_id in ending.entry.file_ids:
        stores.files.note_end(file_id, before, at=goes_at)
    stores.log.settle_end(*before, at=ending.at, goes_at=goes_at)
