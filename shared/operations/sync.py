"""Catching up: one cursor per conversation, and everything behind it; and one over the user's conversations."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from shared.domain.entries import Entry, as_seen_from
from shared.domain.members import Member, is_in_inbox, unread
from shared.domain.rules import MAX_PAGE, check_possible_member
from shared.domain.text import has_roles
from shared.errors import NotAMember
from shared.operations.heads import FEW, LOOKED_UP, Head, heads_of, looked_up, queried, tail_of, with_news
from shared.operations.trimming import kept_from
from shared.ports.services import Services
from shared.ports.stores import ChatStores

# Heads that one frame reads: a user with more conversations gets the rest behind the cursor.
MAX_HEADS: Final = 500
# A reply is one WebSocket frame (32 KB at most): whether the gateway would split a longer one is documented nowhere.
# Entries take most of it, and each conversation a little. The heaviest of both fit: docs/limits.md, bytes of JSON.
MAX_REPLY_BYTES: Final = 31_000
_ENVELOPE_BYTES: Final = 1_200  # the reply around its conversations: the frame's id, escaped, and a cursor
_HEADER_BYTES: Final = 160  # of each conversation beside its id: four numbers and the field names
_BEGINNING_BYTES: Final = 34  # one more of these, where the log does not begin at its first entry
# Of each reply one part of so many is kept for heads, and one at least for refusals: both come to an end, whatever the
# entries. Refusals take more only as long as that leaves room for the largest entry.
_PARTS: Final = 16
_ENTRY_BYTES: Final = 32_000
# Memberships that are listed for each conversation that a frame names, and at most: twenty of them cost what one costs
# that has to be looked up by its name.
_LISTED: Final = 4
_MAX_LISTED: Final = 2_000
# Logs that are read at once, at first and at most: twice as many each time that all of them had room. Those behind the
# ones that fill the reply are not read at all.
_WAVE: Final = 32


@dataclass(frozen=True, slots=True)
class Synced:
    """One conversation: the entries behind the client's cursor, in order. `head` is the seq of the last there is.

    `joined_seq`: where a client that meets this group for the first time starts; what was before is history.
    `visible_from`: the first entry there is for this user, in a group that hides what was before they came; else 0.
    `trimmed_below`: the first entry that is kept, where the client holds less than what is before it; else 0. Clients
    that know of no retention take it for where they have joined, and start there.
    """

    conversation_id: str
    head: int
    entries: Sequence[Entry]
    has_more: bool
    read_seq: int
    unread: int
    joined_seq: int = 0
    visible_from: int = 0
    trimmed_below: int = 0


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sync:
    """`has_more`: sync again. `next_after`: heads behind this conversation are left. `refused` are not the user's."""

    conversations: Sequence[Synced]
    refused: Sequence[str]
    has_more: bool
    next_after: str | None = None


@dataclass(slots=True)
class _Reply:
    """What has been put into a reply, and the bytes that are left in it. `is_full`: something did not fit."""

    room: int
    size: Callable[[Entry], int]
    conversations: list[Synced] = field(default_factory=list)
    is_full: bool = False

    def add(self, one: Synced) -> bool:
        """As many of the conversation's entries as there is room for. False where it had to be left out."""
        header = _header_bytes(one)
        fitting, used = _fitting(one.entries, self.room - header, self.size)
        is_cut = len(fitting) < len(one.entries)
        is_there = header <= self.room and (bool(fitting) or not one.entries)
        self.is_full = self.is_full or is_cut or not is_there
        if is_there:
            self.room -= header + used
            self.conversations.append(replace(one, entries=fitting, has_more=one.has_more or is_cut))
        return is_there


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Catching:
    """What a client holds of each conversation, and `after` which one its heads go on. `room` is in bytes."""

    user_id: str
    held: Mapping[str, int]
    after: str = ""
    page: int = MAX_PAGE
    room: int = MAX_REPLY_BYTES


def sync(asked: Catching, *, size: Callable[[Entry], int], stores: ChatStores, services: Services) -> Sync:
    """For each conversation in `held` the entries after that seq; for the inbox's others, behind `after`, the head.

    Bounded to one reply of `room` bytes, and to `page` entries of each: `size` gives an entry's encoded bytes, which
    are at most `room` less some 5,000. Conversations with something new come first, in the order of `held`, then the
    others by their ids: where any of these are left out, `has_more` is set. Up-to-date ones come last, if there is
    room. Every reply has some of each kind, so a client that asks again comes to an end. The caller's connection is
    registered before, so nothing falls between live events and this answer.

    One query lists the memberships from `after` on; those named elsewhere take one call for each 100. Where more than
    `FEW` are named, one call for each 100 says which of them have something new, at first of the first 100 alone. Then
    one query for each of these that the reply has, and for up to 32 that it has no room for; and `heads_of` the others.
    """
    user_id, held, after, room = asked.user_id, asked.held, asked.after, asked.room
    shown = min(MAX_HEADS, room // _HEADER_BYTES)
    most = shown + len(held) + min(_LISTED * len(held), _MAX_LISTED) + 1  # of which one tells that there are more
    listed = stores.memberships.listed(user_id, after=after, limit=most)
    named = _named(user_id, held, listed, everything=not after and len(listed) < most, stores=stores)
    share = room // _PARTS
    reply = _Reply(room - _ENVELOPE_BYTES - share, size)
    unknown = held.keys() - {member.conversation_id for member in named}
    refused, left_refused = _refusals(unknown, reply, most=max(share, reply.room - _ENTRY_BYTES))
    current, left_out = _add_named(reply, named, asked, stores=stores, services=services)
    reply.room += share
    next_after = _add_heads(reply, [one for one in listed if one.conversation_id not in held], after, stores, services)
    _add_current(reply, current, asked, stores, services)
    return Sync(reply.conversations, refused, left_out or left_refused or next_after is not None, next_after)


def _add_named(
    reply: _Reply, named: Sequence[Member], asked: Catching, *, stores: ChatStores, services: Services
) -> tuple[list[Synced | Member], bool]:
    """Those with something new, as many as fit. Returns those without, and whether any had to be left out."""
    if len(named) <= FEW:  # to ask first would be a round trip more
        return _add_news(reply, named, asked, stores, services)
    current: list[Synced | Member] = []
    left_out = False
    for some in (named[:LOOKED_UP], named[LOOKED_UP:]):
        if some and reply.is_full:
            return current, True
        news = with_news(some, asked.held, stores, services)
        current += [member for member in some if member.conversation_id not in news]
        has_news = [member for member in some if member.conversation_id in news]
        without, is_left_out = _add_news(reply, has_news, asked, stores, services)
        current += without
        left_out = left_out or is_left_out
    return current, left_out


def _add_news(
    reply: _Reply, members: Sequence[Member], asked: Catching, stores: ChatStores, services: Services
) -> tuple[list[Synced | Member], bool]:
    """As above, by a query for each."""
    current: list[Synced | Member] = []
    left_out = False
    start, most = 0, FEW
    while start < len(members):
        if reply.is_full:
            return current, True
        wave = members[start : start + most]
        start, most = start + most, min(2 * most, _WAVE)
        for one in services.parallel_map(lambda member: _since(member, asked, stores), wave):
            if not one.entries:
                current.append(one)
            elif not reply.add(one):
                left_out = True
    return current, left_out


def _add_current(
    reply: _Reply, current: Sequence[Synced | Member], asked: Catching, stores: ChatStores, services: Services
) -> None:
    """Those without anything new that there is room for. The others are nothing that another sync would bring."""
    room, fitting = reply.room, 0
    while fitting < len(current) and (room := room - _header_bytes(current[fitting])) >= 0:
        fitting += 1
    to_tell = [one for one in current[:fitting] if isinstance(one, Member)]
    heads = _heads_held(to_tell, asked.held, stores, services)
    for one in current[:fitting]:
        if isinstance(one, Member):
            head = heads[one.conversation_id]
            one = _synced(one, head, [], has_more=head.seq > asked.held[one.conversation_id])  # noqa: PLW2901
        reply.add(one)


def _heads_held(
    members: Sequence[Member], held: Mapping[str, int], stores: ChatStores, services: Services
) -> dict[str, Head]:
    """The heads of logs with nothing behind what the client holds: that, or less where it holds what is not there.

    The entry held says how much is unread. Where the user has read it, that is nothing; others are looked up, in any
    copy.
    """
    seqs = {member.conversation_id: held[member.conversation_id] for member in members}
    read = {member.conversation_id: member.read_seq for member in members}
    unsure = [(conversation_id, seq) for conversation_id, seq in seqs.items() if seq not in (0, read[conversation_id])]
    entries = looked_up(unsure, stores, services, consistent=False)
    lost = [conversation_id for conversation_id, seq in unsure if (conversation_id, seq) not in entries]
    heads = {conversation_id: Head(seq, entries.get((conversation_id, seq))) for conversation_id, seq in seqs.items()}
    return heads | queried(lost, stores, services)


def _named(
    user_id: str, held: Mapping[str, int], listed: Sequence[Member], *, everything: bool, stores: ChatStores
) -> list[Member]:
    """The memberships that `held` names, in its order. `everything`: `listed` are all that there are."""
    found = {member.conversation_id: member for member in listed}
    elsewhere = [] if everything else [one for one in held if one not in found]
    if elsewhere:
        found |= stores.memberships.of_user_in(user_id, elsewhere)
    return [found[one] for one in held if one in found]


def _refusals(refused: Iterable[str], reply: _Reply, *, most: int) -> tuple[list[str], bool]:
    """Those that fit into `most` bytes, and whether any are left. Clients may ask for anything, hard to encode, too."""
    fitting: list[str] = []
    for one in sorted(refused):
        cost = len(json.dumps(one, ensure_ascii=False).encode()) + 1
        if cost > most:
            return fitting, True
        most -= cost
        reply.room -= cost
        fitting.append(one)
    return fitting, False


def _add_heads(
    reply: _Reply, members: Sequence[Member], after: str, stores: ChatStores, services: Services
) -> str | None:
    """Heads of the first of these, as many as fit: the others are not read. Returns behind which one they are left."""
    room, taken = reply.room, 0
    for member in members[:MAX_HEADS]:
        room -= _header_bytes(member)
        if room < 0:
            break
        taken += 1
    heads = heads_of(members[:taken], stores=stores, services=services)
    for member in members[:taken]:
        head = heads[member.conversation_id]
        if is_in_inbox(member, head.entry):
            reply.add(_synced(member, head, [], has_more=False))
    if taken == len(members):
        return None
    return members[taken - 1].conversation_id if taken else after


def _since(member: Member, asked: Catching, stores: ChatStores) -> Synced:
    """One query in nearly all cases: reading from the held entry on shows both what follows and that it exists."""
    conversation_id, log, most = member.conversation_id, stores.log, asked.page
    seq = max(asked.held[conversation_id], member.visible_from - 1)
    found, first = kept_from(conversation_id, max(seq, 1), most + 2, log)
    below = first if first > seq + 1 else 0
    seq = max(seq, below - 1)
    mine = [entry.seen_by(asked.user_id) for entry in found if entry.seq > seq]
    entries = [as_seen_from(entry, member.visible_from) for entry in mine]
    page = entries[:most]
    if not found or len(entries) > len(page):  # held beyond the head, an empty log, or more than a page behind
        head = tail_of(conversation_id, stores)
        given = page[-1].seq if page else seq  # an entry written between the two reads is more, too
        return _synced(member, head, page, below=below, has_more=head.seq > given)
    return _synced(member, Head(found[-1].seq, found[-1]), page, below=below, has_more=False)


def _synced(member: Member, head: Head, entries: Sequence[Entry], *, has_more: bool, below: int = 0) -> Synced:
    return Synced(
        conversation_id=member.conversation_id,
        head=head.seq,
        entries=entries,
        has_more=has_more,
        read_seq=member.read_seq,
        unread=unread(member, head.entry),
        joined_seq=max(member.joined_seq, below),
        visible_from=member.visible_from,
        trimmed_below=below,
    )


def _header_bytes(one: Synced | Member) -> int:
    beginnings = bool(one.visible_from) + (isinstance(one, Synced) and bool(one.trimmed_below))
    return _HEADER_BYTES + len(one.conversation_id) + _BEGINNING_BYTES * beginnings


def _fitting(entries: Sequence[Entry], room: int, size: Callable[[Entry], int]) -> tuple[Sequence[Entry], int]:
    """As many of the first entries as `room` bytes hold, and the bytes they take."""
    used = 0
    for count, entry in enumerate(entries):
        cost = size(entry)
        if used + cost > room:
            return entries[:count], used
        used += cost
    return entries, used


def is_behind(conversation_id: str, seq: int, *, user_id: str, stores: ChatStores) -> bool:
    """Whether there is an entry after `seq`, by which a client learns of a lost post. One read. Raises NotAMember."""
    check_possible_member(conversation_id, user_id)
    member_id = user_id if has_roles(conversation_id) else None
    found = stores.log.lookup(conversation_id, seqs=[seq + 1], member_id=member_id, consistent=True)
    if member_id is not None and found.member is None:
        raise NotAMember
    # It may be gone, and others behind it not; by a private conversation's own rule not as long as a connection lives.
    may_end = stores.log.may_end(conversation_id) or (found.member is not None and found.member.may_end)
    if not found.entries and may_end:
        return bool(stores.log.read(conversation_id, start=seq + 1, limit=1))
    return bool(found.entries)
