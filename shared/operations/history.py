"""Reading a conversation's messages back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from typing import Final

from shared.domain.entries import Entry, Progress
from shared.domain.members import Member
from shared.domain.rules import check_possible_member
from shared.domain.text import is_channel_id, other_member, private_members
from shared.errors import BadRequest, NotAMember, NotFound
from shared.operations.audiences import audience_of
from shared.operations.trimming import kept_back, kept_from
from shared.ports.conversations import ConversationLog
from shared.ports.stores import ChatStores

# Messages may lie far apart, with many reactions between them. A page that has some is not searched on for ever.
_MAX_PAGES: Final = 10
_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Span:
    """Which entries: up to `limit` below `before` (default: the head), or above `after`; `notices` count among them."""

    limit: int
    before: int | None = None
    after: int | None = None
    notices: bool = False


@dataclass(frozen=True, slots=True)
class History:
    """A page. The cursors of `reader`, a private conversation's other member, give the status; `notices` if asked.

    `trimmed_below`: where the page reaches the messages that are kept no longer, the first place that is; else 0.
    """

    messages: Sequence[Entry]
    has_more: bool
    reader: Member | None = None
    notices: Sequence[Entry] | None = None
    trimmed_below: int = 0

    def status(self, entry: Entry) -> Progress | None:
        """sent, delivered or read, by the other side; None for the other side's own messages, and in groups."""
        if self.reader is None or entry.sender_id == self.reader.user_id:
            return None
        return status_of(entry, [self.reader])


@dataclass(frozen=True, slots=True)
class Single:
    """`others` are the cursors of those to whom a message of the reader's own was written, else None."""

    entry: Entry
    is_group: bool
    others: Sequence[Member] | None


def status_of(entry: Entry, others: Sequence[Member]) -> Progress:
    """What all of `others` have done with the message."""
    if others and all(member.read_seq >= entry.seq for member in others):
        return "read"
    if others and all(member.has_got >= entry.seq for member in others):
        return "delivered"
    return "sent"


def history(conversation_id: str, span: Span, *, user_id: str, stores: ChatStores) -> History:
    """Messages, newest first, or oldest first above `after`. Raises NotAMember, BadRequest."""
    if span.before is not None and span.after is not None:
        raise BadRequest("Give `before` or `after`, not both")
    check_possible_member(conversation_id, user_id)
    asked = private_members(conversation_id) or (user_id,)
    members = stores.memberships.among(conversation_id, asked)
    if user_id not in members:
        raise NotAMember
    found, has_more, below = _entries(span, members[user_id], stores.log)
    messages = [entry for entry in found if entry.is_message]
    notices = [entry for entry in found if not entry.is_message] if span.notices else None
    return History(messages, has_more, members.get(other_member(conversation_id, user_id) or ""), notices, below)


def _entries(span: Span, reader: Member, log: ConversationLog) -> tuple[list[Entry], bool, int]:
    """Up to `limit` of them, as the reader sees them, whether there is more, and which is the first that is kept.

    Others are read over: that may take several queries. What was before the reader's log begins is as if it were not
    there.
    """
    found: list[Entry] = []
    conversation_id, visible_from, limit = reader.conversation_id, reader.visible_from, span.limit
    at, size = (span.before if span.after is None else span.after), limit + 1
    below = 0
    for page_number in count(1):
        if span.after is None:
            page, first = kept_back(conversation_id, at, size, log)
        else:
            page, first = kept_from(conversation_id, max((at or 0) + 1, visible_from), size, log)
        below = max(below, first)
        seen = [entry.seen_by(reader.user_id) for entry in page if entry.seq >= visible_from]
        found += [entry for entry in seen if entry.is_message or (span.notices and entry.is_notice)]
        if len(found) > limit:
            return found[:limit], True, below
        if len(page) < size or len(seen) < len(page):
            break
        if found and page_number >= _MAX_PAGES:
            return found, True, below
        at, size = page[-1].seq, _PAGE
    return found, False, below


def read_message(conversation_id: str, seq: int, *, user_id: str, stores: ChatStores) -> Single:
    """One message; for the user's own with everyone's cursors. Raises NotAMember, NotFound (also for other entries)."""
    check_possible_member(conversation_id, user_id)
    found = stores.log.lookup(conversation_id, seqs=[seq] if seq else [], member_id=user_id, consistent=True)
    if found.member is None:
        raise NotAMember
    entry = found.entries.get(seq)
    entry = None if entry is None else entry.seen_by(user_id)
    if entry is None or not entry.is_message or seq < found.member.visible_from:
        raise NotFound("There is no message at this seq")
    is_group = private_members(conversation_id) is None
    if entry.sender_id != user_id or is_channel_id(conversation_id):
        return Single(entry, is_group, None)
    audience = audience_of(conversation_id, user_id, stores=stores)
    others = [user for user in audience.members if user != user_id]
    members = stores.memberships.among(conversation_id, others).values()
    return Single(entry, is_group, [member for member in members if member.joined_seq < entry.seq])
