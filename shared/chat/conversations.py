"""Creating private conversations, the inbox, and how a member wants a conversation shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from shared.chat.audience import check_possible_member
from shared.chat.changes import Role
from shared.chat.identifiers import is_group_id, other_member, private_conversation_id, private_members
from shared.chat.models import Entry, Group, Member, Preferences, unread
from shared.chat.ports import ConversationLog, Memberships, Spread
from shared.contacts.ports import Blocks
from shared.errors import BadRequest, Blocked, NotAMember


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation as its member's inbox shows it. `head` is None while nothing has been said.

    `last_message` is the latest message, which other entries may follow. `role` is filled where one conversation is
    looked at, not in the inbox: it would cost a read for each.
    """

    member: Member
    head: Entry | None
    last_message: Entry | None = None
    group: Group | None = None
    role: Role | None = None

    @property
    def conversation_id(self) -> str:
        return self.member.conversation_id

    @property
    def members(self) -> tuple[str, ...] | None:
        """Of a private conversation; a group's are listed on their own."""
        return private_members(self.conversation_id)

    @property
    def unread(self) -> int:
        return unread(self.member, self.head)

    @property
    def order(self) -> tuple[int, str]:
        """When something last happened, and the id, so that no two are equal."""
        return (self.head.created_at if self.head else self.member.joined_at, self.conversation_id)

    @property
    def is_hidden(self) -> bool:
        """Hidden, and without a message since."""
        hidden_seq = self.member.hidden_seq
        return hidden_seq is not None and (self.head is None or self.head.message_seq <= hidden_seq)


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


def create_private(user_id: str, other: str, *, memberships: Memberships, blocks: Blocks, now: int) -> Created:
    """The private conversation of two users, made if it isn't there.

    Raises BadRequest for a malformed id, Blocked where the other does not want to hear from the user.
    """
    conversation_id = private_conversation_id(user_id, other)
    members = private_members(conversation_id) or ()
    if blocks.blocking([other], user_id):
        raise Blocked
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
    Names of groups and last messages that other entries follow come with one round trip more for the page.
    """

    def summarise(member: Member) -> Summary:
        tail = log.read_back(member.conversation_id, limit=1)
        return Summary(member, tail[0] if tail else None)

    everything = [summary for summary in spread(summarise, memberships.of_user(user_id)) if not summary.is_hidden]
    newest_first = sorted(everything, key=lambda summary: summary.order, reverse=True)
    remaining = [summary for summary in newest_first if before is None or summary.order < before]
    page = remaining[:limit]
    next_before = page[-1].order if len(remaining) > limit else None
    return Inbox(_filled(page, memberships, log), next_before)


def summary_of(conversation_id: str, *, user_id: str, memberships: Memberships, log: ConversationLog) -> Summary:
    """One conversation as its member sees it. Raises NotAMember."""
    check_possible_member(conversation_id, user_id)
    member = memberships.get(conversation_id, user_id)
    if member is None:
        raise NotAMember
    group, role = None, None
    if is_group_id(conversation_id):
        roster = memberships.roster(conversation_id)
        if roster is None or user_id not in roster.seats:
            raise NotAMember
        group, role = roster.group, roster.seats[user_id].role
    tail = log.read_back(conversation_id, limit=1)
    (filled,) = _filled([Summary(member, tail[0] if tail else None, group=group, role=role)], memberships, log)
    return filled


def _filled(page: Sequence[Summary], memberships: Memberships, log: ConversationLog) -> list[Summary]:
    """The page with the names of groups, and with last messages that other entries follow."""
    groups = [one.conversation_id for one in page if one.group is None and is_group_id(one.conversation_id)]
    named = memberships.groups(groups) if groups else {}
    heads = [one.head for one in page if one.head is not None and not one.head.is_message]
    places = [(head.conversation_id, head.message_seq) for head in heads if head.message_seq]
    fetched = log.fetch(places) if places else {}
    return [
        replace(one, group=one.group or named.get(one.conversation_id), last_message=_last_message(one.head, fetched))
        for one in page
    ]


def _last_message(head: Entry | None, fetched: Mapping[tuple[str, int], Entry]) -> Entry | None:
    if head is None or head.is_message:
        return head
    return fetched.get((head.conversation_id, head.message_seq))


def set_preferences(
    conversation_id: str, changes: Mapping[str, object], *, user_id: str, memberships: Memberships
) -> Preferences:
    """Change how the user wants this conversation shown and announced. Raises NotAMember."""
    check_possible_member(conversation_id, user_id)
    preferences = memberships.set_preferences(conversation_id, user_id, changes)
    if preferences is None:
        raise NotAMember
    return preferences


def hide(conversation_id: str, *, user_id: str, memberships: Memberships, log: ConversationLog) -> None:
    """Take a private conversation out of the user's inbox until the next message. Raises NotAMember, BadRequest."""
    check_possible_member(conversation_id, user_id)
    if other_member(conversation_id, user_id) is None:
        raise BadRequest("Only private conversations can be hidden")
    tail = log.read_back(conversation_id, limit=1)
    if not memberships.hide(conversation_id, user_id, seq=tail[0].seq if tail else 0):
        raise NotAMember
