"""Whether a client has missed something in the conversation that it shows."""

from __future__ import annotations

from shared.chat.ports import ConversationLog
from shared.chat.rules import check_participant


def is_behind(conversation_id: str, seq: int, *, user_id: str, log: ConversationLog) -> bool:
    """Whether there is an entry after `seq`: one strongly consistent read of one place. Raises NotAMember.

    A live post can get lost with its Lambda; this is how the client learns of it within one heartbeat.
    """
    check_participant(conversation_id, user_id)
    return bool(log.lookup(conversation_id, seqs=[seq + 1], consistent=True).entries)
