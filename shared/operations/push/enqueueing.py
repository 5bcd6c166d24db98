"""What is done for each stored entry: shards for a large group, and pushes for members without a connection.

Doing it twice is harmless: a push is claimed before it is sent, and clients tell a repeated post by its seq. So a batch
is looked at as a whole, and where that fails each of its conversations on its own: none takes another with it.
The delivery check (`checks`) posts again and pushes what was not acknowledged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from shared.domain.connections import live
from shared.domain.fan_out import Shard, StoredEntry
from shared.domain.notifications import About, AboutMessage, AboutNotification, DeliveryCheck, Digest
from shared.domain.pushes import PushJob
from shared.domain.rules import Audience
from shared.domain.text import is_channel_id, is_group_id, is_mentioned
from shared.operations.audiences import roster_behind
from shared.operations.context import Context
from shared.operations.delivery import broadcast, report
from shared.operations.packs import claim_packs
from shared.operations.push.checks import PendingChecks, due_messages, schedule_checks, unsettled
from shared.operations.push.quiet_groups import attended, digest_targets, is_quiet_group, schedule_digest
from shared.operations.push.withdrawing import enqueue_withdrawals, withdrawn_by
from shared.ports.services import Event, PushServices
from shared.ports.stores import PushStores, Stores

# Delivery checks that find something to do and are carried out in one invocation.
_AT_ONCE: Final = 10


def enqueue_stored(
    entries: Sequence[StoredEntry],
    *,
    pending: PendingChecks | None = None,
    stores: PushStores,
    services: PushServices,
    context: Context,
) -> Mapping[str, Exception]:
    """Queue what each entry of a batch needs. Returns the conversations that have to come again, with what failed.

    Of a message, members without a live connection are pushed to, and the others' delivery is checked later, where no
    check is `pending` that covers it. In a quiet group, one of very many members, only who is mentioned is pushed to at
    once, and the others by a digest. In a channel those who are mentioned are, and no others. One query for each group
    whose roster is not known, one eventually consistent read for the sessions of each 100 members, or one query for a
    large group's attendees, and one for the devices of each 100 who are absent.
    """
    pending = PendingChecks() if pending is None else pending
    try:
        _enqueue(entries, pending, stores=stores, services=services, context=context)
    except Exception as error:  # noqa: BLE001  # whatever it is, it must not hold up other conversations
        apart: dict[str, list[StoredEntry]] = {}
        for entry in entries:
            apart.setdefault(entry.conversation_id, []).append(entry)
        if len(apart) == 1:
            return dict.fromkeys(apart, error)
        failed: dict[str, Exception] = {}
        for some in apart.values():
            failed |= enqueue_stored(some, pending=pending, stores=stores, services=services, context=context)
        return failed
    return {}


def _enqueue(
    entries: Sequence[StoredEntry],
    pending: PendingChecks,
    *,
    stores: PushStores,
    services: PushServices,
    context: Context,
) -> None:
    now = context.now()
    audiences = _audiences(entries, stores, context)
    channels = [one for one in entries if is_channel_id(one.conversation_id)]
    posted = [one for one in entries if one.is_message and (not one.fan_out or one in channels)]
    others = {one: _told(one, audiences[one.conversation_id]) for one in posted}
    wanted = {user for users in others.values() for user in users}
    # From any copy: of who has just gone and seems to be there, a delivery check waits, and finds it out.
    known = stores.sessions.of(wanted, consistent=False) if wanted else {}
    present = {user for user, connections in known.items() if live(connections, now)}
    absent = {one: [user for user in users if user not in present] for one, users in others.items()}
    there = {_about(one): [user for user in users if user in present] for one, users in others.items()}
    # What is told later is covered by no check of what came before it.
    alone = {about: there.pop(about) for about in map(_about, channels) if about in there}
    shards: list[Shard] = []
    for entry in entries:
        if entry.fan_out and entry not in channels:
            found = attended(entry, audiences[entry.conversation_id], stores=stores, context=context)
            shards += found.shards
            absent[entry] = found.absent
    quiet = [one for one in entries if is_quiet_group(audiences[one.conversation_id], context)]
    woken = {
        _about(one): [user for user in users if one not in quiet or is_mentioned(user, one.mentions)]
        for one, users in absent.items()
        if one.is_message
    }
    enqueue_pushes(woken, stores=stores, services=services, context=context)
    schedule_checks(there, pending=pending, quiet=set(map(_about, quiet)), services=services, context=context)
    schedule_checks(alone, quiet=alone, services=services, context=context)
    if shards:
        services.shard_queue.put(shards)
    claim_packs((one for one in channels if one.fan_out), stores=stores, services=services, context=context)
    for entry in quiet:
        if entry.is_message:
            schedule_digest(entry, stores=stores, services=services, context=context)
    if context.limits.withdrawals:
        deleted = {one: audiences[one.conversation_id] for one in entries if one.deletes is not None}
        settled = withdrawn_by(deleted, stores)
        for error in enqueue_withdrawals(settled, stores=stores, services=services, context=context).values():
            raise error


def _told(entry: StoredEntry, audience: Audience) -> list[str]:
    """Who is looked after one by one: everyone in the conversation, and in a channel who is mentioned."""
    users = entry.mentions if is_channel_id(entry.conversation_id) else audience.members
    return [user for user in dict.fromkeys(users) if user != entry.sender_id]


def _about(entry: StoredEntry) -> About:
    return AboutMessage(entry.conversation_id, entry.seq)


def enqueue_pushes(
    absent: Mapping[About, Sequence[str]], *, stores: Stores, services: PushServices, context: Context
) -> None:
    """Have these users' devices pushed to, and looked at later for a mail where that is set up. Raises Unavailable."""
    users = {user for users in absent.values() for user in users}
    if not users:
        return
    devices = stores.devices.of(users)
    platforms = {user: sorted({device.target.platform for device in found}) for user, found in devices.items()}
    jobs = [
        PushJob(platform, user, about, since=context.now())
        for about, users in absent.items()
        for user in users
        for platform in platforms.get(user, ())
    ]
    if jobs:
        services.push_queue.put(jobs)
    if context.limits.mail is not None:
        from shared.operations.push.mails import schedule_looks  # noqa: PLC0415  # others don't pay for it

        written = {user for about, users in absent.items() if isinstance(about, AboutMessage) for user in users}
        schedule_looks(written, stores=stores, services=services, context=context)


def _audiences(entries: Sequence[StoredEntry], stores: Stores, context: Context) -> dict[str, Audience]:
    """Who is in each conversation, as of its latest entry here or later. Who joined since gets it by their sync."""
    latest = {entry.conversation_id: entry for entry in entries}
    found: dict[str, Audience] = {}
    for conversation_id, entry in latest.items():
        audience = Audience.of_private(conversation_id)
        if is_group_id(conversation_id):
            audience = roster_behind(entry, listed=entry.fan_out, stores=stores, context=context)
        found[conversation_id] = audience or Audience({})
    return found


def check_deliveries(
    looks: Sequence[DeliveryCheck], *, stores: Stores, services: PushServices, context: Context
) -> Mapping[DeliveryCheck, Exception]:
    """Post again what was not acknowledged, and push it. Returns the checks that have to come again, with what failed.

    Where all have everything, that is found out for all checks together. So many may come at once; of those that find
    something `_AT_ONCE` are carried out, and any others go back to the queue.
    """
    try:
        lacking = unsettled(looks, stores=stores)
        due = [look for look in looks if look in lacking or isinstance(look.about, AboutNotification)]
        if len(due) > _AT_ONCE:
            services.delivery_checks.put(due[_AT_ONCE:], delay_s=0)
    except Exception as error:  # noqa: BLE001  # whatever it is, it must not hold up the others
        if len(looks) == 1:
            return {looks[0]: error}
        whole: dict[DeliveryCheck, Exception] = {}
        for look in looks:
            whole |= check_deliveries([look], stores=stores, services=services, context=context)
        return whole
    failed: dict[DeliveryCheck, Exception] = {}
    for look in due[:_AT_ONCE]:
        try:
            _check_delivery(look, lacking.get(look, 0), stores=stores, services=services, context=context)
        except Exception as error:  # noqa: BLE001  # as above
            failed[look] = error
    return failed


def _check_delivery(look: DeliveryCheck, got: int, *, stores: Stores, services: PushServices, context: Context) -> None:
    """Of one check. Pushes first: should the posts take all the time, a repetition would post again, and push once."""
    match look.about:
        case AboutMessage(conversation_id=conversation_id):
            due = due_messages(look, look.about, got, stores=stores, context=context)
            woken: dict[About, Sequence[str]] = {
                AboutMessage(conversation_id, entry.seq): [
                    user for user in waiting if is_mentioned(user, entry.mentions, here=True) or not look.quiet
                ]
                for entry, waiting in due.messages
            }
            enqueue_pushes(woken, stores=stores, services=services, context=context)
            if due.further is not None:
                services.delivery_checks.put([due.further], delay_s=due.delay_s)
            for entry, waiting in due.messages:
                _post_again(entry, waiting, stores=stores, services=services, context=context)
        case AboutNotification(notification_id=notification_id):
            kept = stores.notifications.among([(user, notification_id) for user in look.users], now=context.now())
            if not kept:
                return
            waiting = [user for user, _ in kept]
            notification = next(iter(kept.values()))
            enqueue_pushes({look.about: waiting}, stores=stores, services=services, context=context)
            _post_again(notification, waiting, stores=stores, services=services, context=context)


def _post_again(
    event: Event, users: Sequence[str], *, stores: Stores, services: PushServices, context: Context
) -> None:
    delivered = broadcast(event, to=users, skip="", stores=stores, services=services, now=context.now())
    report(delivered, services=services)


def send_digest(digest: Digest, *, stores: Stores, services: PushServices, context: Context) -> None:
    """Push a large group's latest message to those who are away, as any other is pushed. Raises Unavailable.

    By the same claims: a device that was pushed to about it already is left alone.
    """
    found = digest_targets(digest, stores=stores, context=context)
    if found is not None:
        about, users = found
        enqueue_pushes({about: users}, stores=stores, services=services, context=context)
