"""What a conversation says of itself beside its messages, and what a team hangs on it and on its members.

Every change is an entry of the log. A group's or channel's stands in its own item; a private conversation has none, so
its `data` stands in both members' rows, which every inbox reads anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.domain import rules
from shared.domain.changes import ALL, INVITE, Change, Renamed, Role, Updated, as_json
from shared.domain.contacts import Profile
from shared.domain.custom import data_text
from shared.domain.text import is_channel_id, is_label, other_member, private_members
from shared.errors import BadRequest, Blocked, NotAMember, NotFound, TooLarge
from shared.operations.changes import Changed, announce, change
from shared.operations.contacts import check_profile
from shared.operations.context import Context
from shared.ports.services import Services
from shared.ports.stores import ChatStores

MAX_TOPIC_CHARACTERS: Final = 500
_DATA: Final = "data"
# What is so of a group that does not say it.
_UNSAID: Final[Mapping[str, Any]] = {"join": INVITE, "history": ALL, "slow_mode": 0, "frozen": False}
_GROUPS_OWN: Final = frozenset(_UNSAID)


@dataclass(frozen=True, slots=True)
class Update:
    """What a client asks for: the fields that it names, None for what is to be taken away."""

    conversation_id: str
    changes: Mapping[str, Any]
    by: str


def described(changes: Mapping[str, Any]) -> str | None:
    """What a new group says of itself, as its first entry keeps it; None for nothing. Raises as `update` does."""
    said = {name: value for name, value in _checked(changes).items() if value is not None}
    return as_json(said) if said else None


def update(command: Update, *, stores: ChatStores, services: Services, context: Context) -> Changed:
    """Change what a conversation is called and says of itself. Fields that say so already are left out.

    `changes`: `name`, `topic`, `avatar` and `data` (an object) of a group or channel, and of a group `join`, `history`,
    `slow_mode` (seconds, 0 for none) and `frozen`, for its owners and admins; of a private conversation `data` alone,
    by either member, unless the other blocks them: this may be its first entry.
    Raises NotAMember, BadRequest (a private conversation's name, blank ones, a channel's `join`), TooLarge, Forbidden
    (role), Blocked.
    """
    changes, conversation_id, by = _checked(command.changes), command.conversation_id, command.by
    is_private = private_members(conversation_id) is not None

    def decide(audience: rules.Audience) -> Change | None:
        if is_private and changes.keys() == {_DATA}:
            stored = {_DATA: _about(conversation_id, by, stores)}
        else:
            rules.check_moderator(by, audience)
            _check_policy(conversation_id, changes)
            stored = {name: getattr(audience.group, name) or _UNSAID.get(name) for name in changes}
        given = Updated(as_json(changes)).fields
        said = {name: value for name, value in changes.items() if given[name] != stored[name]}
        if said.keys() == {"name"}:
            return Renamed(said["name"])
        return Updated(as_json(said), said.get("name")) if said else None

    changed = change(conversation_id, user_id=by, decide=decide, stores=stores, context=context)
    announce(changed, stores=stores, services=services, context=context)
    return changed


def _check_policy(conversation_id: str, changes: Mapping[str, Any]) -> None:
    if is_channel_id(conversation_id) and _GROUPS_OWN & changes.keys():
        raise BadRequest(
            "A channel is joined as is settled when it is made, seen whole, and written by who runs it alone"
        )


def _about(conversation_id: str, user_id: str, stores: ChatStores) -> str | None:
    """What hangs on a private conversation. Raises NotAMember, and Blocked."""
    other = other_member(conversation_id, user_id) or ""
    found = stores.log.lookup(conversation_id, seqs=[], member_id=user_id, block=(other, user_id), consistent=True)
    if found.member is None:
        raise NotAMember
    if found.blocked:
        raise Blocked
    return found.member.about


def _checked(changes: Mapping[str, Any]) -> Mapping[str, Any]:
    """The fields as they were given. Raises BadRequest and TooLarge."""
    if "name" in changes:
        rules.check_name(changes["name"])
    topic = changes.get("topic")
    if topic is not None and len(topic) > MAX_TOPIC_CHARACTERS:
        raise TooLarge(f"A topic has at most {MAX_TOPIC_CHARACTERS} characters")
    if topic is not None and not is_label(topic):
        raise BadRequest("The topic is blank, or holds a control character: null takes it away")
    check_profile(Profile(avatar_url=changes.get("avatar")))
    data_text(changes.get(_DATA))
    return changes


@dataclass(frozen=True, slots=True)
class UpdateMember:
    """What a team hangs on a member: an object, or None for nothing."""

    conversation_id: str
    user_id: str
    data: Mapping[str, Any] | None
    by: str


def check_member_data(command: UpdateMember, *, stores: ChatStores) -> str | None:
    """The data as it is kept. Raises what `update_member` does of it and of channels: before what else is asked."""
    text = data_text(command.data)
    if is_channel_id(command.conversation_id):
        if stores.memberships.get(command.conversation_id, command.by) is None:
            raise NotAMember
        raise BadRequest("Members of a channel have no data")
    return text


def update_member(
    command: UpdateMember, *, stores: ChatStores, services: Services, context: Context
) -> tuple[Changed, Role]:
    """Members change their own, owners and admins of a group everyone's. Returns the member's role, too.

    Raises NotAMember, BadRequest (a channel's member), NotFound (no such member), TooLarge, Forbidden, Blocked.
    """
    conversation_id, user_id, by = command.conversation_id, command.user_id, command.by
    text = check_member_data(command, stores=stores)

    def decide(audience: rules.Audience) -> Change | None:
        if user_id not in audience:
            raise NotFound("There is no such member")
        rules.check_data_of(user_id, by, audience)
        if audience.group is None:
            _about(conversation_id, by, stores)
        member = stores.memberships.get(conversation_id, user_id)
        if member is None:
            raise NotFound("There is no such member")
        return None if member.data == text else Updated(as_json({"members": {user_id: {_DATA: command.data}}}))

    changed = change(conversation_id, user_id=by, decide=decide, stores=stores, context=context)
    announce(changed, stores=stores, services=services, context=context)
    return changed, changed.audience.roles[user_id]
