"""Somebody writes: told to whoever is there to see it, and kept nowhere."""

from __future__ import annotations

from shared.domain.connections import live
from shared.domain.entries import Typing
from shared.errors import NotAMember
from shared.operations.delivery import NOBODY, Delivered, Posting, post
from shared.operations.presence import Sight, seen_by
from shared.operations.rosters import audience_of
from shared.ports.people import Blocks


def type_in(
    conversation_id: str,
    *,
    user_id: str,
    active: bool,
    audience_limit: int,
    blocks: Blocks,
    sight: Sight,
    posting: Posting,
    now: int,
) -> Delivered:
    """Tell the other members, but for those who block the user; nobody in groups over `audience_limit` members.

    In a private conversation the other side is told if they may see the user's presence: contacts, who write with each
    other, fellow members of a group, and never with a block in either direction. Raises NotAMember.
    """
    memberships = sight.memberships
    audience = audience_of(conversation_id, user_id, memberships=memberships)
    if audience.group is None and memberships.get(conversation_id, user_id) is None:
        raise NotAMember  # a private conversation that could be, and is not: nobody types at strangers
    others = [member for member in audience.members if member != user_id]
    if not others or (audience.group is not None and len(audience) > audience_limit):
        return NOBODY
    known = posting.sessions.of(others)
    there = {user: connections for user, found in known.items() if (connections := live(found, now))}
    if not there:
        return NOBODY
    if audience.group is None:
        deaf = there.keys() - seen_by(user_id, there, sight=sight)
    else:
        deaf = blocks.blocking(there, user_id)
    targets = [connection for user, connections in there.items() if user not in deaf for connection in connections]
    event = Typing(conversation_id, user_id, active)
    return post(event, targets, posting=posting, now=now)
