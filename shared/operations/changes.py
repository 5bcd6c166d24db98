"""Every durable change that is no new message: decide on what is there, and take the next place of the log with it.

The log is the lock. The tail is read first and what the decision rests on second; the put goes right behind that tail.
If it succeeds, nothing has changed in between, since every change takes a place: not who is a member, not their roles,
not the message that is edited. If it does not, everything is read and decided anew.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from shared.domain.changes import Added, Change, Reacted, Removed, Updated, last_touched
from shared.domain.connections import Connection
from shared.domain.entries import Entry, as_seen_from, change_entry, unseeing
from shared.domain.rules import Audience, check_possible_member, is_told_later
from shared.domain.text import has_roles, is_channel_id
from shared.errors import NotAMember, Unavailable
from shared.operations.audiences import audience_behind, everyone_behind
from shared.operations.connections import register
from shared.operations.context import MAX_ATTEMPTS, Context
from shared.operations.delivery import broadcast, report, settle
from shared.operations.presence import best_effort
from shared.operations.rosters import Rosters
from shared.operations.visibility import tell_joined, tell_withdrawn
from shared.ports.services import Services
from shared.ports.stores import ChatStores

# Two reactions of different members within so little time are many at once, more likely than not.
_MOMENT_MS: Final = 250
# One waits so many times for the same place, some 300 ms in all, and then goes for it in any case.
_STALLED: Final = 5
# It looks so often; what ends this is the invocation's deadline.
_MAX_LOOKS: Final = 4 * MAX_ATTEMPTS
# Up to 400 ms from one look to the next: as many as sixteen at once are served one right after the other like that.
_SHORT: Final = 4
# A change takes some four times as long as a single call. Where more than this many fit between two, the log is idle.
_IDLE: Final = 5

Decide = Callable[[Audience], Change | None]
"""What to do, given who is in the conversation; None for nothing, where it is so already. Raises what forbids it."""


@dataclass(frozen=True, slots=True)
class Changed:
    """`entry` is None where nothing had to be changed. `audience` is who is in the conversation after it."""

    entry: Entry | None
    audience: Audience


def change(  # noqa: PLR0913  # two are flags
    conversation_id: str,
    *,
    user_id: str,
    decide: Decide,
    own: bool = False,
    outside: bool = False,
    stores: ChatStores,
    context: Context,
) -> Changed:
    """Carry out one change of a member's. `decide` is asked again whenever another change was quicker.

    `own`: it depends on no other member. In a large group, whom the stream side tells, no roster is read for it:
    the audience is `Audience.of_one`, and whether the user is a member is for `decide` to look up.
    `outside`: it is made for the deployment, by who need not be a member.

    Where many change one conversation at once, each asks for the right of way first: a transaction that comes too late
    costs as much as one in time, and more than the place itself where the message carries a thousand reactions.

    Guarantee: when this returns with an entry, that entry and what it does are durable, both.
    Raises NotAMember, Forbidden (a channel's reader), whatever `decide` raises, and Unavailable (too much contention;
    nothing was changed).
    """
    behind = _reader(conversation_id, user_id, outside=outside, stores=stores, context=context)
    nonce = context.new_nonce()
    queue = _Queueing()
    for attempt in range(_MAX_LOOKS):
        if attempt > 1 or queue.waits:
            context.pause(queue.waits)
            queue.waits += 1
        began = context.now()
        tail = stores.log.read_back(conversation_id, limit=1)
        if not tail:
            first = _first(conversation_id, user_id, decide, stores, context)
            if first is None:
                continue
            return first
        if _is_crowded(tail[0], attempt, user_id, context.now()):
            queue.meet(tail[0].seq, began=began, now=context.now())
            if not (queue.is_stalled or stores.log.claim(conversation_id, tail[0].seq + 1, now=context.now())):
                continue
        narrow = own and tail[0].fan_out and not is_channel_id(conversation_id)
        audience = Audience.of_one(user_id) if narrow else behind(tail[0])
        made = decide(audience)
        if made is None:
            return Changed(None, audience)
        if last_touched(made) > tail[0].seq:
            continue  # read behind a tail that has moved on: the place is taken, and would be by what is changed
        entry = change_entry(
            made,
            base=tail[0],
            conversation_id=conversation_id,
            sender_id=user_id,
            created_at=context.now(),
            nonce=nonce,
            fan_out=narrow or is_told_later(conversation_id, audience, context.limits.inline_limit),
        )
        there = stores.log.put(entry)
        if there is None or there.nonce == nonce:  # ours also where only the answer of the write was lost
            return Changed(there or entry, _followed(audience, tail[0], entry, context.rosters))
    raise Unavailable("This conversation is very busy: try again")


def _reader(
    conversation_id: str, user_id: str, *, outside: bool, stores: ChatStores, context: Context
) -> Callable[[Entry], Audience]:
    """What reads who is in the conversation, the user among them unless `outside`. Raises NotAMember."""
    if outside:
        return partial(everyone_behind, stores=stores, context=context)
    check_possible_member(conversation_id, user_id)
    return lambda tail: audience_behind(tail, conversation_id, user_id, stores=stores, context=context)


def _first(conversation_id: str, user_id: str, decide: Decide, stores: ChatStores, context: Context) -> Changed | None:
    """Where nothing was said there is nothing to change but what a private conversation says of itself.

    None where something was said meanwhile. Raises NotAMember, or what `decide` raises.
    """
    audience = audience_behind(None, conversation_id, user_id, stores=stores, context=context)
    if stores.memberships.get(conversation_id, user_id) is None:
        raise NotAMember  # a private conversation that could be, and is not
    made = decide(audience)
    if made is None:
        return Changed(None, audience)
    if not isinstance(made, Updated):
        raise NotAMember
    entry = change_entry(
        made,
        base=None,
        conversation_id=conversation_id,
        sender_id=user_id,
        created_at=context.now(),
        nonce=context.new_nonce(),
        fan_out=False,
    )
    there = stores.log.put(entry)
    return Changed(entry, audience) if there is None or there.nonce == entry.nonce else None


@dataclass(slots=True)
class _Queueing:
    """One change that waits for its turn, and how long from one look at the tail to the next.

    Longer and longer, as long as changes follow one another as quickly as they can: then many are at it, and more looks
    would only take from what the partition can bear. Shorter again where the log stands idle between two of them.
    """

    waits: int = 0
    met: deque[tuple[int, int]] = field(default_factory=lambda: deque(maxlen=_STALLED))

    def meet(self, seq: int, *, began: int, now: int) -> None:
        """The tail is `seq`, as a look from `began` to `now` (ms) has shown."""
        self.waits = self.waits or 1
        if self.met and self.waits > _SHORT:
            before, at = self.met[-1]
            if now - at > _IDLE * max(1, now - began) * (seq - before):
                self.waits = max(_SHORT, self.waits - 2)
        self.met.append((seq, now))

    @property
    def is_stalled(self) -> bool:
        """Whether the holder of the right of way makes no use of it: the same tail was met again and again."""
        return len(self.met) == _STALLED and len({seq for seq, _ in self.met}) == 1


def _is_crowded(tail: Entry, attempt: int, user_id: str, now: int) -> bool:
    """Whether others are at the same: the place was lost twice, or another member has reacted a moment ago."""
    has_reacted = isinstance(tail.change, Reacted) and tail.sender_id != user_id
    is_recent = now - tail.created_at < _MOMENT_MS
    return attempt > 1 or (is_recent and has_reacted and has_roles(tail.conversation_id))


def _followed(audience: Audience, tail: Entry, entry: Entry, rosters: Rosters) -> Audience:
    """The audience behind the entry. It is kept where the one before was: nothing has happened in between."""
    after = audience.after([entry])
    if after is audience or tail.roster_seq is None:
        return after
    if rosters.get(tail.conversation_id, tail.roster_seq) is audience:
        rosters.keep(entry.conversation_id, entry.seq, after)
    return after


def announce(
    changed: Changed, *, connection: Connection | None = None, stores: ChatStores, services: Services, context: Context
) -> None:
    """Tell everyone in the conversation of a change, if there was one, and those who were just removed from it.

    `connection` made it, and gets the reply instead; it is registered again where its user's session lacks it. Who came
    into a group, or went, and its members are told whom of each other they may see now, or no more.
    In a large group the stream side tells the members; it can't know who was removed, so that is done here. In a
    channel no one sees another for being in it.
    """
    entry = changed.entry
    if entry is None:
        return
    removed: Iterable[str] = entry.change.users if isinstance(entry.change, Removed) else ()
    members = () if entry.fan_out else changed.audience.members
    to, skip = dict.fromkeys([*members, *removed]), connection.connection_id if connection else ""
    blind = unseeing(entry, changed.audience.begins)
    to = {user: None for user in to if user not in blind}
    delivered = broadcast(entry, to=to, skip=skip, stores=stores, services=services, now=context.now())
    if blind and members:
        hidden = as_seen_from(entry, max(blind.values()))
        report(
            broadcast(hidden, to=blind, skip=skip, stores=stores, services=services, now=context.now()),
            services=services,
        )
    lost = settle(delivered, connection, services=services, now=context.now())
    if lost is not None:
        register(lost, limit=context.limits.connection_limit, stores=stores, services=services, now=context.now)
    if is_channel_id(entry.conversation_id):
        return
    in_it, added, now = changed.audience.members, entry.change, context.now
    if isinstance(added, Added):
        place = entry.conversation_id
        best_effort(services, tell_joined, place, added.users, in_it, stores=stores, services=services, now=now)
    for user in removed:
        best_effort(services, tell_withdrawn, user, in_it, stores=stores, services=services, now=now)
