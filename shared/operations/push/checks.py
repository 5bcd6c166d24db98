"""Delivery checks: some seconds after a post, who has not acknowledged gets it again, and a push.

Of all that a user gets in one conversation within such a while the first alone has a check queued: what that covers
is decided when it is carried out, by what is in the log then. Of that, what has not waited for long enough goes to one
further check, which covers these entries and no later ones. So nothing goes on for ever, however often a queue hands a
check over; and doing one twice is harmless, as a push is claimed before it is sent.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from shared.clock import SECOND_MS, whole_seconds
from shared.domain.entries import Entry
from shared.domain.members import Member, seen_number
from shared.domain.notifications import About, AboutMessage, DeliveryCheck
from shared.operations.context import Context
from shared.ports.conversations import Seat
from shared.ports.services import NotifyingServices
from shared.ports.stores import Stores

# A check is not relied on for the last of its wait: a queue counts in seconds, and its clock is another one.
_SPARE_MS: Final = 1_000
# Checks that an instance remembers. Of one that it has forgotten a further one is queued.
_REMEMBERED: Final = 20_000
# Entries that one check looks at; the rest goes to another.
_PAGE: Final = 100


@dataclass(slots=True, eq=False, repr=False)
class PendingChecks:
    """The checks that this instance has queued and that wait still: they cover what comes until shortly before them."""

    _until: OrderedDict[tuple[str, str], tuple[int, int, int]] = field(default_factory=OrderedDict)

    def covers(self, about: AboutMessage, user_id: str, now: int) -> bool:
        """Whether a check of the user waits that will see this entry, stored by now, in the log."""
        since, queued_at, until = self._until.get((about.conversation_id, user_id), (0, 0, 0))
        return since <= about.seq and queued_at <= now < until

    def queued(self, check: DeliveryCheck, *, now: int, delay_s: int) -> None:
        """It was put at `now` or later, to wait so long."""
        if isinstance(check.about, AboutMessage) and check.until is None:
            for user_id in check.users:
                waits = (check.about.seq, now, now + delay_s * SECOND_MS - _SPARE_MS)
                self._until[(check.about.conversation_id, user_id)] = waits
                self._until.move_to_end((check.about.conversation_id, user_id))
        while len(self._until) > _REMEMBERED:
            self._until.popitem(last=False)


def schedule_checks(
    present: Mapping[About, Collection[str]],
    *,
    pending: PendingChecks | None = None,
    quiet: Collection[About] = (),
    services: NotifyingServices,
    context: Context,
) -> None:
    """Have these users' delivery checked later; who is not mentioned is not woken for what is `quiet`.

    With `pending` one check for each user and conversation, whatever else comes until then: none is queued for what a
    check covers that waits already. Without, each is checked for itself. Raises Unavailable.
    """
    now, delay_s = context.now(), context.limits.delivery_check_s
    checks: list[DeliveryCheck] = []
    first: dict[tuple[str, str], int] = {}
    for about, users in present.items():
        left, until = tuple(users), about.seq if isinstance(about, AboutMessage) else None
        if pending is not None and isinstance(about, AboutMessage):
            place, seq, until = about.conversation_id, about.seq, None
            uncovered = [user for user in users if not pending.covers(about, user, now)]
            left = tuple(user for user in uncovered if first.get((place, user), seq + 1) > seq)
            first |= {(place, user): seq for user in left}
        if left:
            checks.append(DeliveryCheck(about, left, about in quiet, until))
    if checks:
        services.delivery_checks.put(checks, delay_s=delay_s)
    for check in checks:
        if pending is not None:
            pending.queued(check, now=now, delay_s=delay_s)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Due:
    """What a check has found: messages with those who have not got them, in order; and the check of the others."""

    messages: Sequence[tuple[Entry, Sequence[str]]]
    further: DeliveryCheck | None = None
    delay_s: int = 0


def unsettled(looks: Sequence[DeliveryCheck], *, stores: Stores) -> dict[DeliveryCheck, int]:
    """Those that somebody may lack something of, each with the place up to which all of its users have got everything.

    All that are about messages are read together, for half a unit for each user and each place behind what they have
    got, from any copy: one round trip for one look, two for many. A cursor only grows, so one that has come far enough
    has done so. What relies on a check is in the log for a second at least; should a copy be older than that, the next
    entry, a ping or the look at missed pushes shows what was missed.
    """
    asked = [(look, look.about) for look in looks if isinstance(look.about, AboutMessage)]
    # Of one look the place is guessed: most often nothing has followed. Behind some of many something has.
    guessed = {
        (about.conversation_id, about.seq + 1) for look, about in asked if look.until is None and len(asked) == 1
    }
    seats = {(about.conversation_id, user) for look, about in asked for user in look.users}
    seen = stores.log.glance(guessed, seats)
    got = {look: _got_by_all(look, about, seen.members) for look, about in asked}
    behind = {
        look: (about.conversation_id, got[look] + 1)
        for look, about in asked
        if look.until is None and got[look] >= about.seq
    }
    further = set(behind.values()) - guessed
    there = {*seen.entries, *(stores.log.glance(further, ()).entries if further else ())}
    return {
        look: got[look] for look, about in asked if got[look] < (look.until or about.seq) or behind.get(look) in there
    }


def _got_by_all(look: DeliveryCheck, about: AboutMessage, members: Mapping[Seat, Member]) -> int:
    seats = [(about.conversation_id, user) for user in look.users]
    return min((members[seat].has_got if seat in members else 0 for seat in seats), default=0)


def due_messages(look: DeliveryCheck, about: AboutMessage, got: int, *, stores: Stores, context: Context) -> Due:
    """The messages from `about` on that have waited for long enough, and that these members lack.

    `got` is up to where they lack none. Log and cursors are read strongly. Who has written since has read what was
    there; what was deleted meanwhile is not to be told any more.
    """
    conversation_id = about.conversation_id
    start = max(about.seq, got + 1)
    most = _PAGE if look.until is None else min(_PAGE, look.until - start + 1)
    entries = stores.log.read(conversation_id, start=start, limit=most) if most > 0 else []
    if not entries:
        return Due([])
    members = stores.memberships.among(conversation_id, look.users)
    head = entries[-1]
    if len(entries) == most:
        head = next(iter(stores.log.read_back(conversation_id, limit=1)), head)
    found = [(one, waiting) for one in entries if (waiting := _lacking(one, about, members, head, look.users))]
    delay_s, now = context.limits.delivery_check_s, context.now()
    due_from = now - delay_s * SECOND_MS
    old = [
        (one, waiting)
        for one, waiting in found
        if look.until is not None or one.seq == about.seq or one.created_at <= due_from
    ]
    young = [one for one in found if one not in old]
    last, end = entries[-1].seq, look.until or head.seq
    if last < end:  # more than a page: what is too young goes with the rest
        rest = AboutMessage(conversation_id, young[0][0].seq if young else last + 1)
        return Due(old, DeliveryCheck(rest, look.users, look.quiet, end), delay_s)
    return Due(old, *_further(young, look.quiet, now, delay_s * SECOND_MS))


def _further(
    young: Sequence[tuple[Entry, Sequence[str]]], quiet: bool, now: int, waits_ms: int
) -> tuple[DeliveryCheck | None, int]:
    """The one further check of what is too young for this one, once the last of it has waited as long."""
    if not young:
        return None, 0
    (first, _), (last, _) = young[0], young[-1]
    users = tuple(dict.fromkeys(user for _, waiting in young for user in waiting))
    left_ms = max(1, min(waits_ms, last.created_at + waits_ms - now))
    about = AboutMessage(first.conversation_id, first.seq)
    return DeliveryCheck(about, users, quiet, last.seq), whole_seconds(left_ms)


def _lacking(
    entry: Entry, about: AboutMessage, members: Mapping[str, Member], head: Entry, users: Sequence[str]
) -> list[str]:
    """Who lacks this message. One that goes out in shards has the checks of these."""
    if not entry.is_readable or (entry.fan_out and entry.seq != about.seq):
        return []
    there = [(user, members[user]) for user in users if user in members and user != entry.sender_id]
    return [user for user, member in there if member.has_got < entry.seq and seen_number(member, head) < entry.number]
