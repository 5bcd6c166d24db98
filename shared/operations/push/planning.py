"""From a job's names to the pushes that it comes to, by what is stored at this moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.clock import DAY_MS, SECOND_MS
from shared.domain.contacts import Profile
from shared.domain.devices import Device
from shared.domain.entries import Entry
from shared.domain.members import seen_number
from shared.domain.notifications import AboutMessage, AboutNotification, Notification
from shared.domain.pushes import Push, PushContext, PushContextBatch, PushContextKey, Pushed, PushJob, Wording
from shared.domain.text import is_channel_id, is_mentioned
from shared.operations.push import wording as words
from shared.ports.conversations import ConversationLog, Place
from shared.ports.services import PresenceServices
from shared.ports.stores import PushStores

# A phone that is switched on after a week has other things to show.
LIFETIME_MS: Final = 7 * DAY_MS
_ALL: Final = "all"
_MENTIONS: Final = "mentions"


@dataclass(frozen=True, slots=True)
class Planned:
    """A push for a device, or what is to be taken off it: `withdrawn`."""

    job: PushJob
    device: Device
    push: Push
    withdrawn: Pushed | None = None


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a job is about, if it is still there: a message, a notification, or one that reminds of a message."""

    notification: Notification | None
    entry: Entry | None
    replied_to: Entry | None = None

    @property
    def is_there(self) -> bool:
        return self.notification is not None or self.entry is not None


def plan(jobs: Sequence[PushJob], *, stores: PushStores, services: PresenceServices, now: int) -> list[Planned]:
    """The pushes that these jobs come to now; none for what was read, answered or muted.

    One read for the messages, one for those they reply to, one for the notifications, one of four items a job for what
    decides, the tail of each conversation that is left, and the badge of each user. Raises Unavailable.
    """
    subjects = _subjects(jobs, stores, now)
    asked = {job: _asked(job, subjects[job]) for job in jobs if subjects[job].is_there}
    if not asked:
        return []
    around = stores.push_contexts.of(set(asked.values()))
    worded = [
        (job, wording, devices)
        for job, one in asked.items()
        if (devices := devices_of(job, around.push_contexts[one]))
        and (wording := _wording(job, subjects[job], around.push_contexts[one], around, now)) is not None
    ]
    heads = _heads([subjects[job] for job, _, _ in worded], stores, services)
    worded = [one for one in worded if not _is_seen(subjects[one[0]], around.push_contexts[asked[one[0]]], heads)]
    badges = {
        user: words.badge_of(user, heads=heads, stores=stores, services=services, now=now)
        for user in {job.user_id for job, _, _ in worded}
    }
    return [
        Planned(job, device, _push(job, subjects[job], wording, device=device, badge=badges[job.user_id], now=now))
        for job, wording, devices in worded
        for device in devices
    ]


def _subjects(jobs: Sequence[PushJob], stores: PushStores, now: int) -> dict[PushJob, _Subject]:
    named = {(job.user_id, job.about.notification_id) for job in jobs if isinstance(job.about, AboutNotification)}
    notifications = stores.notifications.among(named, now=now) if named else {}
    entries = _fetch(
        stores.log,
        [
            *((job.about.conversation_id, job.about.seq) for job in jobs if isinstance(job.about, AboutMessage)),
            *(place for notification in notifications.values() if (place := _place(notification))),
        ],
    )
    replies = [(entry.conversation_id, entry.reply_to) for entry in entries.values() if entry.reply_to is not None]
    originals = _fetch(stores.log, replies)

    def subject(job: PushJob) -> _Subject:
        if isinstance(job.about, AboutNotification):
            notification = notifications.get((job.user_id, job.about.notification_id))
            place = _place(notification) if notification else None
            return _Subject(notification, entries.get(place) if place else None)
        entry = entries.get((job.about.conversation_id, job.about.seq))
        original = originals.get((entry.conversation_id, entry.reply_to or 0)) if entry else None
        return _Subject(None, entry, original)

    return {job: subject(job) for job in jobs}


def _fetch(log: ConversationLog, places: Iterable[Place]) -> Mapping[Place, Entry]:
    wanted = set(places)
    return log.fetch(wanted) if wanted else {}


def _place(notification: Notification) -> Place | None:
    conversation_id, seq = notification.conversation_id, notification.seq
    return (conversation_id, seq) if conversation_id is not None and seq else None


def _asked(job: PushJob, subject: _Subject) -> PushContextKey:
    if subject.entry is None:
        return PushContextKey(job.user_id)
    return PushContextKey(job.user_id, subject.entry.conversation_id, subject.entry.sender_id)


def devices_of(job: PushJob, push_context: PushContext) -> list[Device]:
    """Those that the job is for."""
    return [
        device
        for device in push_context.devices
        if device.target.platform == job.platform and job.device_id in {None, device.device_id}
    ]


def _wording(
    job: PushJob, subject: _Subject, push_context: PushContext, around: PushContextBatch, now: int
) -> Wording | None:
    """None where the user does not want to be woken for it."""
    profile, entry, notification = push_context.profile, subject.entry, subject.notification
    previews = profile.previews
    if notification is not None and entry is None:
        return None if is_quiet(profile, now) else words.notification_wording(notification, previews=previews)
    if entry is None:
        return None
    sender = around.profiles.get(entry.sender_id, Profile())
    group = around.groups.get(entry.conversation_id)
    if notification is not None:  # asked for by the user, for this very time
        is_gone = push_context.member is None or not entry.is_readable
        return None if is_gone else words.reminder_wording(entry, sender=sender, group=group, previews=previews)
    if not wants_message(entry, job.user_id, push_context, now=now):
        return None
    original = subject.replied_to
    return words.message_wording(entry, job.user_id, replied_to=original, sender=sender, group=group, previews=previews)


def _heads(subjects: Iterable[_Subject], stores: PushStores, services: PresenceServices) -> dict[str, Entry]:
    """The heads of the conversations whose messages these are. Notifications are told whatever was read since."""
    entries = [one.entry for one in subjects if one.entry is not None and one.notification is None]
    places = sorted({entry.conversation_id for entry in entries})
    tails = services.parallel_map(lambda place: stores.log.read_back(place, limit=1), places)
    return {head.conversation_id: head for tail in tails for head in tail}


def _is_seen(subject: _Subject, push_context: PushContext, heads: Mapping[str, Entry]) -> bool:
    """Whether the user has read the message, or written behind it: answering is reading."""
    entry, member = subject.entry, push_context.member
    if entry is None or member is None or subject.notification is not None:
        return False
    head = heads.get(entry.conversation_id)
    return head is not None and seen_number(member, head) >= entry.number


def _push(job: PushJob, subject: _Subject, wording: Wording, *, device: Device, badge: words.Badge, now: int) -> Push:
    conversation_id = subject.entry.conversation_id if subject.entry else None
    return Push(
        target=device.target,
        push_id=words.push_id(job.user_id, device.device_id, job.about),
        collapse_id=words.collapse_id(words.shown_as(job.about)),
        thread_id=conversation_id or "notifications",
        badge=badge.total,
        unread=max(badge.of.get(conversation_id or "", 0), 1),
        wording=wording,
        data=_data(job, subject),
        expires_at=now + LIFETIME_MS,
    )


def _data(job: PushJob, subject: _Subject) -> dict[str, str]:
    """Names for the app to open the right place. Never text."""
    entry = subject.entry
    place = {} if entry is None else {"conversation_id": entry.conversation_id, "seq": str(entry.seq)}
    if isinstance(job.about, AboutNotification):
        return {"type": "notification", "notification_id": job.about.notification_id, **place}
    return {"type": "message", **place}


def wants_message(entry: Entry, user_id: str, push_context: PushContext, *, now: int) -> bool:
    """Whether `user_id` is to be woken for this message, as everything stands now."""
    member = push_context.member
    if member is None or not entry.is_readable or entry.sender_id == user_id or push_context.blocks_sender:
        return False
    if member.has_got >= entry.seq or member.joined_seq >= entry.seq:
        return False
    preferences = member.preferences
    if preferences.is_muted(now):
        return False
    means_user = is_mentioned(user_id, entry.mentions)
    asked_for = preferences.notify == _ALL or (preferences.notify == _MENTIONS and means_user)
    if is_channel_id(entry.conversation_id) and user_id not in entry.mentions:
        return False
    return asked_for and not is_quiet(push_context.profile, now)


def is_quiet(profile: Profile, now: int) -> bool:
    """Whether it is the user's quiet hours, by the clock on their wall."""
    quiet = profile.quiet_hours
    if quiet is None:
        return False
    try:
        there = datetime.fromtimestamp(now / SECOND_MS, UTC).astimezone(ZoneInfo(quiet.time_zone)).time()
    except (ZoneInfoNotFoundError, ValueError):
        return False  # a zone that was renamed since it was stored: rather woken than never
    start, end = time.fromisoformat(quiet.start), time.fromisoformat(quiet.end)
    # From the first minute up to the last one; over midnight where they end before they start.
    return start <= there < end if start <= end else there >= start or there < end
