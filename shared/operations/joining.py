"""Coming into a group by oneself: where it is open, by a request that its moderators grant, or by a link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from shared.clock import DAY_MS
from shared.domain import rules
from shared.domain.changes import INVITE, MEMBER, OPEN, REQUEST, Added, Change
from shared.domain.connections import News
from shared.domain.joining import (
    ACCEPTED,
    REQUESTED,
    WITHDRAWN,
    Invite,
    JoinRequest,
    RequestStatus,
    invite_id_of,
)
from shared.domain.members import Group
from shared.domain.text import is_group_id, private_members
from shared.errors import BadRequest, Conflict, NotAMember, NotFound
from shared.operations import groups
from shared.operations.audiences import audience_of
from shared.operations.changes import announce, change
from shared.operations.channels import Joined, as_it_is
from shared.operations.context import Context
from shared.operations.delivery import broadcast, report
from shared.operations.groups import AddMembers, Admit
from shared.operations.presence import best_effort
from shared.ports.services import Services
from shared.ports.stores import Stores

MAX_REQUESTS: Final = 500
MAX_INVITES: Final = 100
MAX_USES: Final = 100_000
INVITE_LIFETIME_MS: Final = 7 * DAY_MS
MAX_INVITE_LIFETIME_MS: Final = 366 * DAY_MS


@dataclass(frozen=True, slots=True)
class Requested:
    """A request as it stands now, by whom it came to that, and when."""

    conversation_id: str
    user_id: str
    status: RequestStatus
    by: str
    at: int


def join_group(
    conversation_id: str, user_id: str, *, stores: Stores, services: Services, context: Context
) -> Joined | Requested:
    """Make the user a member of an open group, or ask for it where it takes requests; who is in it stays as they are.

    Raises NotAMember (there is no such group, or it takes nobody like that), Conflict (full; too many requests).
    """
    group = stores.memberships.groups([conversation_id]).get(conversation_id)
    if group is None:
        raise NotAMember
    if stores.memberships.get(conversation_id, user_id) is not None:
        return as_it_is(conversation_id, user_id, stores=stores, context=context)
    if (group.join or INVITE) == REQUEST:
        return _ask(group, user_id, stores=stores, services=services, context=context)
    return _come(conversation_id, user_id, invite_id=None, stores=stores, services=services, context=context)


def _come(
    conversation_id: str, user_id: str, *, invite_id: str | None, stores: Stores, services: Services, context: Context
) -> Joined:
    """Become a member, by a link or because the group is open."""

    def decide(audience: rules.Audience) -> Change | None:
        if not len(audience):
            raise NotAMember  # everybody has left: nobody would own it
        if user_id in audience:
            return None
        if invite_id is None and (audience.group is None or audience.group.join != OPEN):
            raise NotAMember
        return replace(_added(user_id, audience, context), invite_id=invite_id)

    changed = change(conversation_id, user_id=user_id, decide=decide, outside=True, stores=stores, context=context)
    if changed.entry is None:
        return as_it_is(conversation_id, user_id, stores=stores, context=context)
    announce(changed, stores=stores, services=services, context=context)
    group = changed.audience.group
    _forget_requests(conversation_id, [user_id], group, stores=stores, services=services)
    name, policy = (group.name, group.join or INVITE) if group else ("", INVITE)
    return Joined(conversation_id, name, policy, MEMBER, changed.entry.seq, is_new=True)


def _added(user_id: str, audience: rules.Audience, context: Context) -> Added:
    """One more member. Raises Conflict where the group is full."""
    size = len(audience) + 1
    rules.check_room(size, limit=context.limits.group_limit)
    return Added((user_id,), size, hides=audience.hides)


def add_members(
    command: AddMembers, *, admit: Admit, stores: Stores, services: Services, context: Context
) -> tuple[tuple[str, ...], rules.Audience]:
    """As `groups.add_members`, and those added ask no more."""
    added, audience = groups.add_members(command, admit=admit, stores=stores, services=services, context=context)
    _forget_requests(command.conversation_id, added, audience.group, stores=stores, services=services)
    return added, audience


def _forget_requests(
    conversation_id: str, users: Sequence[str], group: Group | None, *, stores: Stores, services: Services
) -> None:
    """Who came otherwise asks no more. Nothing for a group that takes no requests."""
    if group is not None and group.join == REQUEST:
        for user_id in users:
            best_effort(services, stores.joins.end, conversation_id, user_id)


def _ask(group: Group, user_id: str, *, stores: Stores, services: Services, context: Context) -> Requested:
    conversation_id, now = group.conversation_id, context.now()
    rules.check_room(group.size + 1, limit=context.limits.group_limit)
    there = stores.joins.requested(conversation_id, user_id)
    if there is None and len(stores.joins.requests(conversation_id, limit=MAX_REQUESTS)) >= MAX_REQUESTS:
        raise Conflict(f"A group takes at most {MAX_REQUESTS} requests at a time")
    request = there or JoinRequest(conversation_id, user_id, now)
    is_new = there is None and stores.joins.request(request)
    asked = Requested(conversation_id, user_id, REQUESTED, user_id, request.requested_at)
    if is_new:
        _tell(asked, stores=stores, services=services, context=context)
    return asked


def requests_of_group(conversation_id: str, *, user_id: str, stores: Stores, context: Context) -> Sequence[JoinRequest]:
    """Who wants to come in, the longest waiting first, for who decides. Raises NotAMember, Forbidden."""
    audience = _moderated("decide_requests", conversation_id, user_id, stores, context)
    found = stores.joins.requests(conversation_id, limit=MAX_REQUESTS)
    return sorted((one for one in found if one.user_id not in audience), key=lambda one: one.requested_at)


def own_requests(user_id: str, *, stores: Stores) -> Sequence[JoinRequest]:
    """What the user has asked for and waits for, the longest waiting first."""
    found = stores.joins.requests_of(user_id)
    members = stores.memberships.of_user_in(user_id, [one.conversation_id for one in found]) if found else {}
    return sorted((one for one in found if one.conversation_id not in members), key=lambda one: one.requested_at)


@dataclass(frozen=True, slots=True)
class Decide:
    """What a moderator decides about a request, or who asked does: `status` is what becomes of it."""

    conversation_id: str
    user_id: str
    by: str
    status: RequestStatus


def decide_request(command: Decide, *, stores: Stores, services: Services, context: Context) -> Requested:
    """Let somebody in who asked for it, or don't. Who asked may take it back. What is so already changes nothing.

    Raises NotAMember, BadRequest (no group), NotFound (no such request), Forbidden (role), Conflict (full).
    """
    conversation_id, user_id, by = command.conversation_id, command.user_id, command.by
    if command.status == ACCEPTED:
        _accept(command, stores=stores, services=services, context=context)
    else:
        if command.status != WITHDRAWN:
            _moderated("decide_requests", conversation_id, by, stores, context)
        if not stores.joins.end(conversation_id, user_id):
            raise NotFound("There is no such request")
    decided = Requested(conversation_id, user_id, command.status, by, context.now())
    _tell(decided, stores=stores, services=services, context=context)
    return decided


def _accept(command: Decide, *, stores: Stores, services: Services, context: Context) -> None:
    conversation_id, user_id, by = command.conversation_id, command.user_id, command.by

    def decide(audience: rules.Audience) -> Change | None:
        _check_moderator("decide_requests", by, audience, context)
        if stores.joins.requested(conversation_id, user_id) is None:
            raise NotFound("There is no such request")
        if user_id in audience:
            return None
        return replace(_added(user_id, audience, context), requested=True)

    changed = change(conversation_id, user_id=by, decide=decide, stores=stores, context=context)
    if changed.entry is None:
        stores.joins.end(conversation_id, user_id)
    announce(changed, stores=stores, services=services, context=context)


def _tell(request: Requested, *, stores: Stores, services: Services, context: Context) -> None:
    """Tell those who may decide, and who asked."""
    said: dict[str, Any] = {
        "conversation_id": request.conversation_id,
        "user_id": request.user_id,
        "status": request.status,
        "by": request.by,
        "timestamp": request.at,
    }

    def tell() -> None:
        roster = stores.memberships.roster(request.conversation_id)
        seats = roster.seats.values() if roster else ()
        deciding = [seat.user_id for seat in seats if seat.role in context.limits.matrix.group["decide_requests"]]
        to = dict.fromkeys([*deciding, request.user_id])
        news = News("join_request", said)
        told = broadcast(news, to=to, skip="", stores=stores, services=services, now=context.now())
        report(told, services=services)

    best_effort(services, tell)


@dataclass(frozen=True, slots=True)
class NewInvite:
    """A link to be made. `expires_at` (ms) None: it does not end; `max_uses` None: for any number."""

    conversation_id: str
    by: str
    expires_at: int | None
    max_uses: int | None = None


def make_invite(command: NewInvite, *, stores: Stores, context: Context) -> tuple[Invite, str]:
    """Make a link, for the group's owners and admins as a rule. Returns it, and its token, which is kept nowhere.

    Raises NotAMember, BadRequest (no group; an end that is past or over a year ahead), Forbidden, Conflict (too many).
    """
    conversation_id, by, now = command.conversation_id, command.by, context.now()
    _moderated("create_invites", conversation_id, by, stores, context)
    expires_at = command.expires_at
    if expires_at is not None and not now < expires_at <= now + MAX_INVITE_LIFETIME_MS:
        raise BadRequest("`expires_at` is in the future, and at most a year ahead")
    if len(_good_invites(conversation_id, stores, now)) >= MAX_INVITES:
        raise Conflict(f"A group has at most {MAX_INVITES} links")
    token = context.new_secret()
    invite = Invite(invite_id_of(token), conversation_id, by, now, expires_at, command.max_uses)
    stores.joins.add_invite(invite)
    return invite, token


def invites_of(conversation_id: str, *, user_id: str, stores: Stores, context: Context) -> Sequence[Invite]:
    """The group's links that are good, the latest first, for who manages them. Raises NotAMember, Forbidden."""
    _moderated("manage_invites", conversation_id, user_id, stores, context)
    return sorted(
        _good_invites(conversation_id, stores, context.now()), key=lambda one: (-one.created_at, one.invite_id)
    )


def revoke_invite(conversation_id: str, invite_id: str, *, user_id: str, stores: Stores, context: Context) -> None:
    """From now on nobody comes by it. Idempotent. Raises NotAMember, Forbidden."""
    _moderated("manage_invites", conversation_id, user_id, stores, context)
    stores.joins.revoke(conversation_id, invite_id)


@dataclass(frozen=True, slots=True)
class Invitation:
    """What who has a link's token sees of it."""

    invite: Invite
    group: Group


def look_at_invite(token: str, *, stores: Stores, now: int) -> Invitation:
    """Raises NotFound for one that is not known, revoked, used up or at its end."""
    invite = stores.joins.invite(invite_id_of(token))
    group = None
    if invite is not None and invite.is_good(now):
        group = stores.memberships.groups([invite.conversation_id]).get(invite.conversation_id)
    if invite is None or group is None or not group.size:
        raise NotFound("There is no such invite")
    return Invitation(invite, group)


def join_by_invite(token: str, *, user_id: str, stores: Stores, services: Services, context: Context) -> Joined:
    """Become a member by a link. It counts a use exactly where it makes one: who is in the group uses none.

    Raises NotFound (as above, also where others have used it up meanwhile), Conflict (full).
    """
    invite = stores.joins.invite(invite_id_of(token))
    if invite is None:
        raise NotFound("There is no such invite")
    if stores.memberships.get(invite.conversation_id, user_id) is not None:
        return as_it_is(invite.conversation_id, user_id, stores=stores, context=context)
    place, invite_id = invite.conversation_id, invite.invite_id
    try:
        look_at_invite(token, stores=stores, now=context.now())
        return _come(place, user_id, invite_id=invite_id, stores=stores, services=services, context=context)
    except NotFound:
        # The same request at the same time may have used it up.
        if stores.memberships.get(place, user_id) is None:
            raise
        return as_it_is(place, user_id, stores=stores, context=context)


def _good_invites(conversation_id: str, stores: Stores, now: int) -> list[Invite]:
    return [one for one in stores.joins.invites(conversation_id) if one.is_good(now)]


def _moderated(permission: str, conversation_id: str, user_id: str, stores: Stores, context: Context) -> rules.Audience:
    """Who is in a group in which the user has the permission. Raises NotAMember, BadRequest (no group), Forbidden."""
    if private_members(conversation_id) is not None and stores.memberships.get(conversation_id, user_id) is None:
        raise NotAMember
    audience = audience_of(conversation_id, user_id, stores=stores)
    _check_moderator(permission, user_id, audience, context)
    return audience


def _check_moderator(permission: str, user_id: str, audience: rules.Audience, context: Context) -> None:
    """Raises BadRequest for what is no group, Forbidden."""
    if audience.group is not None and not is_group_id(audience.group.conversation_id):
        raise BadRequest("This is a channel: who reads it joins by its id, or is added")
    rules.check_moderator(permission, user_id, audience, context.limits.matrix)
