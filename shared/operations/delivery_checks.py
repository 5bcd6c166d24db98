"""The delivery check, some seconds after a post: what was not acknowledged is posted again, and pushed."""

from __future__ import annotations

from collections.abc import Sequence

from shared.domain.members import seen_number
from shared.domain.notifications import About, AboutMessage, AboutNotification, DeliveryCheck
from shared.operations.context import Context
from shared.operations.delivery import broadcast, report
from shared.operations.push.enqueueing import enqueue_pushes
from shared.ports.services import Event, PushServices
from shared.ports.stores import Stores


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
                return  # deleted meanwhile: nobody has to hear of it any more
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
