"""A channel's portions: each reads a stretch of one part's connections, and posts the pack to those of members."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from shared.domain.connections import Connection, live
from shared.domain.packs import MAX_ENTRIES, Portion, event_of
from shared.operations.context import Context
from shared.operations.fan_out import STALE_MS, is_opened_since, post_paced
from shared.ports.services import PushServices
from shared.ports.stores import PushStores, Stores


def deliver_portion(portion: Portion, *, stores: PushStores, services: PushServices, context: Context) -> None:
    """Post the pack to a second's worth of a part's connections, and queue the others as a portion of their own.

    Who is no member is passed over, whatever rows there are. Nothing is posted where a later pack was made meanwhile.
    Two queries, a read for each 100 users, and one where the portion is not fresh. Raises Unavailable.
    """
    conversation_id, now, most = portion.conversation_id, context.now(), max(1, context.limits.fan_out_rate)
    is_fresh = portion.after == portion.start and now - portion.queued_at < STALE_MS
    if not is_fresh and stores.packs.posted(conversation_id) > portion.last:
        services.observer.count("PortionsSuperseded")
        return
    rows = stores.attendance.in_part(conversation_id, portion.part, after=portion.after, limit=most)
    mine = [one for one in rows if not portion.is_around or one.connection_id <= portion.start]
    waiting = [one for one in live(mine, now) if not is_opened_since(one, portion.queued_at)]
    targets = _of_members(conversation_id, waiting, stores)
    found = stores.log.read_back(conversation_id, before=portion.last + 1, limit=MAX_ENTRIES) if targets else []
    if found:
        event = event_of(
            found,
            posted=portion.posted,
            sync_within_ms=portion.sync_within_ms,
            size=lambda one: len(services.encode(one)),
        )
        post_paced(event, targets, attending=conversation_id, stores=stores, services=services, context=context)
    rest = _rest(portion, rows, most=most)
    if rest is not None:
        services.shard_queue.put([rest])


def _of_members(conversation_id: str, connections: Sequence[Connection], stores: Stores) -> list[Connection]:
    """Those whose users are members. Most are found in any copy; of the others it is read what is so now."""
    users = {one.user_id for one in connections}
    members = _among(conversation_id, users, stores, consistent=False)
    if missing := users - members.keys():
        members = {**members, **_among(conversation_id, missing, stores, consistent=True)}
    return [one for one in connections if one.user_id in members]


def _among(conversation_id: str, users: Collection[str], stores: Stores, *, consistent: bool) -> Mapping[str, object]:
    return stores.memberships.among(conversation_id, users, consistent=consistent) if users else {}


def _rest(portion: Portion, rows: Sequence[Connection], *, most: int) -> Portion | None:
    """What follows the rows that were read; None at the end."""
    is_full = len(rows) == most
    if portion.is_around and (not is_full or rows[-1].connection_id > portion.start):
        return None
    if is_full:
        return replace(portion, after=rows[-1].connection_id)
    return replace(portion, after="", is_around=True) if portion.start else None
