"""What a conversation is made of: entries of its log, and the members who read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Final

MESSAGE: Final = "message"

# How many recent writers an entry remembers. Enough that "unread" leaves out one's own messages in any private
# conversation, and in a group unless this many others have written since; 16 pairs add about 300 bytes at most.
AUTHORS_KEPT: Final = 16


@dataclass(frozen=True, slots=True)
class Entry:
    """One place of a conversation's log. Immutable: what happened as the `seq`-th thing in this conversation.

    `number` counts the messages up to and including this entry, and `authors` says for the latest writers which
    number their last message had: together they give everyone's unread count without any counter to maintain.
    `nonce` is the attempt that stored the entry, `digest` what it was first stored with.
    """

    conversation_id: str
    seq: int
    sender_id: str
    created_at: int
    number: int
    content: str
    kind: str = MESSAGE
    message_type: str = "text"
    client_message_id: str | None = None
    reply_to: int | None = None
    mentions: tuple[str, ...] = ()
    authors: Mapping[str, int] = field(default_factory=dict)
    nonce: str = ""
    digest: str = ""

    @property
    def message_id(self) -> str:
        return f"{self.conversation_id}/{self.seq}"


@dataclass(frozen=True, slots=True)
class Draft:
    """A message before it has a place in the log. `nonce` is fresh for every attempt, `client_message_id` is not."""

    conversation_id: str
    sender_id: str
    content: str
    nonce: str
    message_type: str = "text"
    client_message_id: str | None = None
    reply_to: int | None = None
    mentions: tuple[str, ...] = ()

    def following(self, base: Entry | None, created_at: int) -> Entry:
        """The entry that this draft becomes right behind `base` (None: as the first of its log)."""
        number = base.number + 1 if base else 1
        return Entry(
            conversation_id=self.conversation_id,
            seq=base.seq + 1 if base else 1,
            sender_id=self.sender_id,
            created_at=created_at,
            number=number,
            content=self.content,
            message_type=self.message_type,
            client_message_id=self.client_message_id,
            reply_to=self.reply_to,
            mentions=self.mentions,
            authors=_latest_authors(base.authors if base else {}, self.sender_id, number),
            nonce=self.nonce,
            digest=self.digest,
        )

    def is_stored_as(self, entry: Entry) -> bool:
        """Whether `entry` is this message: this very attempt, or an earlier one of the same client_message_id."""
        if entry.sender_id != self.sender_id:
            return False
        if entry.nonce == self.nonce:
            return True
        return self.client_message_id is not None and entry.client_message_id == self.client_message_id

    @property
    def digest(self) -> str:
        """Tells whether a resend says the same. Survives later edits of the stored entry, unlike its content."""
        parts = (self.content, self.message_type, str(self.reply_to), *self.mentions)
        return blake2b("\x00".join(parts).encode(), digest_size=8).hexdigest()


def _latest_authors(known: Mapping[str, int], sender_id: str, number: int) -> dict[str, int]:
    authors = {**known, sender_id: number}
    newest_first = sorted(authors.items(), key=lambda pair: -pair[1])
    return dict(newest_first[:AUTHORS_KEPT])


@dataclass(frozen=True, slots=True)
class Member:
    """A user's standing in one conversation. Cursors only grow; `read_number` is the `number` at `read_seq`."""

    conversation_id: str
    user_id: str
    joined_at: int
    read_seq: int = 0
    read_number: int = 0
    delivered_seq: int = 0

    def with_read(self, seq: int, number: int) -> Member:
        """The member after reading up to `seq`; reading implies delivery."""
        return replace(self, read_seq=seq, read_number=number, delivered_seq=max(seq, self.delivered_seq))


@dataclass(frozen=True, slots=True)
class Lookup:
    """What one round trip found: of the entries asked for, those that exist, and the member if asked for."""

    entries: Mapping[int, Entry]
    member: Member | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """A cursor that moved: `kind` is "read" or "delivered"."""

    kind: str
    conversation_id: str
    user_id: str
    seq: int
    timestamp: int


def unread(member: Member, head: Entry | None) -> int:
    """Messages after the read cursor and after the member's own last one: who writes has seen what was there."""
    if head is None:
        return 0
    return max(0, head.number - max(member.read_number, head.authors.get(member.user_id, 0)))
