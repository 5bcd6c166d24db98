"""What is done for each stored entry: shards for a large group, and pushes for members without a connection.

Doing it twice is harmless: a push is claimed before it is sent, and clients tell a repeated post by its seq. So a batch
is looked at as a whole, and where that fails each of its conversations on its own: none takes another with it.
The delivery check, some seconds after a post, posts again and pushes what was not acknowledged.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from shared.domain.connections import live
from shared.domain.fan_out import StoredEntry, shards
from shared.domain.members import seen_number
from shared.domain.notifications import About, AboutMessage, AboutNotification, DeliveryCheck
from shared.domain.pushes import PushJob
from shared.domain.text import is_group_id, private_members
from shared.operations.audiences import roster_behind
from shared.operations.context import Context
from shared.operations.delivery import broadcast, report
from shared.ports.services import Event, NotifyingServices, PushServices
from shared.ports.stores import Stores


def enqueue_stored(
    entries: Sequence[StoredEntry], *, stores: Stores, services: PushServices, context: Context
) -> Mapping[str, Exception]:
    """Queue what each entry of a batch needs. Returns the conversations that have to come again, with what failed.

    Of a message, members without a live connection are pushed to, and the others' delivery is checked later. One query
    for each group whose roster is not known, one strongly consistent read for the sessions of each 100 members, and one
    for the devices of each 100 who are absent; nothing is written.
    """
    try:
        _enqueue(entries, stores=stores, services=services, context=context)
    except Exception as error:  # noqa: BLE001  # whatever it is, it must not hold up other conversations
        apart: dict[str, list[StoredEntry]] = {}
        for entry in entries:
            apart.setdefault(entry.conversation_id, []).append(entry)
        if len(apart) == 1:
            return dict.fromkeys(apart, error)
        failed: dict[str, Exception] = {}
        for some in apart.values():
            failed |= enqueue_stored(some, stores=stores, services=services, context=context)
        return failed
    return {}


def _enqueue(entries: Sequence[StoredEntry], *, stores: Stores, services: PushServices, context: Context) -> None:
    now = context.now()
    members_of = _members(entries, stores, context)
    others: dict[About, list[str]] = {
        AboutMessage(one.conversation_id, one.seq): [
            user for user in members_of[one.conversation_id] if user != one.sender_id
        ]
        for one in entries
        if one.is_message and not one.fan_out
    }
    wanted = {user for users in others.values() for user in users}
    known = stores.sessions.of(wanted) if wanted else {}
    present = {user for user, connections in known.items() if live(connections, now)}
    absent = {about: [user for user in users if user not in present] for about, users in others.items()}
    enqueue_pushes(absent, stores=stores, services=services, now=now)
    there = {about: [user for user in users if user in present] for about, users in others.items()}
    schedule_checks(there, services=services, context=context)
    found = [
        shard
        for entry in entries
        if entry.fan_out
        for shard in shards(entry.conversation_id, entry.seq, members_of[entry.conversation_id], queued_at=now)
    ]
    if found:
        services.shard_queue.put(found)


def enqueue_pushes(absent: Mapping[About, Sequence[str]], *, stores: Stores, services: PushServices, now: int) -> None:
    """Have these users' devices pushed to. Raises Unavailable."""
    users = {user for users in absent.values() for user in users}
    if not users:
        return
    devices = stores.devices.of(users)
    platforms = {user: sorted({device.target.platform for device in found}) for user, found in devices.items()}
    jobs = [
        PushJob(platform, user, about, since=now)
        for about, users in absent.items()
        for user in users
        for platform in platforms.get(user, ())
    ]
    if jobs:
        services.push_queue.put(jobs)


def schedule_checks(present: Mapping[About, Collection[str]], *, services: NotifyingServices, context: Context) -> None:
    """Have these users' delivery checked later. Raises Unavailable."""
    checks = [DeliveryCheck(about, tuple(users)) for about, users in present.items() if users]
    if checks:
        services.delivery_checks.put(checks, delay_s=context.limits.delivery_check_s)


def _members(entries: Sequence[StoredEntry], stores: Stores, context: Context) -> dict[str, tuple[str, ...]]:
    """Who is in each conversation, as of its latest entry here or later. Who joined since gets it by their sync."""
    latest = {entry.conversation_id: entry for entry in entries}
    found: dict[str, tuple[str, ...]] = {}
    for conversation_id, entry in latest.items():
        found[conversation_id] = private_members(conversation_id) or ()
        if is_group_id(conversation_id):
            audience = roster_behind(entry, stores=stores, context=context)
            found[conversation_id] = audience.members if audience else ()
    return found


def check_delivery(look: DeliveryCheck, *, stores: Stores, services: PushServices, context: Context) -> None:
    """Post again to those who have not got it, and push to them. Who has written since has read it.

    One read where all have it (memberships or notifications, 100 to a round trip), five where not. Raises Unavailable.
    """
    match look.about:
        case AboutMessage(conversation_id=conversation_id, seq=seq):
            members = stores.memberships.among(conversation_id, look.users)
            waiting = [user for user in look.users if user in members and members[user].has_got < seq]
            if not waiting:
                return
            entry = stores.log.fetch([(conversation_id, seq)]).get((conversation_id, seq))
            if entry is None or not entry.is_readable:
                return  # deleted meanwhile: it is not to be told any more
            head = next(iter(stores.log.read_back(conversation_id, limit=1)), entry)
            waiting = [user for user in waiting if seen_number(members[user], head) < entry.number]
            if not waiting:
                return
            _tell(entry, waiting, look.about, stores=stores, services=services, context=context)
        case AboutNotification(notification_id=notification_id):
            kept = stores.notifications.among([(user, notification_id) for user in look.users], now=context.now())
            if not kept:
                return
            waiting = [user for user, _ in kept]
            notification = next(iter(kept.values()))
            _tell(notification, waiting, look.about, stores=stores, services=services, context=context)


def _tell(
    event: Event, waiting: Sequence[str], about: About, *, stores: Stores, services: PushServices, context: Context
) -> None:
    """Pushes first: should the posts take the rest of the time, a repetition would post again, and push once."""
    enqueue_pushes({about: waiting}, stores=stores, services=services, now=context.now())
    delivered = broadcast(event, to=waiting, skip="", stores=stores, services=services, now=context.now())
    report(delivered, services=services)
