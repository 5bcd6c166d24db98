"""Whether a client has missed something in the conversation that it shows."""

from __future__ import annotations

from shared.domain.identifiers import is_group_id
from shared.domain.members import check_possible_member
from shared.errors import NotAMember
from shared.ports.conversations import ConversationLog


def is_behind(conversation_id: str, seq: int, *, user_id: str, log: ConversationLog) -> bool:
    """Whether there is an entry after `seq`: one strongly consistent read. Raises NotAMember.

    A live post can get lost with its Lambda; this is how the client learns of it within one heartbeat.
    """
    check_possible_member(conversation_id, user_id)
    member_id = user_id if is_group_id(conversation_id) else None
    found = log.lookup(conversation_id, seqs=[seq + 1], member_id=member_id, consistent=True)
    if member_id is not None and found.member is None:
        raise NotAMember
    return bool(found.entries)
