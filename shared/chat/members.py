"""Who is in a conversation, and how far everyone has read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.domain.changes import Role
from shared.domain.entries import Member
from shared.domain.members import audience_of
from shared.errors import NotAMember
from shared.ports.conversations import Memberships


@dataclass(frozen=True, slots=True)
class Listed:
    member: Member
    role: Role


def members_of(conversation_id: str, *, user_id: str, memberships: Memberships) -> Sequence[Listed]:
    """Everyone in the conversation, by id. Raises NotAMember, also for a private one that does not exist yet.

    One query for who they are, and one read of their cursors for each 100 of them.
    """
    audience = audience_of(conversation_id, user_id, memberships=memberships)
    members = dict(memberships.among(conversation_id, audience.members))
    if user_id not in members:
        raise NotAMember
    if audience.group is None:  # who was not written to yet has no row of their own
        joined_at = members[user_id].joined_at
        members = {user: members.get(user, Member(conversation_id, user, joined_at)) for user in audience.members}
    return [Listed(members[user], audience.roles[user]) for user in sorted(members)]
