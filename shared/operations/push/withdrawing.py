"""Taking off what devices show of what was read elsewhere, muted, left or deleted, and correcting the icon's number.

Whatever changes at a row that notes a push is looked at here (docs/adr/0058-withdrawn-pushes.md). What a device was
pushed last of a conversation is all that it shows of it. A withdrawal is a push without a word: it goes by the same
queues and gets the same tries, and is claimed before it is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from shared.domain.devices import Device
from shared.domain.fan_out import StoredEntry
from shared.domain.members import Member
from shared.domain.notifications import About, AboutMessage
from shared.domain.pushes import Push, PushContextKey, Pushed, PushJob, Settled, Wording
from shared.domain.rules import Audience
from shared.domain.text import is_channel_id
from shared.operations.context import Context
from shared.operations.push import wording as words
from shared.operations.push.planning import LIFETIME_MS, Planned, devices_of
from shared.ports.services import PresenceServices, PushServices
from shared.ports.stores import PushStores

# What is read is often read in several steps, and a push may be on its way to the provider.
DELAY_S: Final = 2


def enqueue_withdrawals(
    settled: Sequence[Settled], *, stores: PushStores, services: PushServices, context: Context
) -> Mapping[Settled, Exception]:
    """Queue what has to be taken off. Returns those that have to come again, with what failed.

    One read unit for the devices of each user, and one for each device: only where one shows what is over anything is
    queued. Where none shows anything else, that something was pushed is forgotten: one write unit.
    """
    try:
        _enqueue(settled, stores=stores, services=services, context=context)
    except Exception as error:  # noqa: BLE001  # whatever it is, it must not hold up the others
        if len(settled) == 1:
            return {settled[0]: error}
        failed: dict[Settled, Exception] = {}
        for one in settled:
            failed |= enqueue_withdrawals([one], stores=stores, services=services, context=context)
        return failed
    return {}


def _enqueue(settled: Sequence[Settled], *, stores: PushStores, services: PushServices, context: Context) -> None:
    if not settled:
        return
    devices = stores.devices.of({one.user_id for one in settled})
    places = {one: _shown_by(one.user_id, one.about, devices.get(one.user_id, ()), context) for one in settled}
    platforms = {
        (user, device.device_id): device.target.platform for user, found in devices.items() for device in found
    }
    shown = stores.shown.of({place for some in places.values() for place in some})
    jobs: dict[PushJob, None] = {}
    over: list[Settled] = []
    for one, asked in places.items():
        there = [it for it in shown if _asked(it.user_id, it.device_id, it.about) in asked]
        for it in there:
            if one.covers(it) and not it.tries:
                platform = platforms[it.user_id, it.device_id]
                jobs[PushJob(platform, one.user_id, it.about, since=context.now(), withdraws=True)] = None
        if one.mark is not None and all(one.covers(it) or it.tries for it in there):
            over.append(one)
    if jobs:
        services.push_queue.put(list(jobs), delay_s=DELAY_S)
    for one in over:
        stores.shown.forget(one)


def _asked(user_id: str, device_id: str, about: About) -> Pushed:
    """How it is asked for what a device shows of this: of a conversation for whichever message."""
    return Pushed(user_id, device_id, replace(about, seq=0) if isinstance(about, AboutMessage) else about, 0)


def _shown_by(user_id: str, about: About, devices: Iterable[Device], context: Context) -> list[Pushed]:
    """What is asked about these devices, without those that nothing is taken off from."""
    wanted = [device for device in devices if device.target.platform in context.limits.withdrawals]
    return [_asked(user_id, device.device_id, about) for device in wanted]


def withdrawn_by(deleted: Mapping[StoredEntry, Audience], stores: PushStores) -> list[Settled]:
    """What deleted messages end: for each member to whom something of the conversation was pushed.

    Of a channel nothing: whom its message mentioned its deletion does not say. One read unit for each member.
    """
    found = []
    for entry, audience in deleted.items():
        if entry.deletes is not None and not is_channel_id(entry.conversation_id):
            about = AboutMessage(entry.conversation_id, 0)
            users = stores.shown.noted(entry.conversation_id, audience.members)
            found += [Settled(user, about, deleted=entry.deletes) for user in users]
    return found


def plan_withdrawals(
    jobs: Sequence[PushJob], *, stores: PushStores, services: PresenceServices, now: int
) -> list[Planned]:
    """What these jobs come to now: of each device what it shows, if that is over. Raises Unavailable.

    One read of three items a job for what decides, one of what its devices were pushed, one of the messages that are
    not read, and the badge of each user.
    """
    if not jobs:
        return []
    keys = {job: PushContextKey(job.user_id, _conversation(job)) for job in jobs}
    around = stores.push_contexts.of(set(keys.values())).push_contexts
    asked = {
        _asked(job.user_id, device.device_id, job.about): (job, device)
        for job in jobs
        for device in devices_of(job, around[keys[job]])
    }
    shown = {one: asked[_asked(one.user_id, one.device_id, one.about)] for one in stores.shown.of(asked.keys())}
    due = {one: (job, device) for one, (job, device) in shown.items() if one.tries == job.tries}
    over = [one for one in due if _is_over(one, around[keys[due[one][0]]].member, now)]
    over += _deleted([one for one in due if one not in over], stores)
    badges = {
        user: words.badge_of(user, stores=stores, services=services, now=now) for user in {one.user_id for one in over}
    }
    return [Planned(*due[one], _withdrawal(one, due[one][1], badges[one.user_id], now), one) for one in over]


def _conversation(job: PushJob) -> str | None:
    return job.about.conversation_id if isinstance(job.about, AboutMessage) else None


def _is_over(pushed: Pushed, member: Member | None, now: int) -> bool:
    """Whether the user is done with it, as far as their membership says. A notification that is noted is over."""
    if not isinstance(pushed.about, AboutMessage) or member is None:
        return True
    return member.is_silent(now) or pushed.about.seq <= member.seen_through


def _deleted(pushed: Sequence[Pushed], stores: PushStores) -> list[Pushed]:
    """Those whose message says nothing any more."""
    places = {one: (one.about.conversation_id, one.about.seq) for one in pushed if isinstance(one.about, AboutMessage)}
    entries = stores.log.fetch(set(places.values())) if places else {}
    return [one for one, place in places.items() if (entry := entries.get(place)) is None or not entry.is_readable]


def _withdrawal(pushed: Pushed, device: Device, badge: words.Badge, now: int) -> Push:
    """It has the collapse id of the push: of what a provider still keeps for the device it takes the place."""
    about, name = pushed.about, words.shown_as(pushed.about)
    collapse_id = words.collapse_id(name)
    unread = badge.of.get(name, 0)
    if isinstance(about, AboutMessage):
        place = {"conversation_id": about.conversation_id, "seq": str(about.seq)}
    else:
        place = {"notification_id": about.notification_id}
    count = {} if badge.total is None else {"badge": str(badge.total)}
    return Push(
        target=device.target,
        push_id=str(uuid5(NAMESPACE_URL, f"{words.push_id(pushed.user_id, device.device_id, about)}/withdrawn")),
        collapse_id=collapse_id,
        thread_id=name if isinstance(about, AboutMessage) else "notifications",
        badge=badge.total,
        unread=unread,
        wording=Wording(None),
        data={"type": "withdrawn", **place, "tag": collapse_id, "unread": str(unread), **count},
        expires_at=now + LIFETIME_MS,
        withdraws=True,
    )
