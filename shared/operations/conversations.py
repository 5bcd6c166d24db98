"""Creating private conversations, the inbox, and how a member wants a conversation shown."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from shared.domain.changes import MEMBER, Role
from shared.domain.entries import Entry, text_bytes
from shared.domain.inbox import Happened, InboxPosition, Order, Snapshot, order_then
from shared.domain.members import Group, Member, Preferences, is_in_inbox, unread
from shared.domain.rules import check_possible_member
from shared.domain.text import has_roles, is_channel_id, other_member, private_conversation_id, private_members
from shared.errors import BadRequest, NotAMember
from shared.operations.context import Context
from shared.operations.heads import heads_of
from shared.operations.own_log import Owning, change_own, own_change
from shared.ports.services import Services
from shared.ports.stores import ChatStores

# Bytes of what a page's conversations say of themselves: with their last messages they fit into one answer.
MAX_DESCRIBED: Final = 500_000


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation as its member's inbox shows it, `head` None while empty.

    `role` is filled in for one alone, and so is `size`: about how many members a channel has.
    """

    member: Member
    head: Entry | None
    last_message: Entry | None = None
    group: Group | None = None
    role: Role | None = None
    size: int = 0

    @property
    def conversation_id(self) -> str:
        return self.member.conversation_id

    @property
    def members(self) -> tuple[str, ...] | None:
        """Of a private conversation; a group's are listed on their own."""
        return private_members(self.conversation_id)

    @property
    def described_bytes(self) -> int:
        """The bytes of JSON that take what it says of itself beside its name."""
        group = self.group
        texts = (group.topic, group.avatar) if group else ()
        data = group.data if group else self.member.about
        return sum(text_bytes(text) for text in texts if text) + (len(data.encode()) if data else 0)

    @property
    def unread(self) -> int:
        return unread(self.member, self.head)

    @property
    def trimmed_below(self) -> int:
        """The last entry, where all has ended; else 0: how far a log is trimmed that goes on, its history says."""
        return self.head.seq if self.head is not None and self.head.is_trimmed else 0

    @property
    def retention_days(self) -> int | None:
        """How long it is kept by a rule of its own; None: as its kind has it."""
        return self.head.keep_days if self.head is not None else None

    @property
    def joined(self) -> Happened:
        return Happened(self.conversation_id, 0, self.member.joined_at)

    @property
    def latest(self) -> Happened:
        return _happened(self.head) if self.head else self.joined


@dataclass(frozen=True, slots=True)
class Inbox:
    """One page, newest first. `next` is where the page after it starts; None at the end."""

    conversations: Sequence[Summary]
    next: InboxPosition | None


@dataclass(frozen=True, slots=True)
class Created:
    conversation_id: str
    members: tuple[str, ...]
    is_new: bool


def create_private(user_id: str, other: str, *, stores: ChatStores, services: Services, context: Context) -> Created:
    """The private conversation of two users, made if it isn't there. Raises BadRequest for a malformed id.

    It is in its maker's inbox alone until one of the two writes, so making one does not tell of a block. One that the
    user has hidden is in their inbox again: a read more, where it exists.
    """
    conversation_id = private_conversation_id(user_id, other)
    members = private_members(conversation_id) or ()
    is_new = stores.memberships.create(conversation_id, [user_id], joined_at=context.now())
    if not is_new:
        show(conversation_id, user_id=user_id, stores=stores, services=services, context=context)
    return Created(conversation_id, members, is_new)


def inbox(
    user_id: str, *, limit: int, position: InboxPosition | None = None, stores: ChatStores, services: Services, now: int
) -> Inbox:
    """The user's conversations, newest first: one query for the memberships, and the heads of all (`heads_of`).

    At most `limit`, and fewer where they say so much of themselves that one answer would not take it.

    Names of groups, last messages that other entries follow, and those that were read from a copy, come with one round
    trip more for the page. The pages after the first keep to its order (`domain/inbox.py`): none is passed over, none
    comes twice, and what came into being since is on no page. One in which something has happened since takes one more
    query.
    """

    def place(summary: Summary) -> tuple[Order, Summary] | None:
        if position is None:
            return summary.latest.order, summary

        def earlier(seq: int, limit: int) -> Iterator[Happened]:
            return map(_happened, stores.log.read_back(summary.conversation_id, before=seq, limit=limit))

        order = order_then(summary.latest, summary.joined, position.snapshot, earlier)
        return None if order is None or order >= position.before else (order, summary)

    members = stores.memberships.of_user(user_id)
    heads = heads_of(members, whole=True, stores=stores, services=services)
    summaries = [Summary(member, _seen(heads[member.conversation_id].entry, user_id)) for member in members]
    everything = [summary for summary in summaries if is_in_inbox(summary.member, summary.head)]
    found = map(place, everything) if position is None else services.parallel_map(place, everything)
    remaining = [placed for placed in found if placed is not None]
    page = sorted(remaining, key=lambda placed: placed[0], reverse=True)[:limit]
    copied = {one for one, head in heads.items() if not head.is_as_stored}
    shown = _fitting(_filled([summary for _, summary in page], stores, copied=copied))
    following = None
    if len(remaining) > len(shown):
        snapshot = position.snapshot if position else Snapshot.of((one.latest for one in everything), now)
        following = InboxPosition(page[len(shown) - 1][0], snapshot)
    return Inbox(shown, following)


def _fitting(page: list[Summary]) -> list[Summary]:
    """As many of them as may say of themselves what they say, in one answer: all, as a rule."""
    room = MAX_DESCRIBED
    for place, one in enumerate(page):
        room -= one.described_bytes
        if room < 0:
            return page[:place]
    return page


def _seen(head: Entry | None, user_id: str) -> Entry | None:
    """As the user sees it."""
    return None if head is None else head.seen_by(user_id)


def _happened(entry: Entry) -> Happened:
    return Happened(entry.conversation_id, entry.seq, entry.created_at)


def summary_of(conversation_id: str, *, user_id: str, stores: ChatStores) -> Summary:
    """One conversation as its member sees it. Raises NotAMember."""
    check_possible_member(conversation_id, user_id)
    member = stores.memberships.get(conversation_id, user_id)
    if member is None:
        raise NotAMember
    group, role = None, None
    if has_roles(conversation_id):
        roster = stores.memberships.roster(conversation_id)
        seat = None if roster is None else roster.seats.get(user_id)
        if roster is None or (seat is None and not is_channel_id(conversation_id)):
            raise NotAMember
        group, role = roster.group, MEMBER if seat is None else seat.role
    tail = stores.log.read_back(conversation_id, limit=1)
    (filled,) = _filled([Summary(member, _seen(tail[0] if tail else None, user_id), group=group, role=role)], stores)
    return filled


def _last_of(summary: Summary, last: Mapping[str, Entry]) -> Entry | None:
    """The last message, if it is not hidden from the member."""
    message = last.get(summary.conversation_id)
    if message is None or message.is_trimmed:
        return None
    return None if message.seq < summary.member.visible_from else message


def _filled(page: Sequence[Summary], stores: ChatStores, *, copied: Collection[str] = ()) -> list[Summary]:
    """The page with the names of groups, and with last messages that other entries follow, or whose heads are `copied`.

    Those may lack the latest edit, deletion or reaction.
    """
    groups = [one.conversation_id for one in page if one.group is None and has_roles(one.conversation_id)]
    named = stores.memberships.groups(groups) if groups else {}
    heads = [one.head for one in page if one.head is not None]
    as_stored = {head.conversation_id for head in heads if head.is_message and head.conversation_id not in copied}
    others = [head for head in heads if head.message_seq and head.conversation_id not in as_stored]
    places = [(head.conversation_id, head.message_seq) for head in others]
    fetched = stores.log.fetch(places) if places else {}
    last = {head.conversation_id: head for head in heads if head.is_message}
    last |= {conversation_id: entry for (conversation_id, _), entry in fetched.items()}
    return [
        replace(one, group=one.group or named.get(one.conversation_id), last_message=_last_of(one, last))
        for one in page
    ]


def set_preferences(
    conversation_id: str,
    changes: Mapping[str, object],
    *,
    user_id: str,
    stores: ChatStores,
    services: Services,
    context: Context,
) -> Preferences:
    """Change how the user wants this conversation shown and announced; None clears. Raises NotAMember."""
    check_possible_member(conversation_id, user_id)
    given: dict[str, Any] = {
        name: getattr(Preferences(), name) if one is None else one for name, one in changes.items()
    }

    def decide() -> tuple[Preferences, Owning | None]:
        was = _membership(conversation_id, user_id, stores).preferences
        becomes = replace(was, **given)
        if becomes == was:
            return was, None
        note = own_change("settings", conversation_id=conversation_id, settings=asdict(becomes))
        place = conversation_id, user_id
        return becomes, Owning(
            {user_id: note}, lambda notes: stores.memberships.set_preferences(*place, changes, notes=notes)
        )

    return change_own([user_id], decide, stores=stores, services=services, context=context)


def hide(conversation_id: str, *, user_id: str, stores: ChatStores, services: Services, context: Context) -> None:
    """Take a private conversation out of the user's inbox until the next message. Raises NotAMember, BadRequest."""
    check_possible_member(conversation_id, user_id)
    if other_member(conversation_id, user_id) is None:
        raise BadRequest("Only private conversations can be hidden")

    def decide() -> tuple[None, Owning | None]:
        tail = stores.log.read_back(conversation_id, limit=1)
        seq = tail[0].seq if tail else 0
        hidden_seq = _membership(conversation_id, user_id, stores).hidden_seq
        if hidden_seq is not None and hidden_seq >= seq:
            return None, None
        note = own_change("hidden", conversation_id=conversation_id, hidden=True, head=seq)
        place = conversation_id, user_id
        return None, Owning({user_id: note}, lambda notes: stores.memberships.hide(*place, seq=seq, notes=notes))

    change_own([user_id], decide, stores=stores, services=services, context=context)


def show(conversation_id: str, *, user_id: str, stores: ChatStores, services: Services, context: Context) -> None:
    """Take that back. One read where the user has hidden nothing, or is no member."""

    def is_hidden() -> bool:
        member = stores.memberships.get(conversation_id, user_id)
        return member is not None and member.hidden_seq is not None

    def decide() -> tuple[None, Owning | None]:
        if not is_hidden():
            return None, None
        note = own_change("hidden", conversation_id=conversation_id, hidden=False)
        place = conversation_id, user_id
        return None, Owning({user_id: note}, lambda notes: stores.memberships.show(*place, notes=notes))

    if is_hidden():
        change_own([user_id], decide, stores=stores, services=services, context=context)


def _membership(conversation_id: str, user_id: str, stores: ChatStores) -> Member:
    member = stores.memberships.get(conversation_id, user_id)
    if member is None:
        raise NotAMember
    return member
