"""The rosters of groups that one instance of a function has read, kept as long as the log says they are still so.

Each entry of a group's log carries `roster_seq`: behind which entry nothing has changed of who is in the group, their
roles, and its name. A roster that was read after that entry was seen is kept under that number, and used for any entry
that carries the same one or a lower one.

Why that is exact: a kept roster reflects the entry at its `roster_seq`, and whatever was stored until it was read. An
entry with the same `roster_seq` has no change between that and itself, so the kept roster is at least as new as the
entry: just what reading the roster behind the entry gives. What follows the entry is added by `Audience.after`, which
may meet changes that are in it already. And a put right behind the entry succeeds only if nothing followed at all: then
the kept roster is the group's, exactly.

It may be newer than the entry, and older than now: somebody may have been removed when it was read and be back since.
So it is good for a yes and never for a no: where one of the `needed` users is missing, the roster is read again. And it
is good for what stands right behind the entry, never for what was there before, such as a resend's message.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from typing import Final, Protocol

from shared.domain.changes import MEMBER
from shared.domain.entries import Entry
from shared.domain.identifiers import is_group_id, private_members
from shared.domain.members import Audience, check_possible_member
from shared.errors import NotAMember
from shared.ports.conversations import Memberships

# Members in all kept rosters together: some 5 MB, with ids of usual length.
MAX_SEATS: Final = 20_000
# A transaction's items become visible one after the other. Once an entry has been there for this long, its effects are.
SETTLED_MS: Final = 5_000
_MOST_SEEN: Final = 1_000


class Behind(Protocol):
    """As much of an entry as says which roster goes with it."""

    @property
    def conversation_id(self) -> str: ...
    @property
    def created_at(self) -> int: ...
    @property
    def roster_seq(self) -> int | None: ...


class Rosters:
    """One instance's memory. Bounded by the number of members; what was used longest ago goes first."""

    def __init__(self, max_seats: int = MAX_SEATS) -> None:
        self._max_seats = max_seats
        self._seats = 0
        self._kept: OrderedDict[str, tuple[int, Audience]] = OrderedDict()
        self._seen: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def get(self, conversation_id: str, roster_seq: int) -> Audience | None:
        """A roster that is at least as new as the group's entry `roster_seq`, and everything up to its next change."""
        seq, audience = self._kept.get(conversation_id, (-1, None))
        if seq < roster_seq:
            return None
        self._kept.move_to_end(conversation_id)
        return audience

    def keep(self, conversation_id: str, roster_seq: int, audience: Audience) -> None:
        """Remember a roster that reflects the entry `roster_seq`."""
        before = self._kept.get(conversation_id)
        if before is not None and before[0] > roster_seq:
            return
        self._seats += len(audience) - (len(before[1]) if before else 0)
        self._kept[conversation_id] = roster_seq, audience
        self._kept.move_to_end(conversation_id)
        while self._seats > self._max_seats:
            _, (_, dropped) = self._kept.popitem(last=False)
            self._seats -= len(dropped)

    def is_settled(self, base: Behind, now: int) -> bool:
        """Whether all that was written together with the entry `roster_seq` of `base` is visible for sure.

        An entry behind it that is old enough shows it, or that this instance has seen it itself long enough ago.
        """
        conversation_id, seq = base.conversation_id, base.roster_seq or 0
        if base.created_at + SETTLED_MS <= now:
            return True
        seen, since = self._seen.get(conversation_id, (-1, now))
        if seen != seq:
            since = now
        self._seen[conversation_id] = seq, since
        self._seen.move_to_end(conversation_id)
        if len(self._seen) > _MOST_SEEN:
            self._seen.popitem(last=False)
        return since + SETTLED_MS <= now


def audience_behind(
    base: Entry | None,
    conversation_id: str,
    user_id: str,
    *,
    mentions: Collection[str] = (),
    memberships: Memberships,
    rosters: Rosters,
    now: int,
) -> Audience:
    """Everyone in the conversation, the user among them, as of `base` or later: to decide about what stands behind it.

    Without a base everything is read. Raises NotAMember as `audience_of` does.
    """
    if base is None or not is_group_id(conversation_id):
        return audience_of(conversation_id, user_id, memberships=memberships)
    needed = (user_id, *mentions)
    audience = roster_behind(base, needed=needed, memberships=memberships, rosters=rosters, now=now)
    if audience is None or user_id not in audience:
        raise NotAMember
    return audience


def roster_behind(
    base: Behind,
    *,
    needed: Collection[str] = (),
    memberships: Memberships,
    rosters: Rosters,
    now: int,
) -> Audience | None:
    """Everyone in the group of `base`, as of `base` or later: kept, or one query. None for what is no group.

    Call it after `base` was read, or stored. A kept roster is used only if all `needed` users are in it.
    """
    seq = base.roster_seq
    kept = None if seq is None else rosters.get(base.conversation_id, seq)
    if kept is not None and all(user in kept for user in needed):
        return kept
    settled = seq is not None and rosters.is_settled(base, now)
    roster = memberships.roster(base.conversation_id)
    if roster is None:
        return None
    audience = Audience.of(roster)
    if settled:
        rosters.keep(base.conversation_id, seq or 0, audience)
    return audience


def audience_of(conversation_id: str, user_id: str, *, memberships: Memberships) -> Audience:
    """Everyone in the conversation, the user among them: one query for a group, none for a private conversation.

    Raises NotAMember, alike for a conversation that the user is not in and for one that does not exist.

    To decide about a write, see `rosters.py`: the roster has to be at least as new as the entry in front of it.
    """
    check_possible_member(conversation_id, user_id)
    private = private_members(conversation_id)
    if private is not None:
        return Audience(dict.fromkeys(private, MEMBER))
    roster = memberships.roster(conversation_id)
    if roster is None or user_id not in roster.seats:
        raise NotAMember
    return Audience.of(roster)
