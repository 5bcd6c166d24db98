"""The second look, some seconds later, at users whose connection is live: whether they have got it by then.

A connection may be half-open, and a function may have died before it posted. Whoever has not acknowledged gets the
event again, and is woken as if nobody were there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.members import seen_number
from shared.domain.notifications import About, AboutMessage, AboutNotification, DeliveryCheck
from shared.operations.delivery import NOBODY, Delivered, Event, Posting, broadcast
from shared.operations.push.enqueueing import PushEnqueuer, enqueue_pushes
from shared.ports.conversations import ConversationLog, Memberships
from shared.ports.notifications import Notifications


@dataclass(frozen=True, slots=True)
class DeliveryChecked:
    """How many pushes were queued, and what became of the posts."""

    pushes: int
    delivered: Delivered


NOTHING = DeliveryChecked(0, NOBODY)


def check_delivery(
    look: DeliveryCheck,
    *,
    log: ConversationLog,
    memberships: Memberships,
    notifications: Notifications,
    posting: Posting,
    enqueuer: PushEnqueuer,
    now: int,
) -> DeliveryChecked:
    """Post again to whoever has not got it, and wake them. Who has written since has read it.

    One read where everybody has (memberships or notices, 100 to a round trip), five where not. Raises Unavailable.
    """
    match look.about:
        case AboutMessage(conversation_id=conversation_id, seq=seq):
            members = memberships.among(conversation_id, look.users)
            waiting = [user for user in look.users if user in members and members[user].has_got < seq]
            if not waiting:
                return NOTHING
            entry = log.fetch([(conversation_id, seq)]).get((conversation_id, seq))
            if entry is None or not entry.is_readable:
                return NOTHING  # deleted meanwhile: nobody has to hear of it any more
            head = next(iter(log.read_back(conversation_id, limit=1)), entry)
            waiting = [user for user in waiting if seen_number(members[user], head) < entry.number]
            if not waiting:
                return NOTHING
            return _tell(entry, waiting, look.about, posting=posting, enqueuer=enqueuer, now=now)
        case AboutNotification(notification_id=notification_id):
            kept = notifications.among([(user, notification_id) for user in look.users], now=now)
            if not kept:
                return NOTHING
            waiting = [user for user, _ in kept]
            notification = next(iter(kept.values()))
            return _tell(notification, waiting, look.about, posting=posting, enqueuer=enqueuer, now=now)


def _tell(
    event: Event, waiting: Sequence[str], about: About, *, posting: Posting, enqueuer: PushEnqueuer, now: int
) -> DeliveryChecked:
    """Waking comes first: should the posts take the rest of the time, a repetition would post again, and push once."""
    pushes = enqueue_pushes({about: waiting}, enqueuer=enqueuer, now=now)
    return DeliveryChecked(pushes, broadcast(event, to=waiting, skip="", posting=posting, now=now))
