"""A user's standing in a conversation, and the roster of a group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

from shared.domain.changes import FROM_JOINING, History, JoinPolicy, Role
from shared.domain.entries import Entry, author_key

Notify = Literal["all", "mentions", "none"]
"""Which of a conversation's messages its member wants to be pushed."""


@dataclass(frozen=True, slots=True)
class Preferences:
    """How a member wants a conversation shown and announced. `muted_until` is milliseconds."""

    muted_until: int | None = None
    notify: Notify = "all"
    pinned: bool = False
    archived: bool = False

    def is_muted(self, now: int) -> bool:
        return self.muted_until is not None and self.muted_until > now


@dataclass(frozen=True, slots=True)
class Member:
    """A user's standing in one conversation. Cursors only grow; `read_number` is the `number` at `read_seq`.

    `wrote_number` is that of the member's last message which the log's entries do not tell any more (0: they do).
    `joined_seq` is the entry with which a group's member came (last); 0 in a private conversation. `hidden_seq` is
    the head at which the user hid a private conversation: it is out of the inbox until the next message. `data` is what
    the team hangs on the member, and `about` what it hangs on a private conversation, both as JSON (see `custom.py`).
    `visible_from` is the first entry that the member may see of a group which hides from who joins what was before; 0
    where it does not. `may_end`: the conversation keeps its entries by a rule of its own, or did: what is not there may
    have ended.
    """

    conversation_id: str
    user_id: str
    joined_at: int
    joined_seq: int = 0
    read_seq: int = 0
    read_number: int = 0
    delivered_seq: int = 0
    hidden_seq: int | None = None
    preferences: Preferences = field(default_factory=Preferences)
    wrote_number: int = 0
    data: str | None = None
    about: str | None = None
    visible_from: int = 0
    may_end: bool = False

    def with_read(self, seq: int, number: int) -> Member:
        """The member after reading up to `seq`; reading implies delivery."""
        return replace(self, read_seq=seq, read_number=number, delivered_seq=max(seq, self.delivered_seq))

    @property
    def seen_through(self) -> int:
        """Up to where nothing is to be shown any more: it was read, or the conversation hidden with what was there."""
        return max(self.read_seq, self.hidden_seq or 0)

    def is_silent(self, now: int) -> bool:
        """Whether the member wants to be told of nothing there."""
        return self.preferences.is_muted(now) or self.preferences.notify == "none"

    @property
    def has_got(self) -> int:
        """Up to where messages have reached a device of this member."""
        return max(self.read_seq, self.delivered_seq)


@dataclass(frozen=True, slots=True)
class Group:
    """A group's own item, or a channel's, which has a `join`. Who is in it, or writes there, stands in the roster.

    `topic`, `avatar` and `data` (JSON, see `custom.py`) are what it says of itself beside its name. `slow_mode`: how
    many seconds its plain members wait from one message to the next. `frozen`: they don't write at all.
    """

    conversation_id: str
    name: str
    created_by: str
    created_at: int
    size: int
    join: JoinPolicy | None = None
    topic: str | None = None
    avatar: str | None = None
    data: str | None = None
    slow_mode: int | None = None
    frozen: bool | None = None
    history: History = "all"

    @property
    def hides(self) -> bool:
        """Whether who joins it now sees nothing of before."""
        return self.history == FROM_JOINING


@dataclass(frozen=True, slots=True)
class Seat:
    """A member as the group sees them. `listed`: their connections are attendees, see `operations/attendance.py`."""

    user_id: str
    role: Role
    joined_at: int
    listed: bool = False
    visible_from: int = 0


@dataclass(frozen=True, slots=True)
class Roster:
    """A group and everyone in it, or a channel and those who write there, read at one moment."""

    group: Group
    seats: Mapping[str, Seat]


def unread(member: Member, head: Entry | None) -> int:
    """Messages after the read cursor and after the member's own last one: who writes has seen what was there."""
    if head is None or head.is_trimmed:  # all that there was has ended
        return 0
    return max(0, head.number - seen_number(member, head))


def seen_number(member: Member, head: Entry) -> int:
    """The number of the last message that the member has read, or has written. Nothing up to it is news to them."""
    own = max(head.authors.get(author_key(member.user_id), 0), member.wrote_number)
    return max(member.read_number, own)


def is_in_inbox(member: Member, head: Entry | None) -> bool:
    """Whether the conversation counts among the member's: not one that they hid, and that has no message since."""
    hidden_seq = member.hidden_seq
    return hidden_seq is None or (head is not None and head.message_seq > hidden_seq)
