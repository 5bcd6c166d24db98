"""A user types: told to the members who are connected, and kept nowhere."""

from __future__ import annotations

from shared.domain.connections import live
from shared.domain.entries import Typing
from shared.domain.text import is_channel_id
from shared.errors import NotAMember
from shared.operations.audiences import audience_of
from shared.operations.context import Context
from shared.operations.delivery import post, report
from shared.operations.presence import seen_by
from shared.ports.services import Services
from shared.ports.stores import ChatStores


def type_in(
    conversation_id: str, *, user_id: str, active: bool, stores: ChatStores, services: Services, context: Context
) -> None:
    """Tell the other members, but for those who block the user.

    In channels, and in groups over the `receipts_limit`, none is told. In a private conversation the other side is told
    if they may see the user's presence. Raises NotAMember, and Forbidden for who only reads a channel.
    """
    audience = audience_of(conversation_id, user_id, stores=stores)
    if audience.group is None and stores.memberships.get(conversation_id, user_id) is None:
        raise NotAMember  # a private conversation that does not exist: no typing at strangers
    others = [member for member in audience.members if member != user_id]
    if context.screen is not None and context.screen.is_shadowed(user_id):
        return
    is_large = audience.group is not None and len(audience) > context.limits.receipts_limit
    if not others or is_large or is_channel_id(conversation_id):
        return
    now = context.now()
    known = stores.sessions.of(others)
    there = {user: connections for user, found in known.items() if (connections := live(found, now))}
    if not there:
        return
    if audience.group is None:
        deaf = there.keys() - seen_by(user_id, there, stores=stores, services=services)
    else:
        deaf = stores.blocks.blocking(there, user_id)
    targets = [connection for user, connections in there.items() if user not in deaf for connection in connections]
    event = Typing(conversation_id, user_id, active)
    report(post(event, targets, stores=stores, services=services, now=now), services=services)
