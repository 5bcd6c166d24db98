"""A conversation as a chat shows it, made from its events: the same for every client that has seen the same log.

A pure reducer: no clock, no I/O. Feed it the events of one conversation, in the order of the stream.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from parley_client.events import (
    ConversationUpdated,
    Delivered,
    Entry,
    Event,
    LogEntry,
    MembersAdded,
    MembersRemoved,
    Message,
    MessageDeleted,
    MessageEdited,
    Reaction,
    ReadReceipt,
)

_OWNER: Final = "owner"
_MEMBER: Final = "member"


@dataclass(slots=True)
class ConversationView:
    """What is to be seen of one conversation.

    messages: by seq, as they are now, and as the history would give them.
    members: user → role, as far as the log was seen: a client that joined later gets the rest by `seed`.
    held: the last entry that was applied; one that comes again changes nothing.
    read, delivered: user → how far.
    """

    conversation_id: str
    name: str | None = None
    messages: dict[int, Message] = field(default_factory=dict)
    members: dict[str, str] = field(default_factory=dict)
    read: dict[str, int] = field(default_factory=dict)
    delivered: dict[str, int] = field(default_factory=dict)
    held: int = 0

    def __post_init__(self) -> None:
        kind, *users = self.conversation_id.split(":")
        if kind == "dm":
            self.members |= dict.fromkeys(users, _MEMBER)

    def seed(
        self,
        *,
        messages: Iterable[Message] = (),
        members: Mapping[str, str] | None = None,
        name: str | None = None,
    ) -> None:
        """What was fetched over HTTP: as it is now, which the entries that are still to come repeat at most."""
        for message in messages:
            self.messages[message.seq] = _as_shown(message)
        self.members |= members or {}
        self.name = self.name if name is None else name

    def apply(self, event: Event) -> bool:
        """Returns whether it was new here. Events of other conversations are none of its business."""
        if getattr(event, "conversation_id", None) != self.conversation_id:
            return False
        if isinstance(event, ReadReceipt):
            return self.mark_read(event.user_id, event.seq)
        if isinstance(event, Delivered):
            return _advance(self.delivered, event.user_id, event.seq)
        if not isinstance(event, Entry) or event.seq <= self.held:
            return False
        self.held = event.seq
        self._apply_entry(event)
        return True

    def mark_read(self, user_id: str, seq: int) -> bool:
        """The user has read up to here: for oneself, whom no receipt comes for."""
        _advance(self.delivered, user_id, seq)
        return _advance(self.read, user_id, seq)

    def unread(self, user_id: str) -> int:
        """Messages of others behind the user's read cursor or their own last message, whichever is later."""
        own = (seq for seq, message in self.messages.items() if message.sender_id == user_id)
        floor = max(self.read.get(user_id, 0), max(own, default=0))
        return sum(seq > floor and message.sender_id != user_id for seq, message in self.messages.items())

    def _apply_entry(self, entry: Entry) -> None:
        match entry:
            case Message():
                self.messages[entry.seq] = _as_shown(entry)
            case MessageEdited() | MessageDeleted() | Reaction():
                message = self.messages.get(entry.message_seq)
                if message is not None and message.deleted_at is None:
                    self.messages[message.seq] = _changed(message, entry)
            case MembersAdded():
                self._add(entry)
            case MembersRemoved():
                for user in entry.users:
                    for of_members in (self.members, self.read, self.delivered):
                        of_members.pop(user, None)
            case ConversationUpdated():
                self.name = self.name if entry.name is None else entry.name
                self.members |= {user: role for user, role in entry.roles.items() if user in self.members}
            case LogEntry():
                return

    def _add(self, entry: MembersAdded) -> None:
        """The first entry of a group is its creation: its writer owns the group."""
        self.members |= dict.fromkeys(entry.users, _MEMBER)
        if entry.seq == 1:
            self.members[entry.user_id] = _OWNER
            self.name = entry.name


def _changed(message: Message, entry: MessageEdited | MessageDeleted | Reaction) -> Message:
    match entry:
        case MessageEdited(content=None):
            return message  # a later entry says how it reads now
        case MessageEdited():
            edited_at, is_cut = entry.timestamp, entry.content_cut
            data = entry.data if entry.has_data else message.data
            return replace(message, content=entry.content, edited_at=edited_at, content_cut=is_cut, data=data)
        case MessageDeleted():
            return _as_shown(replace(message, deleted_at=entry.timestamp))
        case Reaction() if message.reaction_total is not None:
            return message  # came with counts: whose they are is not known here, and so not which one changes
        case Reaction():
            return replace(message, reactions=_reacted(message.reactions, entry))


def _reacted(reactions: Mapping[str, tuple[str, ...]], entry: Reaction) -> dict[str, tuple[str, ...]]:
    users = set(reactions.get(entry.emoji, ())) - {entry.user_id}
    users |= set() if entry.removed else {entry.user_id}
    changed = {**reactions, entry.emoji: tuple(sorted(users))}
    return {emoji: by for emoji, by in changed.items() if by}


def _as_shown(message: Message) -> Message:
    """A deleted message has its place, its author and its times, and nothing else."""
    if message.deleted_at is None:
        return message
    return Message(
        conversation_id=message.conversation_id,
        seq=message.seq,
        sender_id=message.sender_id,
        content=None,
        type=message.type,
        created_at=message.created_at,
        id=message.id,
        deleted_at=message.deleted_at,
    )


def _advance(cursors: dict[str, int], user_id: str, seq: int) -> bool:
    if seq <= cursors.get(user_id, 0):
        return False
    cursors[user_id] = seq
    return True
