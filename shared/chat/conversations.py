"""Creating private conversations, and the inbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from shared.chat.identifiers import private_conversation_id, private_members
from shared.chat.models import Entry, Member, unread
from shared.chat.ports import ConversationLog, Memberships, Spread


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation as its member's inbox shows it. `head` is None while nothing has been said."""

    member: Member
    head: Entry | None

    @property
    def conversation_id(self) -> str:
        return self.member.conversation_id

    @property
    def members(self) -> tuple[str, ...]:
        return private_members(self.conversation_id) or ()

    @property
    def unread(self) -> int:
        return unread(self.member, self.head)

    @property
    def order(self) -> tuple[int, str]:
        """When something last happened, and the id, so that no two are equal."""
        return (self.head.created_at if self.head else self.member.joined_at, self.conversation_id)


@dataclass(frozen=True, slots=True)
class Inbox:
    """One page, newest first. `next_before` is None at the end."""

    conversations: Sequence[Summary]
    next_before: tuple[int, str] | None


@dataclass(frozen=True, slots=True)
class Created:
    conversation_id: str
    members: tuple[str, ...]
    is_new: bool


def create_private(user_id: str, other: str, *, memberships: Memberships, now: int) -> Created:
    """The private conversation of two users, made if it isn't there. Raises BadRequest for a malformed id."""
    conversation_id = private_conversation_id(user_id, other)
    members = private_members(conversation_id) or ()
    is_new = memberships.create(conversation_id, members, joined_at=now)
    return Created(conversation_id, members, is_new)


def inbox(
    user_id: str,
    *,
    limit: int,
    before: tuple[int, str] | None = None,
    memberships: Memberships,
    log: ConversationLog,
    spread: Spread,
) -> Inbox:
    """The user's conversations, newest first: one query for the memberships, one for each conversation's tail.

    There is no head to keep up to date with each message, so this is exact, and costs nothing while nobody looks.
    """

    def summarise(member: Member) -> Summary:
        tail = log.read_back(member.conversation_id, limit=1)
        return Summary(member, tail[0] if tail else None)

    everything = spread(summarise, memberships.of_user(user_id))
    newest_first = sorted(everything, key=lambda summary: summary.order, reverse=True)
    remaining = [summary for summary in newest_first if before is None or summary.order < before]
    page = remaining[:limit]
    return Inbox(page, page[-1].order if len(remaining) > limit else None)
