"""Sending a message: look up, decide, append, and only then tell everyone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from shared.chat.log import MAX_EXAMINED, Appended, append, find_noted, find_stored, recognise
from shared.domain.entries import Draft, Entry, Lookup
from shared.domain.identifiers import is_group_id, other_member, private_conversation_id
from shared.domain.members import Audience, check_possible_member
from shared.domain.rules import (
    Bounds,
    check_after,
    check_content,
    check_file,
    check_file_named,
    check_mentions,
    check_readable,
    check_reply,
    check_shows,
    check_weight,
)
from shared.errors import BadRequest, Blocked, NotAMember, ParleyError
from shared.operations.changes import Writing
from shared.operations.delivery import Delivered, Posting, broadcast
from shared.ports.conversations import ConversationLog

# A message with an id and without `after` goes to the tail, and is compared with so many entries there: they come with
# the read of the tail, which costs one unit for this many of usual size, and spare the refused write of a quick resend.
_TAIL: Final = 20
# How much of a log is read to find a message that its sender sent before they left. Nobody outside can make us read
# a conversation: this costs a unit or two where messages are of usual size.
_LOOK_FOR_OUTSIDERS: Final = 100


@dataclass(frozen=True, slots=True)
class SendMessage:
    """What a client asks for. `to` or `conversation_id`; `after` is the entry it held when it composed the message.

    `forward_of` is a message whose content becomes this one's.
    """

    sender_id: str
    content: str
    to: str | None = None
    conversation_id: str | None = None
    message_type: str = "text"
    client_message_id: str | None = None
    after: int | None = None
    reply_to: int | None = None
    mentions: tuple[str, ...] = ()
    file_id: str | None = None
    forward_of: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class Sent:
    entry: Entry
    duplicate: bool
    delivered: Delivered


def send_message(command: SendMessage, *, connection_id: str, writing: Writing, posting: Posting) -> Sent:
    """Store a message and deliver it to the other members and to the sender's other devices.

    A duplicate is delivered again too: the first attempt may have died between its write and its posts. In large groups
    the stream side delivers. Raises what `store_message` raises, and Unavailable also where the message is stored and
    the sessions can't be read or changed right now: the resend finds it, and delivers it again.
    """
    stored = store_message(command, writing=writing)
    to = () if stored.entry.fan_out else stored.audience.members
    delivered = broadcast(stored.entry, to=to, skip=connection_id, posting=posting, now=writing.now())
    return Sent(stored.entry, stored.duplicate, delivered)


def store_message(command: SendMessage, *, writing: Writing) -> Appended:
    """Decide whether the message may be sent, and append it.

    Raises BadRequest and TooLarge (content, `after` that names no entry), NotAMember, Blocked, NotFound (the message
    replied to or forwarded, the file), Conflict, SyncRequired, Unavailable.
    """
    log, bounds = writing.log, writing.bounds
    draft = _draft(command, writing.new_nonce(), bounds)
    check_possible_member(draft.conversation_id, draft.sender_id)
    found = _lookup(draft, command, log)
    base, tail = _base(draft, command, found, log)
    try:
        # Behind the base, so that it is at least as new: whoever was removed before the base is not in it.
        audience = writing.audience(base, draft.conversation_id, draft.sender_id, mentions=draft.mentions)
    except NotAMember as refusal:
        return _answered_before(draft, command, log, refusal, look_at=_LOOK_FOR_OUTSIDERS)
    check_after(command.after, found.entries)
    for entry in tail:
        if draft.is_stored_as(entry):
            return recognise(draft, entry, audience)
    try:
        check_mentions(draft.mentions, audience, bounds)
        check_reply(command.reply_to, found.entries)
        if found.blocked:
            raise Blocked
        ready = _with_content(draft, command, writing)
        check_weight(ready, base)
    except ParleyError as refusal:
        return _answered_before(draft, command, log, refusal)
    appended = append(
        replace(ready, fan_out=len(audience) > writing.inline_limit),
        base=base,
        audience=audience,
        new_members=audience.members if audience.group is None else (),
        once=_needs_note(draft, command),
        log=log,
        memberships=writing.memberships,
        now=writing.now,
        pause=writing.pause,
    )
    return _told_again(appended, writing) if appended.duplicate else appended


def _told_again(stored: Appended, writing: Writing) -> Appended:
    """A resend's message goes to those who are in now: the roster behind `after` may be kept from long before.

    Where its sender is not any more, they get the first reply, and nobody is told.
    """
    entry = stored.entry
    tail = writing.log.read_back(entry.conversation_id, limit=1) if is_group_id(entry.conversation_id) else []
    if not tail:
        return stored
    try:
        return replace(stored, audience=writing.audience(tail[0], entry.conversation_id, entry.sender_id))
    except NotAMember:
        return replace(stored, audience=Audience({}))


def _draft(command: SendMessage, nonce: str, bounds: Bounds) -> Draft:
    if (command.to is None) == (command.conversation_id is None):
        raise BadRequest("A message needs either `to` or `conversation_id`")
    if command.forward_of is None:
        check_file_named(command.message_type, command.file_id)
        check_content(command.content, bounds)
        check_shows(command.content, command.file_id)
    elif command.content or command.file_id is not None:
        raise BadRequest("A forwarded message has the content of its original, and no other")
    return Draft(
        conversation_id=command.conversation_id or private_conversation_id(command.sender_id, command.to or ""),
        sender_id=command.sender_id,
        content=command.content,
        nonce=nonce,
        message_type=command.message_type,
        client_message_id=command.client_message_id,
        reply_to=command.reply_to,
        mentions=command.mentions,
        file_id=command.file_id,
        forward_of=command.forward_of,
    )


def _lookup(draft: Draft, command: SendMessage, log: ConversationLog) -> Lookup:
    """One eventually consistent round trip, and a strong one only where that missed something.

    A private conversation named by `conversation_id` must exist: an entry of it shows that, else the sender's
    membership. Raises NotAMember.
    """
    other = other_member(draft.conversation_id, draft.sender_id)
    seqs = [seq for seq in (command.after, command.reply_to) if seq]
    member_id = draft.sender_id if other and command.conversation_id and not command.after else None
    block = (other, draft.sender_id) if other else None
    if not seqs and member_id is None and block is None:
        return Lookup({})
    found = log.lookup(draft.conversation_id, seqs=seqs, member_id=member_id, block=block)
    if len(found.entries) < len(set(seqs)) or (member_id and found.member is None):
        found = log.lookup(draft.conversation_id, seqs=seqs, member_id=member_id, block=block, consistent=True)
    if member_id and found.member is None:
        raise NotAMember
    return found


def _base(draft: Draft, command: SendMessage, found: Lookup, log: ConversationLog) -> tuple[Entry | None, list[Entry]]:
    """The entry to append behind, and the entries to compare with before that."""
    if command.after is None or command.client_message_id is None:
        tail = log.read_back(draft.conversation_id, limit=_TAIL if command.client_message_id else 1)
        return (tail[0] if tail else None), tail
    return found.entries.get(command.after), []


def _needs_note(draft: Draft, command: SendMessage) -> bool:
    """Whether nothing but a note of its id can tell this message from its resend: there is an id, and no `after`."""
    return command.after is None and draft.client_message_id is not None


def _answered_before(
    draft: Draft, command: SendMessage, log: ConversationLog, refusal: ParleyError, *, look_at: int = MAX_EXAMINED
) -> Appended:
    """For a message that can't be stored (any more): what an earlier attempt was answered, delivered to nobody.

    Only with an id can there be one that this has to recognise: behind `after`, or by its note. Raises `refusal` where
    there is none.
    """
    if draft.client_message_id is None:
        raise refusal
    if command.after is not None:
        stored = find_stored(draft, after=command.after, log=log, look_at=look_at)
    else:
        stored = find_noted(draft, draft.client_message_id, log=log)
    if stored is None:
        raise refusal
    return stored


def _with_content(draft: Draft, command: SendMessage, writing: Writing) -> Draft:
    """The draft with what it shows: its own file has to be there, and what it forwards is what that says now.

    A forwarded file needs no look: as long as the original has it, it is ready, and the log makes sure of that.
    Raises NotFound for a file, NotAMember and NotFound for an original.
    """
    if command.forward_of is None:
        if draft.file_id is not None:
            check_file(draft, writing.files.get(draft.file_id))
        return draft
    conversation_id, seq = command.forward_of
    check_possible_member(conversation_id, draft.sender_id)
    member_id = draft.sender_id if is_group_id(conversation_id) else None
    found = writing.log.lookup(conversation_id, seqs=[seq], member_id=member_id, consistent=True)
    if member_id is not None and found.member is None:
        raise NotAMember
    original = check_readable(found.entries.get(seq))
    return replace(draft, content=original.content or "", message_type=original.message_type, file_id=original.file_id)
