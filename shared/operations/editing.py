"""Editing, deleting, reacting: an entry of its own, and the message changed with it. A repetition writes nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace

from shared.domain import rules
from shared.domain.changes import Change, Deleted, Edited, Reacted
from shared.domain.connections import Connection
from shared.domain.custom import NO_DATA
from shared.domain.entries import NOTHING_SAID, SYSTEM, Entry
from shared.domain.text import is_group_id, other_member
from shared.errors import BadRequest, Blocked, NotAMember, NotFound
from shared.operations.changes import Changed, announce, change
from shared.operations.context import Context
from shared.operations.delivery import broadcast, report
from shared.operations.trimming import may_have_ended
from shared.ports.services import Services
from shared.ports.stores import ChatStores


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Edit:
    """What a client asks for. `data` as JSON replaces the message's, `null` takes it off, and None leaves it.

    `is_server`: by a token of the team's own servers, whoever that acts as.
    """

    user_id: str
    conversation_id: str
    seq: int
    content: str
    data: str | None = None
    is_server: bool = False


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Delete:
    user_id: str
    conversation_id: str
    seq: int


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Removal:
    """A message that one who moderates takes away, be they a member or not."""

    by: str
    conversation_id: str
    seq: int


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class React:
    """What a client asks for: the user's emoji put to a message or taken off; with `owner_id` that user's taken off."""

    user_id: str
    conversation_id: str
    seq: int
    emoji: str
    remove: bool = False
    owner_id: str | None = None


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Pinning:
    """What a client asks for: a message pinned, or (`remove`) not any more."""

    user_id: str
    conversation_id: str
    seq: int
    remove: bool = False


def edit(
    command: Edit, *, connection: Connection | None = None, stores: ChatStores, services: Services, context: Context
) -> Changed:
    """Give a message of the user's another content, or other `data`, within the deployment's `edit_window_s`.

    Raises NotAMember, Blocked, NotFound, Forbidden, BadRequest and TooLarge (content), Unavailable, and Rejected where
    the deployment does not take it.
    """
    user_id, matrix, is_rewritten = command.user_id, context.limits.matrix, False
    rules.check_content(command.content, context.limits.bounds)

    def decide(audience: rules.Audience) -> Change | None:
        nonlocal is_rewritten
        there = message_at(command, audience, stores)
        message = rules.check_readable(there and there.seen_by(user_id))
        rules.check_may("edit_own", user_id, audience, matrix)
        rules.check_not_frozen(user_id, audience, matrix)
        content, data = command.content, command.data
        rules.check_shows(content, message.file_id, message.attachments)
        if message.sender_id == user_id and _says(message, content, data) and not message.forwarded:
            return None
        now = context.now()
        window_s = context.limits.edit_window_s
        rules.check_editable(message, user_id, is_server=command.is_server, window_s=window_s, now=now)
        if context.screen is not None and message.message_type != SYSTEM:
            wanted = content, data
            content, data = context.screen.edit(message, *wanted)
            is_rewritten = (content, data) != wanted
            if _says(message, content, data):
                return None
        hung = message.data if data is None or (message.data is None and data == NO_DATA) else data
        rules.check_edited_weight(message, replace(message, content=content, data=hung, edited_at=now))
        if _is_unseen(there, user_id, context):
            return None
        since = message.kept_since if may_have_ended([message], stores.log) else None
        return Edited(command.seq, content, message.last_edit, hung, since)

    own = matrix.is_everyones("edit_own")
    changed = change(command.conversation_id, user_id=user_id, decide=decide, own=own, stores=stores, context=context)
    announce(changed, connection=connection, stores=stores, services=services, context=context)
    if changed.entry is not None and is_rewritten:  # of which the very device that made it knows nothing
        told = broadcast(changed.entry, to=(user_id,), skip="", stores=stores, services=services, now=context.now())
        report(told, services=services)
    return changed


def delete(
    command: Delete, *, connection: Connection | None = None, stores: ChatStores, services: Services, context: Context
) -> Changed:
    """Take a message's content away, for good. Raises NotAMember, NotFound, Forbidden, Unavailable."""
    conversation_id, seq, user_id = command.conversation_id, command.seq, command.user_id
    matrix = context.limits.matrix

    def decide(audience: rules.Audience) -> Change | None:
        message = stores.log.lookup(conversation_id, seqs=[seq], consistent=True).entries.get(seq)
        if message is not None and message.shadow is not None and message.sender_id == user_id:
            rules.check_deletable(message, user_id, audience, matrix)
            if message.shadow != NOTHING_SAID:
                stores.log.empty_hidden(conversation_id, seq)  # no entry says so: there was nothing for anybody else
            return None
        if message is None or not message.is_message:
            raise NotFound("There is no message at this seq")
        if message.sender_id != user_id and not audience.sees(user_id, seq):
            raise NotFound("There is no message at this seq")
        rules.check_deletable(message, user_id, audience, matrix)
        return None if message.deleted_at is not None else deletion_of(message)

    changed = change(conversation_id, user_id=user_id, decide=decide, stores=stores, context=context)
    announce(changed, connection=connection, stores=stores, services=services, context=context)
    return changed


def remove_message(command: Removal, *, stores: ChatStores, services: Services, context: Context) -> Changed:
    """Take a message's content away as a moderator of the deployment. Nothing, where it is gone already. Idempotent.

    Raises Unavailable, and NotAMember where there is no such conversation.
    """
    seq = command.seq

    def decide(_: rules.Audience) -> Change | None:
        message = stores.log.lookup(command.conversation_id, seqs=[seq], consistent=True).entries.get(seq)
        return None if message is None or not message.is_readable else deletion_of(message)

    by, place = command.by, command.conversation_id
    changed = change(place, user_id=by, decide=decide, outside=True, stores=stores, context=context)
    announce(changed, stores=stores, services=services, context=context)
    return changed


def deletion_of(message: Entry) -> Deleted:
    """What takes a message's content away, and all that hangs on it: its files, its edits, its pin."""
    files = message.file_ids
    pinned = message.pinned_at is not None
    return Deleted(message.seq, message.last_edit, files[0] if files else None, files[1:], pinned)


def react(
    command: React, *, connection: Connection | None = None, stores: ChatStores, services: Services, context: Context
) -> Changed:
    """Put the user's emoji to a message, or take it off; with `owner_id` take off that user's, as a moderator.

    Raises NotAMember, Blocked, NotFound, BadRequest (no emoji), Forbidden, Conflict (too many), Unavailable.
    """
    user_id, emoji, remove = command.user_id, command.emoji, command.remove
    rules.check_emoji(emoji, is_there=remove)
    whose, matrix = command.owner_id or user_id, context.limits.matrix
    if whose != user_id and not remove:
        raise BadRequest("Reactions of others can be taken off only")

    def decide(audience: rules.Audience) -> Change | None:
        there = message_at(command, audience, stores)
        message = rules.check_readable(there and there.seen_by(user_id))
        if not remove:
            rules.check_may("react", user_id, audience, matrix)
        rules.check_not_frozen(user_id, audience, matrix)
        rules.check_reaction_of(whose, user_id, audience, matrix)
        if ((emoji, whose) in message.reactions) != remove:
            return None
        if not remove:
            rules.check_reactions(message, (emoji, whose))
        if _is_unseen(there, user_id, context):
            return None
        return Reacted(command.seq, emoji, removed=remove, owner_id=None if whose == user_id else whose)

    own = whose == user_id and (remove or matrix.is_everyones("react"))
    changed = change(command.conversation_id, user_id=user_id, decide=decide, own=own, stores=stores, context=context)
    announce(changed, connection=connection, stores=stores, services=services, context=context)
    return changed


def _says(message: Entry, content: str, data: str | None) -> bool:
    """Whether an edit to this changes nothing."""
    return message.content == content and data in {None, message.data or NO_DATA}


def _is_unseen(there: Entry | None, user_id: str, context: Context) -> bool:
    """Whether others are to see nothing of what the user does with it: then it is answered, and not done."""
    is_hidden = there is not None and there.shadow is not None
    return is_hidden or (context.screen is not None and context.screen.is_shadowed(user_id))


def message_at(command: Edit | React | Pinning, audience: rules.Audience, stores: ChatStores) -> Entry | None:
    """What is at this seq. Raises NotAMember (in a group whose roster was not read), and Blocked."""
    conversation_id, seq, user_id = command.conversation_id, command.seq, command.user_id
    member_id = user_id if audience.group is None and is_group_id(conversation_id) else None
    other = other_member(conversation_id, user_id)
    block = (other, user_id) if other else None
    found = stores.log.lookup(conversation_id, seqs=[seq], member_id=member_id, block=block, consistent=True)
    begins = found.member.visible_from if found.member else audience.begins.get(user_id, 0)
    if member_id is not None and found.member is None:
        raise NotAMember
    if found.blocked:
        raise Blocked
    return None if seq < begins else found.entries.get(seq)
