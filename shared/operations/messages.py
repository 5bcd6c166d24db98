"""Sending a message: look up, decide, append, and only then tell everyone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Protocol

from shared.clock import SECOND_MS
from shared.domain import rules
from shared.domain.connections import Connection
from shared.domain.custom import attachments_text, data_text
from shared.domain.entries import SYSTEM, Draft, Entry, MessageType, ReadAlong, author_key, displaced, files_of
from shared.domain.permissions import Matrix
from shared.domain.text import has_roles, other_member, private_conversation_id
from shared.errors import (
    BadRequest,
    Blocked,
    Forbidden,
    NotAMember,
    NotFound,
    ParleyError,
    RateLimited,
    SyncRequired,
    Unavailable,
)
from shared.operations.audiences import audience_behind
from shared.operations.connections import register
from shared.operations.context import MAX_ATTEMPTS, Context
from shared.operations.delivery import broadcast, settle
from shared.operations.presence import best_effort
from shared.operations.receipts import read_along
from shared.operations.resends import MAX_EXAMINED, Appended, answered_before, recognise, told_again
from shared.operations.turns import BUSY_MS, Turn
from shared.operations.visibility import tell_granted
from shared.ports.conversations import ConversationLog, Lookup
from shared.ports.services import Services
from shared.ports.stores import ChatStores

if TYPE_CHECKING:  # a Protocol is a class to make, at every cold start
    from shared.domain.screening import Held

    class Place(Protocol):
        """Where a message is."""

        @property
        def conversation_id(self) -> str: ...
        @property
        def seq(self) -> int: ...

    class Composed(Protocol):
        """A message as its sender wrote it: the frame and the HTTP body have the same fields."""

        @property
        def content(self) -> str: ...
        @property
        def message_type(self) -> MessageType: ...
        @property
        def client_message_id(self) -> str | None: ...
        @property
        def after(self) -> int | None: ...
        @property
        def reply_to(self) -> int | None: ...
        @property
        def mentions(self) -> Sequence[str]: ...
        @property
        def file_id(self) -> str | None: ...
        @property
        def data(self) -> Mapping[str, Any] | None: ...
        @property
        def attachments(self) -> Sequence[Mapping[str, Any]]: ...
        @property
        def forward_of(self) -> Place | None: ...


# A message with an id and without `after` goes to the tail, and is compared with so many entries there: they come with
# the read of the tail, which costs one unit for this many of usual size, and spare the refused write of a quick resend.
_TAIL: Final = 20
# How much of a log is read to find a message that its sender sent before they left. No outsider can make us read
# a conversation: this costs a unit or two where messages are of usual size.
_LOOK_FOR_OUTSIDERS: Final = 100


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class SendMessage:
    """What a client asks for: `to` or `conversation_id`, and `after`, the entry that it held when composing.

    `forward_of` is a message whose content becomes this one's. `read` is how far the sender has read meanwhile.
    """

    sender_id: str
    content: str
    to: str | None = None
    conversation_id: str | None = None
    message_type: MessageType = "text"
    client_message_id: str | None = None
    after: int | None = None
    reply_to: int | None = None
    mentions: tuple[str, ...] = ()
    file_id: str | None = None
    data: Mapping[str, Any] | None = None
    attachments: Sequence[Mapping[str, Any]] = ()
    forward_of: tuple[str, int] | None = None
    read: int | None = None
    is_guest: bool = False


def send_command(
    composed: Composed,
    *,
    sender_id: str,
    conversation_id: str | None,
    to: str | None = None,
    read: int | None = None,
    is_guest: bool = False,
) -> SendMessage:
    """The operation's command. Either `to` or `conversation_id` says where the message goes."""
    source = composed.forward_of
    return SendMessage(
        sender_id=sender_id,
        content=composed.content,
        to=to,
        conversation_id=conversation_id,
        message_type=composed.message_type,
        client_message_id=composed.client_message_id,
        after=composed.after,
        reply_to=composed.reply_to,
        mentions=tuple(composed.mentions),
        file_id=composed.file_id,
        data=composed.data,
        attachments=composed.attachments,
        forward_of=(source.conversation_id, source.seq) if source else None,
        read=read,
        is_guest=is_guest,
    )


def send_message(
    command: SendMessage,
    *,
    connection: Connection | None = None,
    stores: ChatStores,
    services: Services,
    context: Context,
) -> Appended | Held:
    """Store a message and deliver it to the other members and to the sender's other devices.

    `connection` sends it, and gets the reply instead of the event; it is registered again where its user's session
    lacks it. Who writes back for the first time and the other may see each other's presence now: both are told.
    A duplicate is delivered again too: the first attempt may have died between its write and its posts. In large groups
    the stream side delivers. How far the sender has read is stored once the message is, goes out with it, and fails
    alone: see `read_along`. Held: it waits for somebody to look at it. Raises what `store_message` raises, and
    Unavailable also where the message is stored and the sessions can't be read or changed right now: the resend finds
    it, and delivers it again.
    """
    stored = store_message(command, stores=stores, context=context)
    if not isinstance(stored, Appended):
        return stored
    if context.screen is not None:
        stored = replace(stored, changed=_is_changed(command, stored.entry))
    event: Entry | ReadAlong = stored.entry
    if command.read:
        skip = connection.connection_id if connection else ""
        along = read_along(command.read, stored, skip=skip, stores=stores, services=services, context=context)
        stored, event = along.stored, along.event
    tell_stored(stored, event, connection=connection, stores=stores, services=services, context=context)
    return stored


def _is_changed(command: SendMessage, entry: Entry) -> bool:
    """Whether a message says something else than what was sent: a forwarded one had nothing to say."""
    if command.forward_of is not None:
        return False
    said, data = entry.seen_by(entry.sender_id), None if command.data is None else data_text(command.data)
    return said.deleted_at is None and (said.content, said.data) != (command.content, data)


def tell_stored(
    stored: Appended,
    event: Entry | ReadAlong | None = None,
    *,
    connection: Connection | None = None,
    stores: ChatStores,
    services: Services,
    context: Context,
) -> None:
    """Deliver a stored message, or the `event` of it and more, to all who are to hear of it but `connection`."""
    entry, skip = stored.entry, connection.connection_id if connection else ""
    event, to = event or entry, () if entry.fan_out else stored.audience.members
    if entry.shadow is not None or stored.changed:  # nobody else gets what its sender does
        own, to = entry.seen_by(entry.sender_id), tuple(user for user in to if user != entry.sender_id)
        but = "" if stored.changed else skip
        broadcast(own, to=(entry.sender_id,), skip=but, stores=stores, services=services, now=context.now())
    delivered = broadcast(event, to=to, skip=skip, stores=stores, services=services, now=context.now())
    lost = settle(delivered, connection, services=services, now=context.now())
    if lost is not None:
        register(lost, limit=context.limits.connection_limit, stores=stores, services=services, now=context.now)
    other = other_member(entry.conversation_id, entry.sender_id)
    if entry.first_answer and other is not None:
        best_effort(services, tell_granted, entry.sender_id, other, stores=stores, services=services, now=context.now)


def store_message(command: SendMessage, *, stores: ChatStores, context: Context) -> Appended | Held:
    """Decide whether the message may be sent, and append it; or keep it for somebody to look at.

    Raises BadRequest and TooLarge (content, `after` that names no entry), NotAMember, Forbidden (a channel's reader),
    Blocked, NotFound (the message replied to or forwarded, the file), Conflict, SyncRequired, Unavailable, and Rejected
    where the deployment does not take it.
    """
    log, bounds, matrix = stores.log, context.limits.bounds, context.limits.matrix
    draft = _draft(command, context.new_nonce(), bounds)
    rules.check_possible_member(draft.conversation_id, draft.sender_id)
    found = _lookup(draft, command, log)
    base, tail = _base(draft, command, found, log)
    if command.after and not _is_kept(command.after, found, draft, log):
        return _behind_what_ended(draft, command.after, stores, context)
    if base is None and command.is_guest and not has_roles(draft.conversation_id):
        _check_begun(draft, log)
    try:
        # Behind the base, so that it is at least as new: who was removed before the base is not in it.
        audience = rules.Audience.of_private(draft.conversation_id) or audience_behind(
            base, draft.conversation_id, draft.sender_id, mentions=draft.mentions, stores=stores, context=context
        )
    except (NotAMember, Forbidden) as refusal:
        return answered_before(draft, after=command.after, log=log, refusal=refusal, look_at=_LOOK_FOR_OUTSIDERS)
    rules.check_after(command.after, found.entries)
    for entry in tail:
        if draft.is_stored_as(entry):
            return recognise(draft, entry, audience)
    try:
        rules.check_sending(draft, audience, matrix)
        rules.check_mentions(draft.mentions, audience, bounds, by=draft.sender_id, matrix=matrix)
        rules.check_reply(command.reply_to, found.entries, audience.begins.get(draft.sender_id, 0))
        if found.blocked:
            raise Blocked
        ready = _with_content(draft, command, stores)
        rules.check_sending(ready, audience, matrix)  # a forwarded one has its content by now
        rules.check_weight(ready, base)
        slowed_s = rules.slowed_s(draft.sender_id, audience, matrix)
        _wait_turn(ready, slowed_s, stores, context)  # also for what is held then
        if context.screen is not None and ready.message_type != SYSTEM:
            screened = context.screen.message(ready, base)
            if not isinstance(screened, Draft):
                return _approved(draft, screened, log) or screened
            ready = replace(screened, shadow=context.screen.is_shadowed(draft.sender_id))
    except ParleyError as refusal:
        return answered_before(draft, after=command.after, log=log, refusal=refusal)
    appended = append(
        replace(ready, fan_out=True)
        if rules.is_told_later(draft.conversation_id, audience, context.limits.inline_limit)
        else ready,
        base=base,
        audience=audience,
        # Nothing but a note of its id tells it from its resend.
        once=command.after is None and draft.client_message_id is not None,
        stores=stores,
        context=context,
    )
    return told_again(appended, stores, context) if appended.duplicate else appended


def _wait_turn(draft: Draft, slowed_s: int, stores: ChatStores, context: Context) -> None:
    """In a group with slow mode: one message in so many seconds, whatever is sent at once. Raises RateLimited."""
    if not slowed_s:
        return
    now = context.now()
    wait_ms = stores.memberships.take_turn(
        draft.conversation_id,
        draft.sender_id,
        message=draft.client_message_id or draft.nonce,
        until=now + slowed_s * SECOND_MS,
        now=now,
    )
    if wait_ms:
        raise RateLimited("This group is in slow mode", retry_after_ms=wait_ms)


def _approved(draft: Draft, held: Held, log: ConversationLog) -> Appended | None:
    """Where a message stands that was held, and taken since; None as long as it is not."""
    place = (held.conversation_id, held.seq or 0)
    entry = log.fetch([place]).get(place) if held.seq else None
    return None if entry is None else recognise(draft, entry, rules.Audience({}))


def _draft(command: SendMessage, nonce: str, bounds: rules.Bounds) -> Draft:
    if (command.to is None) == (command.conversation_id is None):
        raise BadRequest("A message needs either `to` or `conversation_id`")
    attachments = attachments_text(command.attachments) if command.attachments else None
    if command.forward_of is None:
        rules.check_file_named(command.message_type, command.file_id)
        rules.check_content(command.content, bounds)
        rules.check_shows(command.content, command.file_id, attachments)
    elif command.content or command.file_id is not None or attachments is not None:
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
        data=None if command.data is None else data_text(command.data),
        attachments=attachments,
        forward_of=command.forward_of,
    )


def _lookup(draft: Draft, command: SendMessage, log: ConversationLog) -> Lookup:
    """One eventually consistent round trip, and a strong one only where that missed something.

    A private conversation named by `conversation_id` must exist, as an entry or a membership shows: else NotAMember.
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


def _is_kept(after: int, found: Lookup, draft: Draft, log: ConversationLog) -> bool:
    """Whether nothing can be gone of what is behind the entry that the client held: it is kept, or the last.

    Else the place behind it may be free though others followed. True also where it names none: that is refused anyhow.
    Without a read where it is there, and has not ended: so nearly all are.
    """
    held = found.entries.get(after)
    if held is not None and not held.is_trimmed:
        return True
    there = log.read(draft.conversation_id, start=after, limit=2)
    if held is None:
        return not there
    # What was held may have been read from before its row went: then it is not among these.
    following = [entry for entry in there if entry.seq > after][:1]
    return all(entry.seq == after + 1 and not entry.is_trimmed for entry in following)


def _behind_what_ended(draft: Draft, after: int, stores: ChatStores, context: Context) -> Appended:
    """What is answered to those who held an entry that has ended: to sync, if they are in the conversation still.

    Who is not would sync in vain, and ask for ever. Raises SyncRequired, NotAMember, Forbidden.
    """
    log, look_at = stores.log, MAX_EXAMINED
    refusal: ParleyError = SyncRequired()
    if has_roles(draft.conversation_id):
        try:
            (tail,) = log.read_back(draft.conversation_id, limit=1)
            audience_behind(tail, draft.conversation_id, draft.sender_id, stores=stores, context=context)
        except (NotAMember, Forbidden) as not_in:
            refusal, look_at = not_in, _LOOK_FOR_OUTSIDERS
    return answered_before(draft, after=after, log=log, refusal=refusal, look_at=look_at)


def _check_begun(draft: Draft, log: ConversationLog) -> None:
    """Of a guest's message behind no entry, into a private conversation. Raises Forbidden."""
    if not log.read_back(draft.conversation_id, limit=1):
        raise Forbidden("A guest answers, and begins no conversation")


def _with_content(draft: Draft, command: SendMessage, stores: ChatStores) -> Draft:
    """The draft with what it shows: its own files have to be there, and what it forwards is what that says now.

    A forwarded file needs no look: as long as the original has it, it is ready, and the log makes sure of that. What
    the original's team hung on it as `data` stays there, and words of the team's become the user's.
    Raises NotFound for a file, NotAMember and NotFound for an original.
    """
    if command.forward_of is None:
        named = files_of(draft.file_id, draft.attachments)
        if not named:
            return draft
        files = stores.files.find(named)
        rules.check_files(draft, files)
        return replace(draft, media=files[draft.file_id].media) if draft.file_id is not None else draft
    conversation_id, seq = command.forward_of
    rules.check_possible_member(conversation_id, draft.sender_id)
    member_id = draft.sender_id if has_roles(conversation_id) else None
    found = stores.log.lookup(conversation_id, seqs=[seq], member_id=member_id, consistent=True)
    begins = found.member.visible_from if found.member else 0
    if member_id is not None and found.member is None:
        raise NotAMember
    original = rules.check_readable(found.entries.get(seq))
    if seq < begins:
        raise NotFound("There is no message at this seq")
    return replace(
        draft,
        content=original.content or "",
        message_type="text" if original.message_type == SYSTEM else original.message_type,
        file_id=original.file_id,
        attachments=original.attachments,
        media=original.media,
    )


def append(
    draft: Draft,
    *,
    base: Entry | None,
    audience: rules.Audience,
    once: bool = False,
    stores: ChatStores,
    context: Context,
) -> Appended:
    """Append `draft` behind `base`, the entry the client held (None: it held none), or as near behind as is free.

    `audience` was read after `base`; what the log says about members behind `base` is added on the way, so that no one
    writes, and no one is written to, who was removed before the message's place. The two of a private conversation
    become members with its first entry. `once`: the client did not say what it held, so a note of the message's id
    tells an earlier attempt from before `base`. Whom the entry has no room for among its authors gets the number of
    their last message into their own membership before it is put.
    Guarantee: when this returns, the message is durable, and stands in the log exactly once.
    Raises NotAMember (the sender was removed meanwhile), BadRequest (a user mentioned was), Conflict (same
    client_message_id, other content), SyncRequired (over 1,000 entries since `base`), Unavailable (too much contention:
    nothing is stored, or the resend finds it).
    """
    came = context.now()
    place = _Place(base, audience, context.limits.matrix)
    turn: Turn | None = None
    if base is not None and base.waited and came - base.created_at < BUSY_MS:
        turn = Turn(came, base, log=stores.log, context=context)
        if (stored := place.move(draft, turn.approach())) is not None:
            return recognise(draft, stored, place.audience)
    noted: dict[str, int] = {}
    for _ in range(MAX_ATTEMPTS):
        now = context.now()
        entry = draft.following(place.base, now, waited=max(1, now - came) if place.examined else 0)
        _note_displaced(place.base, entry, noted, place.audience, stores)
        new_members = _new_members(draft, place.base, place.audience)
        there = stores.log.put(entry, new_members=new_members, once=once)
        if there is None:
            return Appended(entry, duplicate=False, audience=place.audience)
        turn = turn or Turn(came, there, log=stores.log, context=context)
        if (stored := place.move(draft, turn.after_losing(there))) is not None:
            return recognise(draft, stored, place.audience)
    raise Unavailable("This conversation is very busy: try again")


def _new_members(draft: Draft, base: Entry | None, audience: rules.Audience) -> tuple[str, ...]:
    """Who becomes a member with the draft: the two of a private conversation in which nobody has written.

    Of one that only its sender sees, they alone.
    """
    if audience.group is not None or (base is not None and base.number):
        return ()
    return (draft.sender_id,) if draft.shadow else audience.members


class _Place:
    """Where a draft goes: right behind `base`, the last entry that was examined on the way there."""

    __slots__ = ("audience", "base", "examined", "matrix")

    def __init__(self, base: Entry | None, audience: rules.Audience, matrix: Matrix) -> None:
        self.base, self.audience, self.matrix = base, audience, matrix
        self.examined = 0

    def move(self, draft: Draft, entries: Iterable[Entry]) -> Entry | None:
        """Go behind `entries`, which follow `base`. Returns the one that is this message, where it is among them.

        Raises SyncRequired, also where some in between are gone, since they have ended; and, for what they say of
        members, NotAMember and BadRequest.
        """
        for met in entries:
            if draft.is_stored_as(met):
                return met
            self.examined += 1
            is_gap = met.seq > (self.base.seq if self.base else 0) + 1
            if is_gap or self.examined > MAX_EXAMINED:
                raise SyncRequired
            self.base, self.audience = met, self.audience.after([met])
        if draft.sender_id not in self.audience:
            raise self.audience.refusal(draft.sender_id)
        rules.check_sending(draft, self.audience, self.matrix)
        rules.check_mentions(draft.mentions, self.audience, by=draft.sender_id, matrix=self.matrix)
        return None


def _note_displaced(
    base: Entry | None, entry: Entry, noted: dict[str, int], audience: rules.Audience, stores: ChatStores
) -> None:
    """Keep the numbers of the last messages that `entry` no longer tells of, for those who are still members.

    The messages are stored already, and each is noted before the entry: so members find their own there, or here.
    `noted` is what earlier attempts have kept.
    """
    leaving = {key: number for key, number in displaced(base, entry).items() if noted.get(key) != number}
    if not leaving:
        return
    for user in audience.members:
        if (number := leaving.get(author_key(user))) is not None:
            stores.memberships.note_written(entry.conversation_id, user, number=number)
    noted |= leaving
