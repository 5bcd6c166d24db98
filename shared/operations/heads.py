"""The heads of many logs in few calls: whether anything stands behind a place that is known answers for most of them.

A log has no gaps and nothing keeps its head, so one that has entry n and lacks n + 1 ends at n. Those two are looked up
for a hundred logs in one call; a query, which shows the tail of a single log, is left to those with something new.
Where entries end, that is so of an n that has not: else n + 1 may be gone, and others behind it not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.domain.entries import Entry
from shared.domain.members import Member
from shared.ports.conversations import Place
from shared.ports.services import PresenceServices
from shared.ports.stores import ChatStores

# Entries that one call looks up (BatchGetItem takes as many).
LOOKED_UP: Final = 100
# Up to so many logs each has its tail queried at once: that takes one read unit and one round trip.
FEW: Final = 8
# Of many, those with something new are queried if they are this few, or one of so many: any others are looked for in
# steps, of which each takes one call for a hundred logs. Those that are farther behind than the near steps are queried
# where that is one round trip; of more of them each further step is four times as long.
_STRAGGLERS: Final = 4
_STRAGGLERS_OF: Final = 32
_NEAR: Final = 8
_FAR_TOGETHER: Final = 32


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Head:
    """Where a log ends: 0 for an empty one. `entry` is None there, and where the member has read it and none was asked.

    `is_as_stored`: the entry is as it stands now. What is false of it otherwise is only what changes may have altered.
    """

    seq: int
    entry: Entry | None
    is_as_stored: bool = True


_EMPTY: Final = Head(0, None)


def heads_of(
    members: Sequence[Member], *, whole: bool = False, stores: ChatStores, services: PresenceServices
) -> dict[str, Head]:
    """The heads of these conversations. `whole`: with their entries, also where all has been read.

    Up to `FEW`: a query each. Of more, what would be next behind the user's own cursors is looked up for a read unit
    each, and for half of one the entry that is the head if there is none. A head at the read cursor needs no entry:
    nothing is unread then. Each step towards one with something new takes a read unit: at most eight of them for up to
    16 new entries, and some two for each doubling beyond that.

    Exact, as a query is: that there is no next entry is read strongly consistent. The entry that is known may be read
    from a copy, for what is taken of it never changes; where the copy lacks it, the tail is queried after all.
    """
    if len(members) <= FEW:
        return queried([member.conversation_id for member in members], stores, services)
    known = {member.conversation_id: _known(member) for member in members}
    next_ones = looked_up(_next(known), stores, services)
    following = {place: entry for place, entry in next_ones.items() if not entry.is_trimmed}
    ends = {one: seq for one, seq in known.items() if (one, seq + 1) not in following}
    at_hand = {member.conversation_id for member in members if not whole and _is_read(member, stores)}
    named = [(one, seq) for one, seq in ends.items() if seq and one not in at_hand]
    entries = looked_up(named, stores, services, consistent=False)
    lost = [one for one, seq in named if not _is_there(entries.get((one, seq)))]
    lost += [one for one, seq in next_ones.keys() - following.keys() if one not in lost]
    found = {one: Head(seq, entries.get((one, seq)), is_as_stored=False) for one, seq in ends.items()}
    few = max(_STRAGGLERS, len(members) // _STRAGGLERS_OF)
    return found | queried(lost, stores, services) | _farther(following.values(), few, stores, services)


def with_news(
    members: Sequence[Member], held: Mapping[str, int], stores: ChatStores, services: PresenceServices
) -> set[str]:
    """The conversations of these members in which there is an entry behind the one held, strongly consistent.

    And those in which what is held has ended: what was behind it may be gone, and others behind that not.
    """
    held = {member.conversation_id: held[member.conversation_id] for member in members}
    may_end = {member.conversation_id for member in members if _may_end(member, stores)}
    news = {conversation_id for conversation_id, _ in looked_up(_next(held), stores, services)}
    unsure = {one: seq for one, seq in held.items() if seq and one not in news and one in may_end}
    entries = looked_up(unsure.items(), stores, services, consistent=False) if unsure else {}
    return news | {one for one, seq in unsure.items() if not _is_there(entries.get((one, seq)))}


def _is_there(entry: Entry | None) -> bool:
    """Whether an entry is one behind which none is missing."""
    return entry is not None and not entry.is_trimmed


def looked_up(
    places: Iterable[Place], stores: ChatStores, services: PresenceServices, *, consistent: bool = True
) -> dict[Place, Entry]:
    """`stores.log.fetch`, with its calls side by side."""
    return _merged(services.parallel_map(lambda some: stores.log.fetch(some, consistent=consistent), _chunks(places)))


def tail_of(conversation_id: str, stores: ChatStores) -> Head:
    """The head by a query."""
    for entry in stores.log.read_back(conversation_id, limit=1):
        return Head(entry.seq, entry)
    return _EMPTY


def _known(member: Member) -> int:
    """The last entry of which the member's own row tells. Each of these was looked up before it was noted."""
    return max(member.read_seq, member.delivered_seq, member.joined_seq, member.hidden_seq or 0)


def _is_read(member: Member, stores: ChatStores) -> bool:
    """Whether the last known entry is read, and need not be seen to say whether it shows a conversation again."""
    if _may_end(member, stores):
        return False
    return member.hidden_seq is None and member.read_seq == _known(member)


def _may_end(member: Member, stores: ChatStores) -> bool:
    """Whether entries end there, by the kind's rule or the conversation's own."""
    return member.may_end or stores.log.may_end(member.conversation_id)


def queried(conversation_ids: Collection[str], stores: ChatStores, services: PresenceServices) -> dict[str, Head]:
    """The heads of these, by a query for each, side by side."""
    names = list(conversation_ids)
    return dict(zip(names, services.parallel_map(lambda one: tail_of(one, stores), names), strict=True))


@dataclass(slots=True, eq=False, repr=False)
class _Search:
    """The head is `last` or behind it, and in front of `missing` where that is known. It goes in doubled steps."""

    last: Entry
    missing: int | None = None
    step: int = 1

    @property
    def probe(self) -> int:
        return self.last.seq + self.step if self.missing is None else (self.last.seq + self.missing) // 2

    @property
    def is_over(self) -> bool:
        return self.missing == self.last.seq + 1

    @property
    def is_far(self) -> bool:
        return self.missing is None and self.step > _NEAR

    def learn(self, probe: int, found: Entry | None) -> None:
        if found is None:
            self.missing = probe
        else:
            self.last, self.step = found, self.step * (2 if self.step < _NEAR else 4)


def _farther(entries: Iterable[Entry], few: int, stores: ChatStores, services: PresenceServices) -> dict[str, Head]:
    """The heads of logs of which these entries are known to be no more than on the way there."""
    found: dict[str, Head] = {}
    searches = {entry.conversation_id: _Search(entry) for entry in entries}
    left_to_query: list[str] = []
    while len(searches) > few:
        probes = {conversation_id: search.probe for conversation_id, search in searches.items()}
        there = looked_up(probes.items(), stores, services)
        for conversation_id, probe in probes.items():
            search = searches[conversation_id]
            search.learn(probe, there.get((conversation_id, probe)))
            if search.is_over:
                found[conversation_id] = Head(search.last.seq, search.last)
        far = [one for one, search in searches.items() if search.is_far]
        left_to_query += far if len(far) <= _FAR_TOGETHER else []
        done = {*found, *left_to_query}
        searches = {one: search for one, search in searches.items() if one not in done}
    return found | queried([*left_to_query, *searches], stores, services)


def _next(held: Mapping[str, int]) -> list[Place]:
    return [(conversation_id, seq + 1) for conversation_id, seq in held.items()]


def _chunks(places: Iterable[Place]) -> list[list[Place]]:
    everything = list(places)
    return [everything[start : start + LOOKED_UP] for start in range(0, len(everything), LOOKED_UP)]


def _merged(found: Iterable[Mapping[Place, Entry]]) -> dict[Place, Entry]:
    return {place: entry for some in found for place, entry in some.items()}
