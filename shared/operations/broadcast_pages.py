"""The jobs of broadcasts: each does a page, counts it, and queues the next (docs/adr/0046-broadcasts.md)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from shared.domain.broadcasts import CONNECTED, KNOWN, LANES, RUNNING, SEGMENTS, Broadcast, BroadcastJob, Found, Segment
from shared.domain.connections import live
from shared.operations.broadcasts import queue_jobs
from shared.operations.context import Context
from shared.operations.fan_out import post_paced
from shared.operations.notifications import KEPT_MS
from shared.ports.services import PushServices
from shared.ports.stores import Stores

# Rows of one page, and pages of one job: what a table holds of other things is passed over in bounded portions, too.
_ROWS: Final = 500
_PAGES: Final = 10


def carry_on(job: BroadcastJob, *, stores: Stores, services: PushServices, context: Context) -> None:
    """Do the page that the job is about, and queue the next. Raises Unavailable: it may come again.

    What comes again after its page was noted does nothing, but where it may have died before it queued what follows.
    """
    found = stores.broadcasts.get(job.broadcast_id)
    if found is None or found.state != RUNNING or job.segment >= len(found.segments):
        return
    segment = found.segments[job.segment]
    if segment.step == job.step:
        becomes = _page_done(found, job, stores=stores, services=services, context=context)
        after = stores.broadcasts.advance(found.broadcast_id, job.segment, becomes, now=context.now())
    else:
        after = found if segment.by == job.nonce else None
    if after is not None:
        queue_jobs(after, [job.segment % LANES], services=services, context=context)


def _page_done(
    broadcast: Broadcast, job: BroadcastJob, *, stores: Stores, services: PushServices, context: Context
) -> Segment:
    """The segment with one page more, of as many users as a second's posts are for."""
    segment, now = broadcast.segments[job.segment], context.now()
    is_online = job.segment < SEGMENTS
    weight = _weighing(now, is_stored=broadcast.is_stored)
    users, after = _next_users(job.segment, segment, weight, stores=stores, most=max(1, context.limits.fan_out_rate))
    stored = 0
    if broadcast.is_stored:
        ids, among = [user.user_id for user in users], CONNECTED if is_online else KNOWN
        stored = stores.broadcasts.store(broadcast, ids, among=among, kept_ms=KEPT_MS)
    connections = [connection for user in users for connection in live(user.connections, now)]
    event = broadcast.told(kept_ms=KEPT_MS)
    delivered = post_paced(event, connections, attending=None, stores=stores, services=services, context=context)
    return replace(
        segment,
        step=segment.step + 1,
        is_done=after is None,
        by=job.nonce,
        after=after or (),
        posted=segment.posted + sum(one.reached for one in delivered),
        failed=segment.failed + sum(one.failed for one in delivered),
        stored=segment.stored + stored,
    )


def _weighing(now: int, *, is_stored: bool) -> Callable[[Found], int]:
    """What a user costs of a page: posts, or the one write where that is more."""
    return lambda user: max(len(live(user.connections, now)), int(is_stored))


def _next_users(
    number: int, segment: Segment, weight: Callable[[Found], int], *, stores: Stores, most: int
) -> tuple[list[Found], tuple[str, ...] | None]:
    """Users who cost `most` together, or as many as ten pages have; and where it goes on, None at the end."""
    read = stores.broadcasts.connected if number < SEGMENTS else stores.broadcasts.known
    taken: list[Found] = []
    after, cost = segment.after, 0
    for _ in range(_PAGES):
        page = read(number % SEGMENTS, after=after, limit=_ROWS)
        for user in page.users:
            if cost >= most:
                return taken, after
            taken.append(user)
            after, cost = user.key, cost + weight(user)
        if page.after is None:
            return taken, None
        after = page.after
        if cost >= most:
            break
    return taken, after
