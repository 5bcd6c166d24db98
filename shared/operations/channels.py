"""Channels: who is in them, and who writes. What writers do is of the log, as in groups; readers come and go beside it.

A reader's coming writes two rows of their own, and makes their connections attendees: the session names the channel
first, then they are a member, then the connections that were there have their rows. A connection that is registered in
between finds the channel named, and gets its row with that. So a member whose coming has died half-way is told of all
that follows from their next connection or ping on, and who is none is passed over by whoever posts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Final

from shared.domain import channels, rules
from shared.domain.changes import (
    CLOSED,
    INVITE,
    MEMBER,
    OPEN,
    OWNER,
    Added,
    Change,
    ChannelJoin,
    JoinPolicy,
    Role,
    RolesChanged,
)
from shared.domain.connections import MAX_CHANNELS, Connection, Session, live
from shared.domain.entries import change_entry
from shared.domain.members import Group
from shared.domain.text import channel_id, is_channel_id, named_channel_id
from shared.errors import BadRequest, Conflict, Forbidden, NotAMember, NotFound, Unavailable
from shared.operations.attendance import give_up_left
from shared.operations.audiences import audience_of
from shared.operations.changes import Changed, announce, change
from shared.operations.context import Context
from shared.operations.conversations import Summary
from shared.operations.groups import AddMembers, Admit, Listed, SetRole, addable, others_of, remove_member
from shared.operations.presence import best_effort
from shared.ports.services import PresenceServices, Services
from shared.ports.stores import ChatStores, Stores

# What a session says for longer than this was not said by somebody who is just coming again.
_COMING_MS: Final = 10_000
# Whoever names a channel in a session is a member a moment later, or has died: no request takes longer.
_ENTERED_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class NewChannel:
    """What a client asks for. `client_conversation_id` makes the request repeatable: the same channel again.

    `said` is what it says of itself beside its name, see `descriptions.py`.
    """

    creator: str
    name: str
    join: ChannelJoin
    client_conversation_id: str | None = None
    said: str | None = None


@dataclass(frozen=True, slots=True)
class Joined:
    """A channel or group as who has made or joined it sees it.

    `is_new`: by this request. `head` is its last entry's seq.
    """

    conversation_id: str
    name: str
    join: JoinPolicy
    role: Role
    head: int
    is_new: bool


def create_channel(command: NewChannel, *, stores: Stores, services: Services, context: Context) -> Joined:
    """Make a channel with its creator as owner. Raises BadRequest, TooLarge (name), Conflict (in too many channels)."""
    rules.check_name(command.name)
    creator, named = command.creator, command.client_conversation_id
    conversation_id = channel_id(context.new_secret()) if named is None else named_channel_id(creator, named)
    if named is not None and stores.log.read(conversation_id, start=1, limit=1):
        return as_it_is(conversation_id, creator, stores=stores, context=context)
    there = _named_in_session(conversation_id, creator, stores=stores, context=context)
    entry = change_entry(
        Added((creator,), size=1, roles={creator: OWNER}, name=command.name, join=command.join, said=command.said),
        base=None,
        conversation_id=conversation_id,
        sender_id=creator,
        created_at=context.now(),
        nonce=context.new_nonce(),
        fan_out=False,
    )
    met = stores.log.put(entry)
    if met is not None and met.nonce != entry.nonce:
        raise Unavailable("This channel is being made by another request: try again")
    _enter(there, conversation_id, stores=stores, now=context.now())
    announce(Changed(entry, rules.Audience({}).after([entry])), stores=stores, services=services, context=context)
    return Joined(conversation_id, command.name, command.join, OWNER, entry.seq, is_new=True)


def join(conversation_id: str, user_id: str, *, by: str, stores: Stores, context: Context) -> Joined:
    """Make the user a member of an open channel; who is one already stays one, and is told of it from now on.

    A new reader costs four reads, a write to their session, their two rows, and one for each connection of theirs.
    Raises NotAMember (there is none, or it is closed), BadRequest (a conversation of theirs that is no channel),
    Forbidden (`by` another user), Conflict (it is full, as far as one can tell; or the user is in too many).
    """
    rules.check_possible_member(conversation_id, by)
    if by != user_id or not is_channel_id(conversation_id):
        if stores.memberships.get(conversation_id, by) is None:
            raise NotAMember
        raise Forbidden("Users join by themselves") if by != user_id else BadRequest("Only a channel can be joined")
    group = stores.memberships.groups([conversation_id]).get(conversation_id)
    if group is None:
        raise NotAMember
    if stores.memberships.get(conversation_id, user_id) is not None:
        return as_it_is(conversation_id, user_id, stores=stores, context=context)
    if group.join != OPEN:
        raise NotAMember
    sample = channels.JOINING_SAMPLE
    first = stores.readers.around(conversation_id, user_id, limit=sample)
    estimate = channels.PARTS * channels.estimated(first, limit=sample)
    channels.check_readers(estimate, limit=context.limits.channel_members)
    there = _named_in_session(conversation_id, user_id, stores=stores, context=context)
    head = _become_reader(conversation_id, user_id, there, stores=stores, context=context)
    return Joined(conversation_id, group.name, OPEN, MEMBER, head, is_new=True)


def add_readers(
    command: AddMembers, *, admit: Admit, stores: Stores, services: Services, context: Context
) -> tuple[tuple[str, ...], int]:
    """Make users members of a channel, for its owners and admins. Returns those added, and about how many there are.

    Members, and silently those who do not take groups from `by` or are in too many channels, are left out. Raises
    NotAMember, BadRequest (malformed id), Forbidden (role), Conflict (full), RateLimited.
    """
    conversation_id, by = command.conversation_id, command.by
    rules.check_may("add_members", by, audience_of(conversation_id, by, stores=stores), context.limits.matrix)
    others = others_of(command.users, by)
    members = stores.memberships.among(conversation_id, others) if others else {}
    wanted = [user for user in others if user not in members]
    size = size_of(conversation_id, stores=stores, services=services)
    if wanted:
        channels.check_readers(size + len(wanted) - 1, limit=context.limits.channel_members)
    admit(by, len(wanted))

    def add(user_id: str) -> bool:
        try:
            there = _named_in_session(conversation_id, user_id, stores=stores, context=context)
        except Conflict:
            return False
        _become_reader(conversation_id, user_id, there, stores=stores, context=context)
        return True

    wanted = addable(wanted, by, stores)
    added = services.parallel_map(add, wanted)
    names = tuple(user for user, is_in in zip(wanted, added, strict=True) if is_in)
    return names, size + len(names)


def remove_from_channel(
    conversation_id: str, user_id: str, *, by: str, stores: Stores, services: Services, context: Context
) -> None:
    """A reader leaves, or is removed by an owner or admin: no entry. One who writes goes as a group's member does.

    Raises NotAMember, NotFound (not in it), Forbidden (role; the last owner).
    """
    if by != user_id:
        rules.check_may("remove_members", by, audience_of(conversation_id, by, stores=stores), context.limits.matrix)
    _take_out(conversation_id, user_id, by, stores=stores, services=services, context=context)
    best_effort(services, _leave, conversation_id, user_id, stores=stores, context=context)


def _take_out(
    conversation_id: str, user_id: str, by: str, *, stores: Stores, services: Services, context: Context
) -> None:
    """By the log where they have a role. Who is given one meanwhile, or loses it, is looked for at the other place."""
    for _ in range(3):
        if stores.readers.leave(conversation_id, user_id):
            return
        roster = stores.memberships.roster(conversation_id)
        if roster is None or user_id not in roster.seats:
            if stores.memberships.get(conversation_id, user_id) is None:
                raise NotAMember if by == user_id else NotFound("There is no such member")
            continue
        if set(roster.seats) == {user_id}:
            rules.check_owner_remains({}, has_readers=_has_others(conversation_id, user_id, stores, services))
        try:
            remove_member(conversation_id, user_id, by=by, stores=stores, services=services, context=context)
        except NotFound:
            continue
        except Forbidden:
            if by == user_id and user_id not in _seats(conversation_id, stores):
                continue
            raise
        return
    raise Unavailable("This channel is very busy: try again")


def _seats(conversation_id: str, stores: ChatStores) -> frozenset[str]:
    roster = stores.memberships.roster(conversation_id)
    return frozenset(roster.seats) if roster else frozenset()


def set_writer(command: SetRole, *, stores: Stores, services: Services, context: Context) -> Changed:
    """Give a member a role, or take it away, for owners. At most MAX_WRITERS have one.

    Raises NotAMember, NotFound (no such member), Forbidden (role; the last owner), Conflict (too many).
    """
    conversation_id, user_id, role = command.conversation_id, command.user_id, command.role
    matrix = context.limits.matrix

    def decide(audience: rules.Audience) -> Change | None:
        rules.check_moderator("change_roles", command.by, audience, matrix)
        if user_id not in audience and stores.memberships.get(conversation_id, user_id) is None:
            raise NotFound("There is no such member")
        if audience.roles.get(user_id, MEMBER) == role:
            return None
        rules.check_role_change(user_id, role, command.by, audience)
        roles = {user: one for user, one in {**audience.roles, user_id: role}.items() if one != MEMBER}
        if OWNER not in roles.values():
            raise Forbidden("A channel needs an owner: make somebody else one first")
        channels.check_writers(len(roles))
        return RolesChanged({user_id: role})

    changed = change(conversation_id, user_id=command.by, decide=decide, stores=stores, context=context)
    announce(changed, stores=stores, services=services, context=context)
    return changed


Position = tuple[int, str]
"""A part of the list, and a place in it."""


@dataclass(frozen=True, slots=True)
class Members:
    """One page. `next` is what the page after it is asked for behind; None at the end."""

    members: Sequence[Listed]
    next: Position | None


def members_page(
    conversation_id: str, *, user_id: str, limit: int, after: Position = (0, ""), stores: Stores, context: Context
) -> Members:
    """A channel's members, for who may list them, in an order without meaning. Raises NotAMember, Forbidden.

    Who comes or goes meanwhile may be on a page or not; everyone else is on one, once.
    """
    audience = audience_of(conversation_id, user_id, stores=stores)
    rules.check_may("list_members", user_id, audience, context.limits.matrix)
    found = list(islice(_listed_from(conversation_id, after, limit + 1, stores), limit + 1))
    page = found[:limit]
    standing = stores.memberships.among(conversation_id, [one.user_id for _, one in page]) if page else {}
    members = [
        Listed(standing[one.user_id], audience.roles.get(one.user_id, MEMBER))
        for _, one in page
        if one.user_id in standing
    ]
    following = None
    if len(found) > limit:
        part, last = page[-1]
        following = part, last.place
    return Members(members, following)


def _listed_from(
    conversation_id: str, after: Position, limit: int, stores: Stores
) -> Iterator[tuple[int, channels.ListedMember]]:
    part, place = after
    for one in range(part, channels.PARTS):
        for listed in stores.readers.listed(conversation_id, one, after=place, limit=limit):
            yield one, listed
        place = ""


def size_of(conversation_id: str, *, stores: Stores, services: PresenceServices) -> int:
    """About how many members the channel has: sixteen queries of some rows each. Exact up to some hundred."""
    sample = channels.COUNTING_SAMPLE

    def estimate(part: int) -> int:
        return channels.estimated(stores.readers.listed(conversation_id, part, limit=sample), limit=sample)

    return sum(services.parallel_map(estimate, range(channels.PARTS)))


def with_size(summary: Summary, *, stores: Stores, services: PresenceServices) -> Summary:
    """The same with about how many members it has, of a channel; any other as it is."""
    if not is_channel_id(summary.conversation_id):
        return summary
    return replace(summary, size=size_of(summary.conversation_id, stores=stores, services=services))


def as_it_is(conversation_id: str, user_id: str, *, stores: Stores, context: Context) -> Joined:
    """For a member of a channel or group: also where the request that made them one has died half-way.

    Raises NotAMember.
    """
    member, roster = stores.memberships.get(conversation_id, user_id), stores.memberships.roster(conversation_id)
    if member is None or roster is None:
        raise NotAMember
    if is_channel_id(conversation_id):
        there = _named_in_session(conversation_id, user_id, stores=stores, context=context)
        _enter(there, conversation_id, stores=stores, now=context.now())
    tail = stores.log.read_back(conversation_id, limit=1)
    seat, group = roster.seats.get(user_id), roster.group
    role = MEMBER if seat is None else seat.role
    return Joined(conversation_id, group.name, _policy(group), role, tail[0].seq if tail else 0, is_new=False)


def _policy(group: Group) -> JoinPolicy:
    return group.join or (CLOSED if is_channel_id(group.conversation_id) else INVITE)


def _named_in_session(
    conversation_id: str, user_id: str, *, stores: ChatStores, context: Context
) -> Sequence[Connection]:
    """From now on each connection of the user's is an attendee. Returns those that are there. Raises Conflict."""
    now = context.now()
    there = stores.sessions.list_in(user_id, conversation_id, now=now)
    if there is None:
        session = stores.sessions.whole([user_id]).get(user_id, Session())
        give_up_left(user_id, session.channels, stores=stores, now=now, settled_ms=_ENTERED_MS)
        there = stores.sessions.list_in(user_id, conversation_id, now=now)
    if there is None:
        raise Conflict(f"A user is in at most {MAX_CHANNELS} channels")
    return there


def _become_reader(
    conversation_id: str, user_id: str, there: Sequence[Connection], *, stores: Stores, context: Context
) -> int:
    """Returns the head, up to which all counts as read. Raises NotAMember where there is no such channel any more."""
    tail = stores.log.read_back(conversation_id, limit=1)
    if not tail:
        raise NotAMember
    stores.readers.join(conversation_id, user_id, joined_at=context.now(), head=tail[0])
    _enter(there, conversation_id, stores=stores, now=context.now())
    return tail[0].seq


def _enter(there: Sequence[Connection], conversation_id: str, *, stores: ChatStores, now: int) -> None:
    for connection in live(there, now):
        stores.attendance.enter(connection, [conversation_id])


def _has_others(conversation_id: str, user_id: str, stores: Stores, services: Services) -> bool:
    """Whether anybody else is in it: asked where its last owner goes, of the first places of each part of its list."""
    parts = services.parallel_map(
        lambda part: stores.readers.listed(conversation_id, part, limit=2), range(channels.PARTS)
    )
    return any(one.user_id != user_id for listed in parts for one in listed)


def _leave(conversation_id: str, user_id: str, *, stores: Stores, context: Context) -> None:
    """Their connections are no attendees any more. It spares posting, which passes over who is no member anyway."""
    session = stores.sessions.whole([user_id]).get(user_id, Session())
    for connection in session.connections:
        stores.attendance.leave(connection.connection_id, conversation_id)
    since = session.channels.get(conversation_id)
    if since is not None and since + _COMING_MS < context.now():
        stores.sessions.unlist(user_id, conversation_id, since=since)
