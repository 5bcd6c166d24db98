"""Groups: who is in them, with which role, and what they are called. Every change of that is an entry of the log."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Final

from shared.domain import rules
from shared.domain.changes import MAX_USERS_PER_CHANGE, OWNER, Added, Change, Removed, Role, RolesChanged
from shared.domain.entries import Entry, change_entry
from shared.domain.members import Group, Member
from shared.domain.text import check_user_id, group_id, named_group_id
from shared.errors import NotAMember, NotFound, Unavailable
from shared.operations.audiences import audience_of
from shared.operations.changes import Changed, announce, change
from shared.operations.context import Context
from shared.ports.services import Services
from shared.ports.stores import ChatStores

# Bytes of `data` that one list of members has: with all else of a thousand members it fits into one answer.
MAX_DATA_LISTED: Final = 2_000_000
Admit = Callable[[str, int], object]
"""Counts how many users a user adds. Raises RateLimited where they are too many for now: then nothing is changed."""


@dataclass(frozen=True, slots=True)
class NewGroup:
    """What a client asks for. `client_conversation_id` makes the request repeatable: the same group again.

    `said` is what it says of itself beside its name, see `descriptions.py`.
    """

    creator: str
    name: str
    members: tuple[str, ...] = ()
    client_conversation_id: str | None = None
    said: str | None = None


@dataclass(frozen=True, slots=True)
class CreatedGroup:
    """`is_new`: made by this request, or by an earlier one of the same `client_conversation_id`."""

    conversation_id: str
    audience: rules.Audience
    is_new: bool


def create_group(
    command: NewGroup, *, admit: Admit, stores: ChatStores, services: Services, context: Context
) -> CreatedGroup:
    """Make a group with its creator as owner. Members beyond the first 47 follow in entries of their own.

    With a `client_conversation_id` a repetition finishes a request that died. Users who do not take groups from the
    creator are left out silently. Raises BadRequest, TooLarge (name), Conflict (too many members), RateLimited.
    """
    rules.check_name(command.name)
    others = others_of(command.members, command.creator)
    rules.check_room(len(others) + 1, limit=context.limits.group_limit)
    named = command.client_conversation_id
    conversation_id = group_id(context.new_secret()) if named is None else named_group_id(command.creator, named)
    if named is not None and (
        there := stores.log.read(conversation_id, start=1, limit=context.limits.group_limit // MAX_USERS_PER_CHANGE + 2)
    ):
        return _existing(there, command, admit=admit, stores=stores, services=services, context=context)
    admit(command.creator, len(others))  # all that are asked for: the figure does not tell who was left out
    others = addable(others, command.creator, stores)
    first = others[: MAX_USERS_PER_CHANGE - 1]
    changed = _found(conversation_id, command, first, stores, context)
    announce(changed, stores=stores, services=services, context=context)
    rest = others[len(first) :]
    audience = _add(conversation_id, rest, by=command.creator, stores=stores, services=services, context=context)
    return CreatedGroup(conversation_id, audience or changed.audience, is_new=True)


def _found(
    conversation_id: str, command: NewGroup, first: Sequence[str], stores: ChatStores, context: Context
) -> Changed:
    """Write the group's first entry. Raises Unavailable where another request of the same name was quicker."""
    roles: dict[str, Role] = {command.creator: OWNER}
    users = (command.creator, *first)
    added = Added(users, size=len(users), roles=roles, name=command.name, said=command.said)
    entry = change_entry(
        added,
        base=None,
        conversation_id=conversation_id,
        sender_id=command.creator,
        created_at=context.now(),
        nonce=context.new_nonce(),
        fan_out=False,
    )
    there = stores.log.put(entry)
    if there is not None and there.nonce != entry.nonce:
        raise Unavailable("This group is being made by another request: try again")
    group = Group(conversation_id, command.name, command.creator, entry.created_at, len(users), **added.fields)
    return Changed(entry, rules.Audience({}, group).after([entry]))


def _existing(
    there: Sequence[Entry], command: NewGroup, *, admit: Admit, stores: ChatStores, services: Services, context: Context
) -> CreatedGroup:
    """The group of an earlier request, posted once more, and completed where nothing but its making has happened."""
    conversation_id = there[0].conversation_id
    added = {user for entry in there if isinstance(entry.change, Added) for user in entry.change.users}
    untouched = all(isinstance(entry.change, Added) and entry.sender_id == command.creator for entry in there)
    audience = rules.Audience({})
    for entry in there if untouched else ():
        audience = audience.after([entry])
        announce(Changed(entry, audience), stores=stores, services=services, context=context)
    others = others_of(command.members, command.creator)
    if untouched and (rest := [user for user in others if user not in added]):
        admit(command.creator, len(rest))
        rest = addable(rest, command.creator, stores)
        _add(conversation_id, rest, by=command.creator, stores=stores, services=services, context=context)
    looked = change(conversation_id, user_id=command.creator, decide=lambda _: None, stores=stores, context=context)
    return CreatedGroup(conversation_id, looked.audience, is_new=False)


@dataclass(frozen=True, slots=True)
class AddMembers:
    conversation_id: str
    users: Sequence[str]
    by: str


def add_members(
    command: AddMembers, *, admit: Admit, stores: ChatStores, services: Services, context: Context
) -> tuple[tuple[str, ...], rules.Audience]:
    """Add users to a group. Returns those added, and everyone there is now.

    Members, and silently those who do not take groups from `by`, are left out. Raises NotAMember, BadRequest (no group,
    malformed id), Forbidden (role), Conflict (full), RateLimited.
    """
    conversation_id, users, by = command.conversation_id, command.users, command.by
    check = partial(rules.check_moderator, "add_members", by, matrix=context.limits.matrix)  # and nothing else
    looked = change(conversation_id, user_id=by, decide=check, stores=stores, context=context)
    wanted = [user for user in others_of(users, by) if user not in looked.audience]
    rules.check_room(len(looked.audience) + len(wanted), limit=context.limits.group_limit)
    admit(by, len(wanted))
    wanted = addable(wanted, by, stores)
    audience = _add(conversation_id, wanted, by=by, stores=stores, services=services, context=context)
    return tuple(wanted), audience or looked.audience


def _add(
    conversation_id: str, users: Sequence[str], *, by: str, stores: ChatStores, services: Services, context: Context
) -> rules.Audience | None:
    """One entry for each 48 users. Returns the audience behind the last; None where there was none to add."""
    audience = None
    waiting = iter(users)
    while portion := tuple(islice(waiting, MAX_USERS_PER_CHANGE)):

        def decide(now_in: rules.Audience, portion: tuple[str, ...] = portion) -> Change | None:
            rules.check_moderator("add_members", by, now_in, context.limits.matrix)
            missing = tuple(user for user in portion if user not in now_in)
            rules.check_room(len(now_in) + len(missing), limit=context.limits.group_limit)
            return Added(missing, size=len(now_in) + len(missing), hides=now_in.hides) if missing else None

        changed = change(conversation_id, user_id=by, decide=decide, stores=stores, context=context)
        announce(changed, stores=stores, services=services, context=context)
        audience = changed.audience
    return audience


def remove_member(
    conversation_id: str, user_id: str, *, by: str, stores: ChatStores, services: Services, context: Context
) -> Changed:
    """Raises NotAMember, BadRequest (no group), NotFound (not in it), Forbidden (role; the last owner)."""

    def decide(audience: rules.Audience) -> Change | None:
        rules.check_group(audience)
        if user_id not in audience:
            raise NotFound("There is no such member")
        rules.check_removable(user_id, by, audience, context.limits.matrix)
        remaining = {user: role for user, role in audience.roles.items() if user != user_id}
        rules.check_owner_remains(remaining)
        return Removed((user_id,), size=len(remaining))

    changed = change(conversation_id, user_id=by, decide=decide, stores=stores, context=context)
    announce(changed, stores=stores, services=services, context=context)
    return changed


@dataclass(frozen=True, slots=True)
class SetRole:
    conversation_id: str
    user_id: str
    role: Role
    by: str


def set_role(command: SetRole, *, stores: ChatStores, services: Services, context: Context) -> Changed:
    """Raises NotAMember, BadRequest (no group), NotFound (no such member), Forbidden (role; the last owner)."""
    user_id, role, by, matrix = command.user_id, command.role, command.by, context.limits.matrix

    def decide(audience: rules.Audience) -> Change | None:
        rules.check_moderator("change_roles", by, audience, matrix)
        if user_id not in audience:
            raise NotFound("There is no such member")
        if audience.roles[user_id] == role:
            return None
        rules.check_role_change(user_id, role, by, audience)
        rules.check_owner_remains({**audience.roles, user_id: role})
        return RolesChanged({user_id: role})

    changed = change(command.conversation_id, user_id=by, decide=decide, stores=stores, context=context)
    announce(changed, stores=stores, services=services, context=context)
    return changed


def others_of(users: Sequence[str], creator: str) -> list[str]:
    """Each once, in the order given. Raises BadRequest for a malformed id."""
    for user in users:
        check_user_id(user)
    return [user for user in dict.fromkeys(users) if user != creator]


def addable(users: Sequence[str], by: str, stores: ChatStores) -> list[str]:
    """Those of `users` who let `by` put them into a group, in their order. A refusal would name the others."""
    refusing = stores.blocks.refusing(users, by) if users else set()
    return [user for user in users if user not in refusing]


@dataclass(frozen=True, slots=True)
class Listed:
    member: Member
    role: Role


@dataclass(frozen=True, slots=True)
class ListedMembers:
    """Members by their ids. `next` is behind whom the others are; None where these are all."""

    members: Sequence[Listed]
    next: str | None = None


def members_of(conversation_id: str, *, user_id: str, after: str = "", stores: ChatStores) -> ListedMembers:
    """Everyone in the conversation behind `after`, by id, with a read of cursors for each 100. Raises NotAMember.

    They are all at once, unless so much hangs on them that one answer would not take it.
    """
    audience = audience_of(conversation_id, user_id, stores=stores)
    members = dict(stores.memberships.among(conversation_id, audience.members))
    if user_id not in members:
        raise NotAMember
    if audience.group is None:  # who was not written to yet has no row of their own
        joined_at = members[user_id].joined_at
        members = {user: members.get(user, Member(conversation_id, user, joined_at)) for user in audience.members}
    names = [user for user in sorted(members) if user > after]
    room = MAX_DATA_LISTED
    for place, user in enumerate(names):
        room -= len((members[user].data or "").encode())
        if room < 0:
            names = names[:place]
            break
    is_cut = room < 0
    listed = [Listed(members[user], audience.roles[user]) for user in names]
    return ListedMembers(listed, names[-1] if is_cut else None)
