"""Broadcasts: everybody is told, page by page, by jobs that leave messages their room (docs/adr/0046-broadcasts.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from shared.domain.broadcasts import (
    CANCELLED,
    LANES,
    PAUSED,
    RUNNING,
    Broadcast,
    BroadcastJob,
    BroadcastPosition,
    fresh_segments,
)
from shared.errors import BadRequest, Conflict, NotFound
from shared.operations.context import Context
from shared.operations.notifications import NOTIFICATION_ID_RULE, check_text, is_notification_id
from shared.ports.services import BroadcastServices
from shared.ports.stores import Stores

# So many may be running or paused at once.
MAX_AT_ONCE: Final = 4


@dataclass(frozen=True, slots=True)
class BroadcastRequest:
    """What everybody is to be told. With an id the request can be repeated."""

    title: str
    body: str = ""
    data: Mapping[str, str] = field(default_factory=dict)
    is_stored: bool = False
    broadcast_id: str | None = None


def start_broadcast(
    asked: BroadcastRequest, *, by: str, stores: Stores, services: BroadcastServices, context: Context
) -> Broadcast:
    """Begin to tell everybody. A repetition returns the one that there is, and has it go on where its jobs are lost.

    Raises BadRequest and TooLarge; Conflict where the id is another's, or where MAX_AT_ONCE others are not at their
    end; Unavailable where it should be repeated.
    """
    check_text(asked.title, asked.body, asked.data)
    if asked.broadcast_id is not None and not is_notification_id(asked.broadcast_id):
        raise BadRequest(f"`broadcast_id` is {NOTIFICATION_ID_RULE}")
    now = context.now()
    new = Broadcast(
        context.new_nonce() if asked.broadcast_id is None else asked.broadcast_id,
        asked.title,
        asked.body,
        asked.is_stored,
        by,
        now,
        now,
        fresh_segments(is_stored=asked.is_stored),
        dict(asked.data),
    )
    found = stores.broadcasts.start(new, limit=MAX_AT_ONCE)
    if found is None:
        raise Conflict(f"{MAX_AT_ONCE} broadcasts are running or paused: wait for one, or cancel it")
    if not found.says_as(new):
        raise Conflict("There is another broadcast with this id")
    queue_jobs(found, range(LANES), services=services, context=context)
    return found


def broadcast_of(broadcast_id: str, *, stores: Stores) -> Broadcast:
    """Raises NotFound."""
    return _there(stores.broadcasts.get(broadcast_id))


def broadcasts_before(
    before: BroadcastPosition | None, *, limit: int, stores: Stores
) -> tuple[Sequence[Broadcast], BroadcastPosition | None]:
    """A page of the list, the newest first, and where the next one begins."""
    found = stores.broadcasts.of(before=before, limit=limit + 1)
    page = found[:limit]
    more = len(found) > limit
    return page, BroadcastPosition(page[-1].created_at, page[-1].broadcast_id) if more else None


def pause_broadcast(broadcast_id: str, *, stores: Stores, context: Context) -> Broadcast:
    """Begin no page any more; one that is under way ends. Raises NotFound, and Conflict where it is at its end."""
    return _halted(stores.broadcasts.halt(broadcast_id, PAUSED, now=context.now()), PAUSED)


def cancel_broadcast(broadcast_id: str, *, stores: Stores, context: Context) -> Broadcast:
    """The same for good. Raises NotFound, and Conflict where it is done."""
    return _halted(stores.broadcasts.halt(broadcast_id, CANCELLED, now=context.now()), CANCELLED)


def resume_broadcast(broadcast_id: str, *, stores: Stores, services: BroadcastServices, context: Context) -> Broadcast:
    """Go on where it stopped; also one that runs, whose jobs may be lost. Raises NotFound, Conflict, Unavailable."""
    found = _halted(stores.broadcasts.halt(broadcast_id, "", now=context.now()), RUNNING)
    queue_jobs(found, range(LANES), services=services, context=context)
    return found


def queue_jobs(broadcast: Broadcast, lanes: Iterable[int], *, services: BroadcastServices, context: Context) -> None:
    """Jobs for what these lanes go on with, if it goes on."""
    if broadcast.state != RUNNING:
        return
    places = [place for lane in lanes if (place := broadcast.next_of(lane)) is not None]
    if places:
        services.broadcast_queue.put(
            [
                BroadcastJob(broadcast.broadcast_id, place, broadcast.segments[place].step, context.new_nonce())
                for place in places
            ]
        )


def _there(found: Broadcast | None) -> Broadcast:
    if found is None:
        raise NotFound("There is no such broadcast")
    return found


def _halted(found: Broadcast | None, wanted: str) -> Broadcast:
    broadcast = _there(found)
    if broadcast.state != wanted:
        raise Conflict(f"This broadcast is {broadcast.state}")
    return broadcast
