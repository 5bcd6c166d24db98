"""Telling a channel: its next pack is claimed, made when it is due, and posted in portions. Nothing else posts there.

An entry's claim is good for all that is stored until the pack is made, since that takes the claim first and reads the
log second: whoever finds it taken is stored later, and claims the next one. So no clock decides, and the last entry is
always in a pack. What dies comes again: the stream's record, whose claim is known by its entry; the due pack, which is
made again as long as there is no later claim; and the portion. Posting twice is harmless: clients go by `seq`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from shared.clock import SECOND_MS
from shared.domain.channels import PARTS
from shared.domain.fan_out import StoredEntry
from shared.domain.packs import MIN_WINDOW_MS, DuePack, Portion, sync_within_ms, window_ms
from shared.operations.context import Context
from shared.ports.services import PushServices
from shared.ports.stores import PushStores

# The longest that a queue can wait.
_LONGEST_DELAY_S: Final = 900
# Where a large part begins: what ids of connections begin with, in the order of keys.
_STARTS: Final = "+059AEIMQUYaeimquyz"


def claim_packs(
    entries: Iterable[StoredEntry], *, stores: PushStores, services: PushServices, context: Context
) -> None:
    """Have the next pack of these entries' channels made: one write for each channel. Raises Unavailable."""
    seqs: dict[str, list[int]] = {}
    for entry in entries:
        seqs.setdefault(entry.conversation_id, []).append(entry.seq)
    for conversation_id, stored in seqs.items():
        claimed = stores.packs.claim(conversation_id, stored, now=context.now())
        if claimed is not None:
            _queue(DuePack(conversation_id, claimed.seq), claimed.due_at, services, context)


def _queue(due: DuePack, due_at: int, services: PushServices, context: Context) -> None:
    delay_s = min(_LONGEST_DELAY_S, max(0, -((context.now() - due_at) // SECOND_MS)))
    services.delivery_checks.put([due], delay_s=delay_s)


def make_pack(due: DuePack, *, stores: PushStores, services: PushServices, context: Context) -> None:
    """Queue the portions of a pack that is due; nothing where there is a later claim, or nothing to tell.

    One that comes too early waits on. The connections are counted once the log is read, strongly: who is not there by
    then has yet to sync. Two writes, a query of the log, and a count for each part. Raises Unavailable.
    """
    conversation_id, now = due.conversation_id, context.now()
    taken = stores.packs.take(conversation_id, due.seq, now=now, next_at=now + MIN_WINDOW_MS)
    if taken is None:
        return
    if taken.due_at is not None:
        _queue(due, taken.due_at, services, context)
        return
    tail = stores.log.read_back(conversation_id, limit=1)
    if not tail or tail[0].seq <= taken.posted:
        return
    last = tail[0].seq
    counts = list(services.parallel_map(lambda part: stores.attendance.count(conversation_id, part), range(PARTS)))
    present, limits = sum(counts), context.limits
    window = window_ms(present, rate=limits.channel_rate)
    within = sync_within_ms(present, window=window, rate=limits.sync_rate)
    portions = [
        Portion(conversation_id, taken.posted, last, part, within, now, start, start)
        for part, count in enumerate(counts)
        if count
        for start in [_start(count, context)]
    ]
    if portions:
        services.shard_queue.put(portions)
    stores.packs.note_posted(conversation_id, last, next_at=now + window)


def _start(count: int, context: Context) -> str:
    is_one = count <= context.limits.fan_out_rate
    return "" if is_one else _STARTS[context.jitter(len(_STARTS) - 1)]
