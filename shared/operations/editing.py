"""Editing, deleting and reacting: an entry of its own, and the message changed with it.

Nothing is written, and nothing is there to announce, where the message is so already: a repeated request is harmless.
"""

from __future__ import annotations

from dataclasses import replace

from shared.domain.changes import Change, Deleted, Edited, Reacted
from shared.domain.entries import Entry
from shared.domain.identifiers import is_group_id, other_member
from shared.domain.members import Audience
from shared.domain.rules import (
    check_content,
    check_deletable,
    check_editable,
    check_edited_weight,
    check_emoji,
    check_emoji_there,
    check_reaction_of,
    check_reactions,
    check_readable,
    check_shows,
)
from shared.errors import BadRequest, Blocked, NotAMember, NotFound
from shared.operations.changes import Changed, change
from shared.operations.context import Writing


def edit(conversation_id: str, seq: int, content: str, *, user_id: str, window_s: int, writing: Writing) -> Changed:
    """Give a message of the user's another content. `window_s` is how long after sending that goes; 0: without end.

    Raises NotAMember, Blocked, NotFound, Forbidden, BadRequest and TooLarge (content), Unavailable.
    """
    check_content(content, writing.bounds)

    def decide(audience: Audience) -> Change | None:
        message = check_readable(_at(conversation_id, seq, user_id, audience, writing))
        check_shows(content, message.file_id)
        if message.sender_id == user_id and message.content == content and not message.forwarded:
            return None
        now = writing.now()
        check_editable(message, user_id, window_s=window_s, now=now)
        check_edited_weight(message, replace(message, content=content, edited_at=now))
        return Edited(seq, content, message.last_edit)

    return change(conversation_id, user_id=user_id, decide=decide, own=True, writing=writing)


def delete(conversation_id: str, seq: int, *, user_id: str, writing: Writing) -> Changed:
    """Take a message's content away, for good. Raises NotAMember, NotFound, Forbidden, Unavailable."""

    def decide(audience: Audience) -> Change | None:
        message = writing.log.lookup(conversation_id, seqs=[seq], consistent=True).entries.get(seq)
        if message is None or not message.is_message:
            raise NotFound("There is no message at this seq")
        check_deletable(message, user_id, audience)
        if message.deleted_at is not None:
            return None
        return Deleted(seq, message.last_edit, message.file_id)

    return change(conversation_id, user_id=user_id, decide=decide, writing=writing)


def react(
    conversation_id: str,
    seq: int,
    emoji: str,
    *,
    remove: bool,
    user_id: str,
    owner_id: str | None = None,
    writing: Writing,
) -> Changed:
    """Put the user's emoji to a message, or take it off; with `owner_id` take off that user's, as a moderator.

    Raises NotAMember, Blocked, NotFound, BadRequest (no emoji), Forbidden (another user's), Conflict (too many
    reactions), Unavailable.
    """
    (check_emoji_there if remove else check_emoji)(emoji)
    whose = owner_id or user_id
    if whose != user_id and not remove:
        raise BadRequest("Reactions of others can be taken off only")

    def decide(audience: Audience) -> Change | None:
        message = check_readable(_at(conversation_id, seq, user_id, audience, writing))
        check_reaction_of(whose, user_id, audience)
        if ((emoji, whose) in message.reactions) != remove:
            return None
        if not remove:
            check_reactions(message, (emoji, whose))
        return Reacted(seq, emoji, removed=remove, owner_id=None if whose == user_id else whose)

    return change(conversation_id, user_id=user_id, decide=decide, own=whose == user_id, writing=writing)


def _at(conversation_id: str, seq: int, user_id: str, audience: Audience, writing: Writing) -> Entry | None:
    """What is at this seq. Raises Blocked where the other side of a private conversation does not want to hear more.

    In a group whose roster was not read, the user's own membership comes along. Raises NotAMember.
    """
    member_id = user_id if audience.group is None and is_group_id(conversation_id) else None
    other = other_member(conversation_id, user_id)
    block = (other, user_id) if other else None
    found = writing.log.lookup(conversation_id, seqs=[seq], member_id=member_id, block=block, consistent=True)
    if member_id is not None and found.member is None:
        raise NotAMember
    if found.blocked:
        raise Blocked
    return found.entries.get(seq)
