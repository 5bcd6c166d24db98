"""The second look, some seconds later, at users whose connection is live: whether they have got it by then.

A connection may be half-open, and a function may have died before it posted. Whoever has not acknowledged gets the
event again, and is woken as if nobody were there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.members import seen_number
from shared.domain.notifications import About, AboutMessage, AboutNotice, Look
from shared.operations.delivery import NOBODY, Delivered, Event, Posting, broadcast
from shared.operations.push.enqueueing import Waking, wake
from shared.ports.conversations import ConversationLog, Memberships
from shared.ports.notifications import Notices


@dataclass(frozen=True, slots=True)
class LookedAgain:
    """How many pushes were queued, and what became of the posts."""

    pushes: int
    delivered: Delivered


NOTHING = LookedAgain(0, NOBODY)


def look_again(
    look: Look,
    *,
    log: ConversationLog,
    memberships: Memberships,
    notices: Notices,
    posting: Posting,
    waking: Waking,
    now: int,
) -> LookedAgain:
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
            return _tell(entry, waiting, look.about, posting=posting, waking=waking, now=now)
        case AboutNotice(notice_id=notice_id):
            kept = notices.among([(user, notice_id) for user in look.users], now=now)
            if not kept:
                return NOTHING
            waiting = [user for user, _ in kept]
            notice = next(iter(kept.values()))
            return _tell(notice, waiting, look.about, posting=posting, waking=waking, now=now)


def _tell(
    event: Event, waiting: Sequence[str], about: About, *, posting: Posting, waking: Waking, now: int
) -> LookedAgain:
    """Waking comes first: should the posts take the rest of the time, a repetition would post again, and push once."""
    pushes = wake({about: waiting}, waking=waking, now=now)
    return LookedAgain(pushes, broadcast(event, to=waiting, skip="", posting=posting, now=now))
