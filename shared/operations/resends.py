"""A message that is stored already: what its resend is answered, and who is told again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from shared.domain.entries import Draft, Entry
from shared.domain.rules import Audience, check_same_message
from shared.domain.text import has_roles
from shared.errors import Forbidden, NotAMember, ParleyError
from shared.operations.audiences import audience_behind
from shared.operations.context import Context
from shared.ports.conversations import ConversationLog
from shared.ports.stores import ChatStores

# Beyond this many entries since `after`, reading them costs more than a sync: the client syncs, and finds its message.
MAX_EXAMINED: Final = 1_000
_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Appended:
    """Where the message is. `duplicate`: an earlier request had stored it, and nothing was written now.

    `audience` is who was in the conversation right before the message, or is now for a duplicate. `read_seq` is how far
    its sender has read, where the message said so and that was stored, too. `changed`: the deployment has put other
    words into it than were sent, of which its sender's own connection has to hear as well.
    """

    entry: Entry
    duplicate: bool
    audience: Audience
    read_seq: int | None = None
    changed: bool = False


def recognise(draft: Draft, stored: Entry, audience: Audience) -> Appended:
    """The answer to a message that is stored already: the first reply again. Raises Conflict on other content."""
    if stored.nonce == draft.nonce:
        return Appended(stored, duplicate=False, audience=audience)  # this very attempt: only its answer was lost
    check_same_message(draft, stored)
    return Appended(stored, duplicate=True, audience=audience)


def find_stored(draft: Draft, *, after: int, log: ConversationLog, look_at: int = MAX_EXAMINED) -> Appended | None:
    """An earlier attempt of this message behind `after`, for messages that could not be stored (any more) now.

    It looks at as many entries as an append would, or as many as it is told to, and answers what the append would have:
    the first reply. Its audience is empty.
    """
    start, last = after + 1, after + look_at
    while start <= last and (page := log.read(draft.conversation_id, start=start, limit=_PAGE)):
        for entry in page:
            if draft.is_stored_as(entry):
                return recognise(replace(draft, nonce=""), entry, Audience({}))
        start = page[-1].seq + 1
    return None


def answered_before(
    draft: Draft, *, after: int | None, log: ConversationLog, refusal: ParleyError, look_at: int = MAX_EXAMINED
) -> Appended:
    """For a message that can't be stored (any more): what an earlier attempt was answered, not delivered.

    Only with an id can there be one to recognise: behind `after`, or by its note. Raises `refusal` where there is none.
    """
    if draft.client_message_id is None:
        raise refusal
    if after is not None:
        stored = find_stored(draft, after=after, log=log, look_at=look_at)
    else:  # one read, and one more where there is a note
        noted = log.noted(draft.conversation_id, draft.sender_id, draft.client_message_id)
        stored = None if noted is None else recognise(replace(draft, nonce=""), noted, Audience({}))
    if stored is None:
        raise refusal
    return stored


def told_again(stored: Appended, stores: ChatStores, context: Context) -> Appended:
    """A resend's message goes to those who are in now: the roster behind `after` may be kept from long before.

    Where its sender is not any more, they get the first reply, and no one is told.
    """
    entry = stored.entry
    tail = stores.log.read_back(entry.conversation_id, limit=1) if has_roles(entry.conversation_id) else []
    if not tail:
        return stored
    try:
        now_in = audience_behind(tail[0], entry.conversation_id, entry.sender_id, stores=stores, context=context)
    except (NotAMember, Forbidden):
        now_in = Audience({})
    return replace(stored, audience=now_in)
