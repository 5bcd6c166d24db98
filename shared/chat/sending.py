"""Sending a message: look up, decide, append, and only then tell everyone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from shared.chat.delivery import Delivered, Event, broadcast
from shared.chat.identifiers import private_conversation_id
from shared.chat.log import Appended, append, recognise
from shared.chat.models import Draft, Entry, Lookup
from shared.chat.ports import ConversationLog
from shared.chat.rules import check_after, check_content, check_file, check_mentions, check_participant, check_reply
from shared.connection.ports import Gateway, Sessions
from shared.errors import BadRequest, NotAMember

# A message without `after` or without an id goes to the tail: ordered, but deduplicated against these last entries
# only. They come with the read of the tail, which costs one unit for this many entries of usual size.
_TAIL: Final = 20


@dataclass(frozen=True, slots=True)
class SendMessage:
    """What a client asks for. `to` or `conversation_id`; `after` is the entry it held when it composed the message."""

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


@dataclass(frozen=True, slots=True)
class Sent:
    entry: Entry
    duplicate: bool
    delivered: Delivered


def send_message(
    command: SendMessage,
    *,
    connection_id: str,
    log: ConversationLog,
    sessions: Sessions,
    gateway: Gateway,
    encode: Callable[[Event], bytes],
    now: Callable[[], int],
    pause: Callable[[int], None],
    new_nonce: Callable[[], str],
) -> Sent:
    """Store a message and deliver it to the other members and to the sender's other devices.

    A duplicate is delivered again too: the first attempt may have died between its write and its posts.
    Raises what `store_message` raises, and Unavailable also where the message is stored and the sessions can't be read
    or changed right now: the resend finds it, and delivers it again.
    """
    stored = store_message(command, log=log, now=now, pause=pause, new_nonce=new_nonce)
    members = check_participant(stored.entry.conversation_id, command.sender_id)
    delivered = broadcast(
        stored.entry, to=members, skip=connection_id, sessions=sessions, gateway=gateway, encode=encode, now=now()
    )
    return Sent(stored.entry, stored.duplicate, delivered)


def store_message(
    command: SendMessage,
    *,
    log: ConversationLog,
    now: Callable[[], int],
    pause: Callable[[int], None],
    new_nonce: Callable[[], str],
) -> Appended:
    """Decide whether the message may be sent, and append it.

    Raises BadRequest and TooLarge (content, `after` that names no entry), NotAMember, NotFound (the message replied
    to), Conflict, SyncRequired, Unavailable.
    """
    check_file(command.message_type, command.file_id)
    check_content(command.content)
    draft = _draft(command, new_nonce())
    members = check_participant(draft.conversation_id, draft.sender_id)
    check_mentions(draft.mentions, members)
    found = _lookup(draft, command, log)
    check_after(command.after, found.entries)
    check_reply(command.reply_to, found.entries)
    if command.after is None or command.client_message_id is None:
        tail = log.read_back(draft.conversation_id, limit=_TAIL)
        for entry in tail:
            if draft.is_stored_as(entry):
                return recognise(draft, entry)
        base = tail[0] if tail else None
    else:
        base = found.entries.get(command.after)
    return append(draft, base=base, new_members=members, log=log, now=now, pause=pause)


def _draft(command: SendMessage, nonce: str) -> Draft:
    if (command.to is None) == (command.conversation_id is None):
        raise BadRequest("A message needs either `to` or `conversation_id`")
    return Draft(
        conversation_id=command.conversation_id or private_conversation_id(command.sender_id, command.to or ""),
        sender_id=command.sender_id,
        content=command.content,
        nonce=nonce,
        message_type=command.message_type,
        client_message_id=command.client_message_id,
        reply_to=command.reply_to,
        mentions=command.mentions,
    )


def _lookup(draft: Draft, command: SendMessage, log: ConversationLog) -> Lookup:
    """One eventually consistent round trip, and a strong one only where that missed something.

    `conversation_id` must name a conversation that exists: an entry of it shows that, else the sender's membership.
    Raises NotAMember.
    """
    seqs = [seq for seq in (command.after, command.reply_to) if seq]
    member_id = draft.sender_id if command.conversation_id and not command.after else None
    if not seqs and member_id is None:
        return Lookup({})
    found = log.lookup(draft.conversation_id, seqs=seqs, member_id=member_id)
    if len(found.entries) < len(set(seqs)) or (member_id and found.member is None):
        found = log.lookup(draft.conversation_id, seqs=seqs, member_id=member_id, consistent=True)
    if member_id and found.member is None:
        raise NotAMember
    return found
