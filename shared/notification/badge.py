"""The number on the app's icon: what a user has not read, over all their conversations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.domain.entries import Entry, Member, is_in_inbox, unread
from shared.ports.conversations import ConversationLog, Memberships, Spread

# One read for each conversation. Who has more of them keeps the number that the icon has.
MAX_COUNTED: Final = 200


@dataclass(frozen=True, slots=True)
class Badge:
    """`total` is None where it was not counted. `of` has each counted conversation's own number."""

    total: int | None
    of: dict[str, int]


def badge_of(
    user_id: str,
    *,
    log: ConversationLog,
    memberships: Memberships,
    spread: Spread,
    now: int,
    heads: Mapping[str, Entry] | None = None,
) -> Badge:
    """Unread messages of the inbox, but for what is muted now: one query, and one more for each conversation.

    `heads` are those that were read a moment ago, by their conversations.
    """
    known = heads or {}
    counted = [member for member in memberships.of_user(user_id) if not member.preferences.is_muted(now)]
    if len(counted) > MAX_COUNTED:
        return Badge(None, {})

    def count(member: Member) -> int:
        head = known.get(member.conversation_id)
        if head is None:
            head = next(iter(log.read_back(member.conversation_id, limit=1)), None)
        return unread(member, head) if is_in_inbox(member, head) else 0

    numbers = dict(zip([member.conversation_id for member in counted], spread(count, counted), strict=True))
    return Badge(sum(numbers.values()), numbers)
