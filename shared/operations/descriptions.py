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
from shared.errors import BadRequest, Blocked, Forbidden, NotAMember, NotFound, TooLarge
from shared.operations.changes import Changed, announce, change
from shared.operations.channels import set_writer
from shared.operations.contacts import check_profile
from shared.operations.context import Context
from shared.operations.groups import SetRole, set_role
from shared.ports.services import Services
from shared.ports.stores import ChatStores, Stores

MAX_TOPIC_CHARACTERS: Final = 500
_DATA: Final = "data"
# What is so of a group that does not say it.
_UNSAID: Final[Mapping[str, Any]] = {"join": INVITE, "history": ALL, "slow_mode": 0, "frozen": False}
_GROUPS_OWN: Final = frozenset(_UNSAID)
# Which permission takes what; the others are called after what they change.
_PERMISSIONS: Final[Mapping[str, str]] = {"frozen": "freeze", "retention_days": "change_retention"}
_RETENTION: Final = "retention_days"


@dataclass(frozen=True, slots=True)
class Update:
    """What a client asks for: the fields that it names, None for what is to be taken away.

    `is_server`: an administrator asks, as this member.
    """

    conversation_id: str
    changes: Mapping[str, Any]
    by: str
    is_server: bool = False


def described(changes: Mapping[str, Any]) -> str | None:
    """What a new group says of itself, as its first entry keeps it; None for nothing. Raises as `update` does."""
    said = {name: value for name, value in _checked(changes).items() if value is not None}
    return as_json(said) if said else None


def update(command: Update, *, stores: Stores, services: Services, context: Context) -> Changed:
    """Change what a conversation is called and says of itself. Fields that say so already are left out.

    `changes`: `name`, `topic`, `avatar` and `data` (an object) of a group or channel, and of a group `join`, `history`,
    `slow_mode` (seconds, 0 for none) and `frozen`, for whose roles have the permission for each; of a private
    conversation `data` alone, by either member, unless the other blocks them: this may be its first entry. And of each
    `retention_days`, in a private one for administrators alone; what is stored is kept so as well then, some hundred
    entries of it when this returns.
    Raises NotAMember, BadRequest (a private conversation's name, blank ones, a channel's `join`), TooLarge, Forbidden
    (role), Blocked.
    """
    changes, conversation_id, by = _checked(command.changes), command.conversation_id, command.by
    of_itself = {name: value for name, value in changes.items() if name != _RETENTION}
    is_private = private_members(conversation_id) is not None

    def decide(audience: rules.Audience) -> Change | None:
        if is_private and of_itself.keys() <= {_DATA}:
            stored = {_DATA: _about(conversation_id, by, stores)} if of_itself else {}
            if _RETENTION in changes and not command.is_server:
                raise Forbidden("Only the team's server says how long a private conversation is kept")
        else:
            _check_policy(conversation_id, changes)
            for name in of_itself if command.is_server else changes:
                rules.check_moderator(_PERMISSIONS.get(name, f"change_{name}"), by, audience, context.limits.matrix)
            stored = {name: getattr(audience.group, name) or _UNSAID.get(name) for name in of_itself}
        given = Updated(as_json(of_itself)).fields
        said = {name: value for name, value in of_itself.items() if given[name] != stored[name]}
        days = _new_days(command, stores)
        if said.keys() == {"name"} and days is None:
            return Renamed(said["name"])
        return Updated(as_json(said), said.get("name"), days) if said or days is not None else None

    changed = change(conversation_id, user_id=by, decide=decide, stores=stores, context=context)
    announce(changed, stores=stores, services=services, context=context)
    if _RETENTION in changes:  # also where it was so: what set it may have died before this
        from shared.operations.keeping import keep_at_once  # noqa: PLC0415  # few requests set it

        keep_at_once(conversation_id, stores=stores, context=context)
    return changed


def _new_days(command: Update, stores: ChatStores) -> int | None:
    """How many days a conversation is to be kept by its own rule, 0 for no such rule; None where it is so already."""
    if _RETENTION not in command.changes:
        return None
    tail = next(iter(stores.log.read_back(command.conversation_id, limit=1)), None)
    days: int | None = command.changes[_RETENTION]
    return None if days == (tail.keep_days if tail else None) else days or 0


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
    """A member's new role, None to leave it; and where `has_data` what a team hangs on them, None for nothing.

    One of both at least.
    """

    conversation_id: str
    user_id: str
    by: str
    role: Role | None
    data: Mapping[str, Any] | None
    has_data: bool


def update_member(command: UpdateMember, *, stores: Stores, services: Services, context: Context) -> Role:
    """Change a member's role, or what hangs on them, as far as the roles of who asks allow it. Returns the role.

    Raises NotAMember, BadRequest (a channel's member has no data), NotFound (no such member), TooLarge, Forbidden (also
    the last owner), Blocked.
    """
    conversation_id, user_id, by, role = command.conversation_id, command.user_id, command.by, command.role
    text = _member_data(command, stores) if command.has_data else None  # what is refused changes no role either
    if role is not None:
        set_any = set_writer if is_channel_id(conversation_id) else set_role
        set_any(SetRole(conversation_id, user_id, role, by), stores=stores, services=services, context=context)
    if not command.has_data:
        assert role is not None  # noqa: S101  # one of both at least
        return role
    return _hang(command, text, stores=stores, services=services, context=context)


def _member_data(command: UpdateMember, stores: Stores) -> str | None:
    """The data as it is kept."""
    text = data_text(command.data)
    if is_channel_id(command.conversation_id):
        if stores.memberships.get(command.conversation_id, command.by) is None:
            raise NotAMember
        raise BadRequest("Members of a channel have no data")
    return text


def _hang(command: UpdateMember, text: str | None, *, stores: Stores, services: Services, context: Context) -> Role:
    conversation_id, user_id, by = command.conversation_id, command.user_id, command.by

    def decide(audience: rules.Audience) -> Change | None:
        if user_id not in audience:
            raise NotFound("There is no such member")
        rules.check_data_of(user_id, by, audience, context.limits.matrix)
        if audience.group is None:
            _about(conversation_id, by, stores)
        member = stores.memberships.get(conversation_id, user_id)
        if member is None:
            raise NotFound("There is no such member")
        return None if member.data == text else Updated(as_json({"members": {user_id: {_DATA: command.data}}}))

    changed = change(conversation_id, user_id=by, decide=decide, stores=stores, context=context)
    announce(changed, stores=stores, services=services, context=context)
    return changed.audience.roles[user_id]
