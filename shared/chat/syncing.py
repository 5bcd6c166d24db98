"""Catching up: one cursor per conversation, and everything behind it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from shared.chat.models import Entry, Member, unread
from shared.chat.ports import ConversationLog, Memberships, Spread

MAX_ENTRIES_PER_CONVERSATION: Final = 100
# The reply is one gateway payload (128 KB at most). Entries take most of it, and each conversation a little.
MAX_REPLY_BYTES: Final = 110_000
_HEADER_BYTES: Final = 400  # an id of two user ids of 128 characters each, four numbers and the field names


@dataclass(frozen=True, slots=True)
class Synced:
    """One conversation: what follows the client's cursor, in order. `head` is the seq of its last entry.

    `joined_seq`: where a client that meets this group for the first time starts; what was before is history.
    """

    conversation_id: str
    head: int
    entries: Sequence[Entry]
    has_more: bool
    read_seq: int
    unread: int
    joined_seq: int = 0


@dataclass(frozen=True, slots=True)
class Sync:
    """`refused` names conversations that the user is not a member of. `has_more`: sync again."""

    conversations: Sequence[Synced]
    refused: Sequence[str]
    has_more: bool


def sync(
    user_id: str,
    held: Mapping[str, int],
    *,
    memberships: Memberships,
    log: ConversationLog,
    spread: Spread,
    size: Callable[[Entry], int],
    page: int = MAX_ENTRIES_PER_CONVERSATION,
) -> Sync:
    """For each conversation in `held` the entries after that seq; for the user's others the head only.

    Bounded to one reply, and to `page` entries of each: `size` gives an entry's encoded bytes. Conversations with
    something new come first, then those the client does not know; where either is left out, `has_more` is set.
    Up-to-date ones come last, if there is room.
    The caller's connection is registered before this is called, so nothing falls between live events and this answer.
    """
    members = memberships.of_user(user_id)
    found = spread(lambda member: _since(member, held.get(member.conversation_id), log, page), members)
    ordered = sorted(found, key=lambda one: (not one.entries, one.conversation_id in held))
    refused = sorted(set(held) - {member.conversation_id for member in members})
    return _within_one_reply(ordered, held, refused, size)


def _since(member: Member, seq: int | None, log: ConversationLog, most: int) -> Synced:
    """One query in nearly all cases: reading from the held entry on shows both what follows and that it exists."""
    conversation_id = member.conversation_id
    if seq is None:
        tail = log.read_back(conversation_id, limit=1)
        return _synced(member, tail[0] if tail else None, [], has_more=False)
    found = log.read(conversation_id, start=max(seq, 1), limit=most + 2)
    entries = [entry for entry in found if entry.seq > seq]
    page = entries[:most]
    if not found or len(entries) > len(page):  # held beyond the head, an empty log, or more than a page behind
        tail = log.read_back(conversation_id, limit=1)
        head = tail[0] if tail else None
        given = page[-1].seq if page else seq  # an entry written between the two reads is more, too
        return _synced(member, head, page, has_more=head is not None and head.seq > given)
    return _synced(member, found[-1], page, has_more=False)


def _synced(member: Member, head: Entry | None, entries: Sequence[Entry], *, has_more: bool) -> Synced:
    return Synced(
        conversation_id=member.conversation_id,
        head=head.seq if head else 0,
        entries=entries,
        has_more=has_more,
        read_seq=member.read_seq,
        unread=unread(member, head),
        joined_seq=member.joined_seq,
    )


def _within_one_reply(
    ordered: Iterable[Synced], held: Mapping[str, int], refused: Sequence[str], size: Callable[[Entry], int]
) -> Sync:
    # What a client asks for may be anything: as many bytes as characters, or six times as many.
    room = MAX_REPLY_BYTES - len(json.dumps(list(refused), ensure_ascii=False).encode())
    answered: list[Synced] = []
    left_out = False
    for one in ordered:
        room -= _HEADER_BYTES
        fitting, used = _fitting(one.entries, room, size)
        if room < 0 or (one.entries and not fitting):
            # An up-to-date conversation that doesn't fit is nothing that another sync would bring.
            left_out = left_out or bool(one.entries) or one.conversation_id not in held
            room += _HEADER_BYTES
            continue
        room -= used
        answered.append(replace(one, entries=fitting, has_more=one.has_more or len(fitting) < len(one.entries)))
    return Sync(answered, refused, has_more=left_out)


def _fitting(entries: Sequence[Entry], room: int, size: Callable[[Entry], int]) -> tuple[Sequence[Entry], int]:
    """As many of the first entries as `room` bytes hold, and the bytes they take."""
    used = 0
    for count, entry in enumerate(entries):
        cost = size(entry)
        if used + cost > room:
            return entries[:count], used
        used += cost
    return entries, used
