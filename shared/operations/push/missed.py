"""Who missed a push because the push function was down: told by cursors and claims, since the stream has forgotten.

Records leave the log's stream after 24 hours. What is left says as much: a message that its reader has neither got nor
been pushed. It is pushed as if it had just been stored, by the same queues and under the same claims, so one that is
found twice, or is on its way by itself, is pushed once (docs/adr/0030-missed-pushes.md).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from shared.clock import DAY_MS
from shared.domain.connections import live
from shared.domain.entries import Entry
from shared.domain.members import Member, seen_number
from shared.domain.notifications import About, AboutMessage, AboutNotification
from shared.domain.pushes import PushContext, Standing, SweepPart
from shared.operations.context import Context
from shared.operations.push.checks import schedule_checks
from shared.operations.push.enqueueing import enqueue_pushes
from shared.operations.push.planning import is_quiet, wants_message
from shared.operations.push.sending import MAX_AGE_MS
from shared.ports.services import PushServices
from shared.ports.stores import PushStores

# A weekend, and some. Claims are kept for 30 days: what is older could be pushed a second time.
WINDOW_MS: Final = 3 * DAY_MS
MAX_WINDOW_MS: Final = 14 * DAY_MS
MISSED: Final = "MissedPushes"

# One part: rows of a page, pages, and users after which no further page is begun.
_ROWS: Final = 1_000
_PAGES: Final = 10
_USERS: Final = 50
# Latest entries of a conversation that are looked through: about what a read unit holds.
_TAIL: Final = 10


@dataclass(frozen=True, slots=True)
class Found:
    """What was missed in one part, by whom; how many users were looked at; where to go on (None: nowhere)."""

    missed: Mapping[About, Sequence[str]]
    users: int
    next: SweepPart | None


def scheduled_sweep(now: int) -> SweepPart:
    """What the schedule asks for: what is younger is still on its way by itself, for as long as pushes are tried."""
    return SweepPart(now - WINDOW_MS, now - MAX_AGE_MS)


def sweep_missed(part: SweepPart, *, stores: PushStores, services: PushServices, context: Context) -> Found:
    """Have what was missed pushed, and the next part looked at. Raises Unavailable: the whole part may come again."""
    found = find_missed(part, stores=stores, services=services, now=context.now())
    queue_missed(found.missed, stores=stores, services=services, context=context)
    if found.next is not None:
        services.sweep_queue.put(found.next)
    return found


def find_missed(part: SweepPart, *, stores: PushStores, services: PushServices, now: int) -> Found:
    """Look at the next users with devices. Nothing is changed.

    Up to ten pages of a thousand rows, eventually consistent; for each user found there one query, and one of the tail
    of each of their conversations that is not muted.
    """
    part = replace(part, since=max(part.since, now - MAX_WINDOW_MS))
    users: list[str] = []
    after = part.after
    for _ in range(_PAGES):
        some, after = stores.standings.with_devices(after, limit=_ROWS)
        users += some
        if after is None or len(users) >= _USERS:
            break
    missed: dict[About, list[str]] = {}
    standings = list(services.parallel_map(lambda user: stores.standings.of(user, now=now), users))
    for standing, about in _missed_messages(standings, part, stores, services, now):
        missed.setdefault(about, []).append(standing.user_id)
    for standing in standings:
        for notice in _missed_notifications(standing, part, now):
            missed.setdefault(notice, []).append(standing.user_id)
    return Found(missed, len(users), None if after is None else replace(part, after=after))


def queue_missed(
    missed: Mapping[About, Collection[str]], *, stores: PushStores, services: PushServices, context: Context
) -> None:
    """Have the devices of these users pushed to; of who is connected, the delivery is checked first. As when stored."""
    wanted = {user for users in missed.values() for user in users}
    if not wanted:
        return
    now = context.now()
    known = stores.sessions.of(wanted)
    present = {user for user, connections in known.items() if live(connections, now)}
    absent = {about: [user for user in users if user not in present] for about, users in missed.items()}
    there = {about: [user for user in users if user in present] for about, users in missed.items()}
    enqueue_pushes(absent, stores=stores, services=services, context=context)
    schedule_checks(there, services=services, context=context)
    services.observer.count(MISSED, sum(map(len, missed.values())))


def _missed_messages(
    standings: Sequence[Standing], part: SweepPart, stores: PushStores, services: PushServices, now: int
) -> list[tuple[Standing, AboutMessage]]:
    asked = [
        (standing, member)
        for standing in standings
        for member in standing.members
        if standing.devices and not member.is_silent(now)
    ]
    places = sorted({member.conversation_id for _, member in asked})
    tails = dict(
        zip(places, services.parallel_map(lambda place: stores.log.read_back(place, limit=_TAIL), places), strict=True)
    )
    found = (
        (standing, _missed_message(standing, member, tails[member.conversation_id], part, now))
        for standing, member in asked
    )
    return [(standing, about) for standing, about in found if about is not None]


def _missed_message(
    standing: Standing, member: Member, tail: Sequence[Entry], part: SweepPart, now: int
) -> AboutMessage | None:
    """The latest message that should have been pushed: wanted when it came, and now. It stands for those before it."""
    for entry in tail:
        pushed = min(standing.pushed[device.device_id, member.conversation_id] for device in standing.devices)
        if entry.created_at < part.since or entry.seq <= pushed or entry.number <= seen_number(member, tail[0]):
            return None
        if not entry.is_message or entry.created_at > part.until:
            continue
        push_context = PushContext(member, standing.profile, entry.sender_id in standing.blocked, standing.devices)
        if all(wants_message(entry, standing.user_id, push_context, now=when) for when in (entry.created_at, now)):
            return AboutMessage(entry.conversation_id, entry.seq)
    return None


def _missed_notifications(standing: Standing, part: SweepPart, now: int) -> list[AboutNotification]:
    if is_quiet(standing.profile, now):
        return []
    return [
        AboutNotification(one.notification_id)
        for one in standing.notifications
        if part.since <= one.created_at <= part.until
        and not is_quiet(standing.profile, one.created_at)
        and any((device.device_id, one.notification_id) not in standing.told for device in standing.devices)
    ]
