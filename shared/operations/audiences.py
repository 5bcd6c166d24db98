"""Who is in a conversation, as an operation needs to know it: at one place of the log, or now."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from shared.domain.entries import Entry
from shared.domain.rules import READERS_ONLY, Audience, check_possible_member
from shared.domain.text import has_roles, is_channel_id
from shared.errors import Forbidden, NotAMember, ParleyError
from shared.operations.context import Context
from shared.operations.rosters import Behind
from shared.ports.stores import ChatStores, PresenceStores


def audience_behind(
    base: Entry | None,
    conversation_id: str,
    user_id: str,
    *,
    mentions: Collection[str] = (),
    stores: ChatStores,
    context: Context,
) -> Audience:
    """Everyone in the conversation as of `base` or later, to decide about what follows. Raises NotAMember.

    Of a channel those who write there; Forbidden for its other members. Those of `mentions` cost a read of their own.
    """
    if base is None or not has_roles(conversation_id):
        return audience_of(conversation_id, user_id, stores=stores)
    is_channel = is_channel_id(conversation_id)
    needed = (user_id,) if is_channel else (user_id, *mentions)
    audience = roster_behind(base, needed=needed, stores=stores, context=context)
    if audience is None or user_id not in audience:
        raise _refusal(conversation_id, user_id, stores)
    others = [user for user in mentions if user not in audience] if is_channel else []
    if others:
        readers = frozenset(stores.memberships.among(conversation_id, others))
        return replace(audience, readers=audience.readers | readers)
    return audience


def _refusal(conversation_id: str, user_id: str, stores: PresenceStores) -> ParleyError:
    """Why this user can't do what takes a seat: one read for a channel, whose other members have none."""
    is_reader = is_channel_id(conversation_id) and stores.memberships.get(conversation_id, user_id) is not None
    return Forbidden(READERS_ONLY) if is_reader else NotAMember()


def roster_behind(
    base: Behind,
    *,
    needed: Collection[str] = (),
    listed: bool = False,
    stores: ChatStores,
    context: Context,
) -> Audience | None:
    """Everyone in the group of `base`, read before this call: kept, or one query. None for what is no group.

    `listed`: one that was kept while some were not among the attendees is read again, for they may have been listed.
    """
    seq = base.roster_seq
    kept = None if seq is None else context.rosters.get(base.conversation_id, seq)
    if kept is not None and all(user in kept for user in needed) and not (listed and kept.unlisted):
        return kept
    settled = seq is not None and context.rosters.is_settled(base, context.now())
    roster = stores.memberships.roster(base.conversation_id)
    if roster is None:
        return None
    audience = Audience.of(roster)
    if settled:
        context.rosters.keep(base.conversation_id, seq or 0, audience)
    return audience


def everyone_behind(base: Entry, *, stores: ChatStores, context: Context) -> Audience:
    """Everyone in the conversation as of `base` or later, for what no member of it does."""
    private = Audience.of_private(base.conversation_id)
    return private or roster_behind(base, stores=stores, context=context) or Audience({})


def audience_of(conversation_id: str, user_id: str, *, stores: PresenceStores) -> Audience:
    """Everyone in the conversation, the user among them: one query for a group, none for a private conversation.

    Of a channel those who write there; Forbidden for its other members. Raises NotAMember, alike for a conversation
    that the user is not in and for one that does not exist.

    To decide about a write, see `rosters.py`: the roster has to be at least as new as the entry in front of it.
    """
    check_possible_member(conversation_id, user_id)
    private = Audience.of_private(conversation_id)
    if private is not None:
        return private
    roster = stores.memberships.roster(conversation_id)
    if roster is None or user_id not in roster.seats:
        raise _refusal(conversation_id, user_id, stores)
    return Audience.of(roster)
