"""Reading a conversation's messages back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.chat.models import Entry
from shared.chat.ports import ConversationLog, Memberships
from shared.chat.rules import check_participant
from shared.errors import BadRequest, NotAMember


@dataclass(frozen=True, slots=True)
class History:
    """One page of messages, and whether there are more in the direction that was read."""

    messages: Sequence[Entry]
    has_more: bool


def history(
    conversation_id: str,
    *,
    user_id: str,
    before: int | None = None,
    after: int | None = None,
    limit: int,
    log: ConversationLog,
    memberships: Memberships,
) -> History:
    """Messages below `before`, newest first (the default: from the head), or above `after`, oldest first.

    Costs the same wherever in the log it reads. Raises NotAMember, and BadRequest for both directions at once.
    """
    if before is not None and after is not None:
        raise BadRequest("Give `before` or `after`, not both")
    check_participant(conversation_id, user_id)
    if memberships.get(conversation_id, user_id) is None:
        raise NotAMember
    if after is not None:
        found = log.read(conversation_id, start=after + 1, limit=limit + 1)
    else:
        found = log.read_back(conversation_id, before=before, limit=limit + 1)
    return History(found[:limit], has_more=len(found) > limit)
