"""Taking away everything that a user has written: a job that walks through the log, a page at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from shared.domain.entries import NOTHING_SAID
from shared.domain.jobs import DONE, Job
from shared.operations.context import Context
from shared.operations.editing import Removal, remove_message
from shared.operations.holding import held_places
from shared.ports.jobs import LOG
from shared.ports.services import PushServices
from shared.ports.stores import PushStores

# What one step takes away at most: some seconds' work.
MAX_REMOVED: Final = 50


def removal_step(job: Job, *, stores: PushStores, services: PushServices, context: Context) -> Job:
    """One page of the log, or as many of its messages as can be taken away in some seconds; then it is read again.

    Each goes by an entry of its own, as if a moderator had deleted it, so every client hears of it and no log gets a
    gap; a hidden one without, as it was nothing to anybody else. What is in conversations on legal hold stays, and is
    counted as `held`. Behind the last page those go that were held back, in which nobody looks any more. Repeated it
    finds what is gone already as such. Raises Unavailable.
    """
    page = stores.walks.page(LOG, job.user_id, after=job.after)
    on_hold_there = held_places(page, stores)
    removed, on_hold = 0, 0
    for one in page.found:
        entry = one.entry
        if entry is None or entry.sender_id != job.user_id:
            continue
        if entry.conversation_id in on_hold_there:
            on_hold += entry.is_readable
            continue
        is_hidden = entry.shadow not in {None, NOTHING_SAID}
        if not entry.is_readable and not is_hidden:
            continue
        if removed == MAX_REMOVED:
            return replace(job, counts=job.with_counts(messages=removed))
        if is_hidden:
            stores.log.empty_hidden(entry.conversation_id, entry.seq)
        else:
            removal = Removal(job.by, entry.conversation_id, entry.seq)
            remove_message(removal, stores=stores, services=services, context=context)
        removed += 1
    left = {"held": on_hold} if on_hold else {}
    if page.after is not None:
        return replace(job, after=page.after, counts=job.with_counts(rows=page.looked_at, messages=removed, **left))
    held = stores.held.drop_of(job.user_id, limit=MAX_REMOVED)
    if held == MAX_REMOVED:  # the last page is read again, and what it had is found as gone
        return replace(job, counts=job.with_counts(messages=removed + held))
    counts = job.with_counts(rows=page.looked_at, messages=removed + held, **left)
    return replace(job, status=DONE, after=None, counts=counts)
