"""Whether a user wants to be woken for something, as pure rules."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.domain.contacts import Profile, QuietHours
from shared.domain.entries import Entry
from shared.ports.notifications import Standing

_MS: Final = 1_000
_ALL: Final = "all"
_MENTIONS: Final = "mentions"


def wants_message(entry: Entry, user_id: str, standing: Standing, *, now: int) -> bool:
    """Whether `user_id` is to be woken for this message, as everything stands now."""
    member = standing.member
    if member is None or not entry.is_readable or entry.sender_id == user_id or standing.blocks_sender:
        return False
    if member.has_got >= entry.seq or member.joined_seq >= entry.seq:
        return False
    preferences = member.preferences
    if preferences.is_muted(now):
        return False
    asked_for = preferences.notify == _ALL or (preferences.notify == _MENTIONS and user_id in entry.mentions)
    return asked_for and not is_quiet(standing.profile, now)


def is_quiet(profile: Profile, now: int) -> bool:
    """Whether it is the user's quiet hours, by the clock on their wall."""
    quiet = profile.quiet_hours
    if quiet is None:
        return False
    try:
        there = datetime.fromtimestamp(now / _MS, UTC).astimezone(ZoneInfo(quiet.time_zone)).time()
    except (ZoneInfoNotFoundError, ValueError):
        return False  # a zone that was renamed since it was stored: rather woken than never
    return _is_between(there, quiet)


def _is_between(there: time, quiet: QuietHours) -> bool:
    """From the first minute up to the last one; over midnight where they end before they start."""
    start, end = time.fromisoformat(quiet.start), time.fromisoformat(quiet.end)
    if start <= end:
        return start <= there < end
    return there >= start or there < end
