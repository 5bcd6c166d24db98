"""The one-write append: a message gets its place in the log, once, with no counter and no lock.

The client says which entry it held when it composed the message (`after`). The put goes to `after + 1` on condition
that nothing is there. Free: nobody wrote since, so the message is new and in order, for one write unit. Taken: what is
there, and what follows it, is examined before the next try at the tail. So every attempt has seen each entry between
its `after` and the place where it lands, and of two attempts of one message the later always meets the earlier.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from shared.domain.entries import Draft, Entry, author_key, displaced
from shared.domain.members import Audience
from shared.domain.rules import check_mentions, check_same_message
from shared.errors import NotAMember, SyncRequired, Unavailable
from shared.ports.conversations import ConversationLog, Memberships

# Beyond this many entries since `after`, reading them costs more than a sync: the client syncs, and finds its message.
MAX_EXAMINED: Final = 1_000
# With 20 writers at once on one log an attempt loses about 20 times; this leaves room for three times that.
MAX_ATTEMPTS: Final = 64
# A put costs little, and so do waits of up to 400 ms; longer ones would only keep the unlucky waiting.
_LONGEST_WAIT: Final = 4
_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Appended:
    """Where the message is. `duplicate`: an earlier request had stored it, and nothing was written now.

    `audience` is who was in the conversation right before the message, or is now for a duplicate.
    """

    entry: Entry
    duplicate: bool
    audience: Audience


def append(
    draft: Draft,
    *,
    base: Entry | None,
    audience: Audience,
    new_members: tuple[str, ...] = (),
    once: bool = False,
    log: ConversationLog,
    memberships: Memberships,
    now: Callable[[], int],
    pause: Callable[[int], None],
) -> Appended:
    """Append `draft` behind `base`, the entry the client held (None: it held none), or as near behind as is free.

    `audience` was read after `base`; what the log says about members behind `base` is added on the way, so that nobody
    writes, and nobody is written to, who was removed before the message's place. `new_members` become members with the
    log's first entry. `once`: the client did not say what it held, so a note of the message's id tells an earlier
    attempt from before `base`. `pause(attempt)` waits a jittered while between tries. Whom the entry has no room for
    among its authors gets the number of their last message into their own membership before it is put.
    Guarantee: when this returns, the message is durable, and stands in the log exactly once.
    Raises NotAMember (the sender was removed meanwhile), BadRequest (somebody mentioned was), Conflict (same
    client_message_id, other content), SyncRequired (over 1,000 entries since `base`), Unavailable (too much contention:
    nothing is stored, or the resend finds it).
    """
    examined = 0
    noted: dict[str, int] = {}
    for attempt in range(MAX_ATTEMPTS):
        entry = draft.following(base, now())
        _note_displaced(base, entry, noted, audience, memberships)
        there = log.put(entry, new_members=() if base else new_members, once=once)
        if there is None:
            return Appended(entry, duplicate=False, audience=audience)
        for met in _behind(there, attempt, log, pause):
            if draft.is_stored_as(met):
                return recognise(draft, met, audience)
            examined += 1
            if examined > MAX_EXAMINED:
                raise SyncRequired
            base, audience = met, audience.after([met])
        if draft.sender_id not in audience:
            raise NotAMember
        check_mentions(draft.mentions, audience)
    raise Unavailable("This conversation is very busy: try again")


def _note_displaced(
    base: Entry | None, entry: Entry, noted: dict[str, int], audience: Audience, memberships: Memberships
) -> None:
    """Keep the numbers of the last messages that `entry` no longer tells of, for those who are still members.

    The messages are stored already, and each is noted before the entry: so members find their own there, or here.
    `noted` is what earlier attempts have kept.
    """
    leaving = {key: number for key, number in displaced(base, entry).items() if noted.get(key) != number}
    if not leaving:
        return
    for user in audience.members:
        if (number := leaving.get(author_key(user))) is not None:
            memberships.note_written(entry.conversation_id, user, number=number)
    noted |= leaving


def recognise(draft: Draft, stored: Entry, audience: Audience) -> Appended:
    """The answer to a message that is stored already: the first reply again. Raises Conflict on other content."""
    if stored.nonce == draft.nonce:
        return Appended(stored, duplicate=False, audience=audience)  # this very attempt: only its answer was lost
    check_same_message(draft, stored)
    return Appended(stored, duplicate=True, audience=audience)


def find_stored(draft: Draft, *, after: int, log: ConversationLog, look_at: int = MAX_EXAMINED) -> Appended | None:
    """An earlier attempt of this message behind `after`, for messages that could not be stored (any more) now.

    It looks at as many entries as an append would, or as many as it is told to, and answers what the append would have:
    the first reply. Its audience is nobody.
    """
    start, last = after + 1, after + look_at
    while start <= last and (page := log.read(draft.conversation_id, start=start, limit=_PAGE)):
        for entry in page:
            if draft.is_stored_as(entry):
                return recognise(replace(draft, nonce=""), entry, Audience({}))
        start = page[-1].seq + 1
    return None


def find_noted(draft: Draft, client_message_id: str, *, log: ConversationLog) -> Appended | None:
    """The same for a message without `after`, by the note of its id: one read, and one more where there is a note."""
    entry = log.noted(draft.conversation_id, draft.sender_id, client_message_id)
    return None if entry is None else recognise(replace(draft, nonce=""), entry, Audience({}))


def _behind(there: Entry, attempt: int, log: ConversationLog, pause: Callable[[int], None]) -> Iterator[Entry]:
    """The entry that was in the way and everything behind it, a page at a time, strongly consistent.

    The wait comes before the read, so that what was read is fresh when the next put goes out. After a first conflict
    there is none: most often it was one other message, and the tail is free again.
    """
    yield there
    if attempt:
        pause(min(attempt - 1, _LONGEST_WAIT))
    start = there.seq + 1
    while page := log.read(there.conversation_id, start=start, limit=_PAGE):
        yield from page
        if len(page) < _PAGE:
            return
        start = page[-1].seq + 1
