"""Reminders: a member is told of a message again at a time of their choosing."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from shared.clock import DAY_MS
from shared.domain.connections import NOBODY
from shared.domain.notifications import REMINDER, Notification, Reminder
from shared.domain.rules import check_possible_member, check_readable
from shared.errors import BadRequest, Conflict, NotAMember
from shared.operations.context import Context
from shared.operations.delivery import report
from shared.operations.notifications import KEPT_MS, tell
from shared.ports.conversations import ConversationLog
from shared.ports.services import NotifyingServices, RestServices
from shared.ports.stores import Stores

MAX_AHEAD_MS: Final = 366 * DAY_MS
TITLE: Final = "Reminder"
_ID_BYTES: Final = 16


@dataclass(frozen=True, slots=True)
class Due:
    """A reminder whose time has come."""

    user_id: str
    reminder_id: str


@dataclass(frozen=True, slots=True)
class Remind:
    """What a client asks for: to be reminded of a message at `at` (ms)."""

    user_id: str
    conversation_id: str
    seq: int
    at: int


def remind(command: Remind, *, stores: Stores, services: RestServices, context: Context) -> tuple[Reminder, bool]:
    """Have a member reminded of a message. Returns the reminder, and if it is new: the same again completes it.

    Raises BadRequest (a time that is past or over a year away), NotAMember, NotFound, Conflict (too many), Unavailable.
    """
    user_id, conversation_id, seq, at = command.user_id, command.conversation_id, command.seq, command.at
    now, limit = context.now(), context.limits.reminder_limit
    if not now < at <= now + MAX_AHEAD_MS:
        raise BadRequest("`at` is a time in milliseconds, in the future and at most a year ahead")
    check_possible_member(conversation_id, user_id)
    found = stores.log.lookup(conversation_id, seqs=[seq] if seq else [], member_id=user_id, consistent=True)
    if found.member is None:
        raise NotAMember
    check_readable(found.entries.get(seq) if seq >= found.member.visible_from else None)
    waiting = {one.reminder_id: one for one in stores.reminders.of(user_id)}
    # The same wish has the same id, and is one reminder however often it is made.
    wish = f"{user_id}/{conversation_id}/{seq}/{at}"
    reminder_id = blake2b(wish.encode(), digest_size=_ID_BYTES).hexdigest()
    stored = waiting.get(reminder_id)
    reminder = stored or Reminder(reminder_id, user_id, conversation_id, seq, at, now)
    if stored is None:
        if len(waiting) >= limit:
            raise Conflict(f"A user has at most {limit:,} reminders waiting")
        stores.reminders.put(reminder)  # first, so that whatever is scheduled finds it
    services.scheduler.schedule(reminder)
    return reminder, stored is None


def cancel_reminder(user_id: str, reminder_id: str, *, stores: Stores, services: RestServices) -> None:
    """Idempotent. Only one's own: another user's id might be guessed."""
    if stores.reminders.get(user_id, reminder_id) is None:
        return
    services.scheduler.cancel(reminder_id)
    stores.reminders.remove(user_id, reminder_id)


def tell_due(due: Due, *, stores: Stores, services: NotifyingServices, context: Context) -> None:
    """Tell a user what they wanted to be reminded of. Raises Unavailable.

    Nothing where the reminder is gone, the user is no member any more, or the message is deleted. The reminder goes
    last: carried out twice it makes one notification, and pushes are claimed.
    """
    now = context.now()
    reminder = stores.reminders.get(due.user_id, due.reminder_id)
    if reminder is None:
        return
    delivered = NOBODY
    if _is_readable(reminder, stores.log):
        ends, place, seq = now + KEPT_MS, reminder.conversation_id, reminder.seq
        told = Notification(due.reminder_id, due.user_id, REMINDER, now, ends, TITLE, conversation_id=place, seq=seq)
        stores.notifications.put([told])
        key = due.user_id, due.reminder_id
        kept = stores.notifications.among([key], now=now).get(key)
        if kept is not None:
            delivered = tell([kept], stores=stores, services=services, context=context)
    stores.reminders.remove(due.user_id, due.reminder_id)
    report(delivered, services=services)


def _is_readable(reminder: Reminder, log: ConversationLog) -> bool:
    found = log.lookup(reminder.conversation_id, seqs=[reminder.seq], member_id=reminder.user_id, consistent=True)
    entry = found.entries.get(reminder.seq)
    if found.member is not None and reminder.seq < found.member.visible_from:
        return False
    return found.member is not None and entry is not None and entry.is_readable
