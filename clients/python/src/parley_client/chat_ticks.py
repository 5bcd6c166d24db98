"""Which of the own messages another member has read: one rule for what comes live and for what is looked up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from parley_client.conversation import is_group
from parley_client.events import MembersAdded, MembersRemoved, Message, ReadReceipt
from parley_client.resources import Member

STORED: Final = "✓"
READ: Final = "✓✓"


@dataclass(slots=True)
class Ticks:
    """Of one conversation. In a group the first reader counts, of those who were there when it was written.

    `_joined` (ms) and `_read` are the other members'; `_unread` are the own messages that were shown as stored.
    """

    conversation_id: str
    me: str
    _joined: dict[str, int] = field(default_factory=dict)
    _read: dict[str, int] = field(default_factory=dict)
    _unread: dict[int, Message] = field(default_factory=dict)

    def seed(self, members: Iterable[Member]) -> None:
        for member in members:
            if member.user_id != self.me:
                self._joined[member.user_id] = member.joined_at
                self._advance(member.user_id, member.read_seq)

    def of(self, message: Message) -> str:
        """The tick of a message that is about to be shown; none for those of others."""
        if message.sender_id != self.me:
            return ""
        if message.status == "read" or any(self._has_read(user, message) for user in self._read):
            self._unread.pop(message.seq, None)
            return READ
        self._unread[message.seq] = message
        return STORED

    def read(self, receipt: ReadReceipt) -> int | None:
        """The latest of the messages that are read with this, and were not before."""
        if receipt.user_id == self.me:
            return None
        self._advance(receipt.user_id, receipt.seq)
        found = [seq for seq, message in self._unread.items() if self._has_read(receipt.user_id, message)]
        for seq in found:
            del self._unread[seq]
        return max(found, default=None)

    def joined(self, entry: MembersAdded) -> None:
        self._joined |= dict.fromkeys(entry.users, entry.timestamp)

    def left(self, entry: MembersRemoved) -> None:
        for user in entry.users:
            self._joined.pop(user, None)
            self._read.pop(user, None)

    def _advance(self, user: str, seq: int) -> None:
        self._read[user] = max(seq, self._read.get(user, 0))

    def _has_read(self, user: str, message: Message) -> bool:
        was_there = not is_group(self.conversation_id) or self._joined.get(user, 0) <= message.created_at
        return was_there and self._read.get(user, 0) >= message.seq
