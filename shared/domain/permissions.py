"""Who may do what in a group or channel: the roles that each permission is given to, which a deployment can change.

The two of a private conversation have no roles: what they may is the same everywhere. A channel's plain members read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.domain.changes import ADMIN, MEMBER, OWNER, ROLES, Role
from shared.domain.text import is_channel_id

Grants = Mapping[str, frozenset[Role]]
"""The roles that have each permission."""

MAX_TEXT: Final = 1_200
"""Characters of all changes together: they go into a variable of a Lambda, and all of its variables have 4 KB."""

_ALL: Final[frozenset[Role]] = frozenset(ROLES)
_RUNNING: Final[frozenset[Role]] = frozenset({OWNER, ADMIN})
_OWNERS: Final[frozenset[Role]] = frozenset({OWNER})
_WRITING: Final = ("send", "attach", "forward", "edit_own", "delete_own", "react")

GROUP: Final[Grants] = {
    **dict.fromkeys(_WRITING, _ALL),
    **dict.fromkeys(("remove_reactions", "delete_any", "pin", "mention_all", "mention_here"), _RUNNING),
    **dict.fromkeys(("write_frozen", "skip_slow_mode", "add_members", "remove_members"), _RUNNING),
    "change_roles": _OWNERS,
    **dict.fromkeys(("change_name", "change_topic", "change_avatar", "change_data", "change_member_data"), _RUNNING),
    "change_own_data": _ALL,
    **dict.fromkeys(("change_join", "change_history", "change_slow_mode", "freeze"), _RUNNING),
    "change_retention": _OWNERS,
    **dict.fromkeys(("create_invites", "manage_invites", "decide_requests"), _RUNNING),
}
CHANNEL: Final[Grants] = {
    **dict.fromkeys((*_WRITING, "remove_reactions", "delete_any", "pin", "add_members", "remove_members"), _RUNNING),
    "change_roles": _OWNERS,
    **dict.fromkeys(("change_name", "change_topic", "change_avatar", "change_data"), _RUNNING),
    "change_retention": _OWNERS,
    "list_members": _RUNNING,
}
PRIVATE: Final = (*_WRITING, "pin", "change_data", "change_own_data")
# Without one of these a group could come to stand as it is for good: frozen, or with nobody who lets others in.
KEPT_BY_OWNERS: Final = frozenset(
    {
        *("add_members", "remove_members", "change_roles", "change_join", "change_history", "change_slow_mode"),
        *("freeze", "manage_invites", "decide_requests"),
    }
)
# What else a guest's role may is refused to their token, see docs/protocol.md#guests.
FOR_GUESTS: Final = frozenset(
    {
        *(*_WRITING, "remove_reactions", "delete_any", "mention_all", "mention_here"),
        *("write_frozen", "skip_slow_mode"),
    }
)
_PHRASES: Final = {
    "send": "write",
    "attach": "send files and attachments",
    "forward": "forward messages into it",
    "edit_own": "edit their messages",
    "delete_own": "delete their messages",
    "react": "put reactions",
    "remove_reactions": "take off another user's reaction",
    "delete_any": "delete another user's message",
    "pin": "pin messages",
    "mention_all": "mention @all",
    "mention_here": "mention @here",
    "write_frozen": "write while it is frozen",
    "skip_slow_mode": "write without waiting",
    "add_members": "add members",
    "remove_members": "remove members",
    "change_roles": "change roles",
    "change_name": "change its name",
    "change_topic": "change its topic",
    "change_avatar": "change its avatar",
    "change_data": "change its data",
    "change_member_data": "change another member's data",
    "change_own_data": "change their own data",
    "change_join": "change who may join",
    "change_history": "change what new members see",
    "change_slow_mode": "change the slow mode",
    "freeze": "freeze it",
    "change_retention": "change how long it is kept",
    "create_invites": "make links",
    "manage_invites": "see and revoke its links",
    "decide_requests": "see and decide requests",
    "list_members": "list its members",
}


@dataclass(frozen=True, slots=True)
class Matrix:
    """What each role may, in this deployment."""

    group: Grants
    channel: Grants

    def of(self, conversation_id: str) -> Grants:
        """Of a group or channel."""
        return self.channel if is_channel_id(conversation_id) else self.group

    def is_everyones(self, permission: str) -> bool:
        """Whether every member of every group has it: then nobody's role needs to be looked up."""
        return self.group[permission] == _ALL

    def held_by(self, role: Role | None, conversation_id: str, *, is_guest: bool = False) -> list[str]:
        """What a member may, in the table's order. `role` is None in a private conversation."""
        if role is None:
            held = list(PRIVATE)
        else:
            held = [permission for permission, roles in self.of(conversation_id).items() if role in roles]
        return [permission for permission in held if permission in FOR_GUESTS] if is_guest else held

    def refusal(self, permission: str, conversation_id: str) -> str:
        """What is said to who may not."""
        roles = self.of(conversation_id)[permission]
        who = " and ".join(f"{role}s" for role in ROLES if role in roles)
        kind = "channel" if is_channel_id(conversation_id) else "group"
        return f"{f'Only {who}' if who else 'No members'} of the {kind} can {_PHRASES[permission]}"


DEFAULT: Final = Matrix(GROUP, CHANNEL)
_KINDS: Final[Mapping[str, Grants]] = {"group": GROUP, "channel": CHANNEL}
_NOBODY: Final = "nobody"


def matrix_of(text: str) -> Matrix:
    """The table with these changes. Raises ValueError with all that is wrong about them."""
    if not text:
        return DEFAULT
    changes, problems = _read(text)
    if problems:
        raise ValueError("; ".join(problems))
    return Matrix({**GROUP, **changes["group"]}, {**CHANNEL, **changes["channel"]})


def problems_of(text: str) -> list[str]:
    """What is wrong with changes of the table, each as a sentence; nothing where they can be used.

    `text` is like `group.pin=owner+admin+member,channel.send=owner`; `nobody` stands for no role at all.
    """
    return _read(text)[1]


def _read(text: str) -> tuple[dict[str, dict[str, frozenset[Role]]], list[str]]:
    changes: dict[str, dict[str, frozenset[Role]]] = {kind: {} for kind in _KINDS}
    problems = [f"more than {MAX_TEXT:,} characters"] if len(text) > MAX_TEXT else []
    for part in filter(None, map(str.strip, text.split(","))):
        named, _, given = (one.strip() for one in part.partition("="))
        kind, _, permission = named.partition(".")
        names = [] if given == _NOBODY else [name.strip() for name in given.split("+")]
        wrong = _unnamed(kind, permission) or _ungiven(kind, permission, names)
        if wrong is None and permission in changes[kind]:
            wrong = "given twice"
        if wrong is None:
            changes[kind][permission] = frozenset(role for role in ROLES if role in names)
        else:
            problems.append(f"{part!r}: {wrong}")
    return changes, problems


def _unnamed(kind: str, permission: str) -> str | None:
    """Why there is no such permission; None where there is."""
    if kind not in _KINDS:
        return "give it as group.pin=owner+admin, of a group or channel"
    if permission not in _KINDS[kind]:
        return f"no such permission; a {kind} has {', '.join(_KINDS[kind])}"
    return None


def _ungiven(kind: str, permission: str, names: list[str]) -> str | None:
    """Why it can't be given to these roles; None where it can."""
    unknown = [name for name in names if name not in ROLES]
    if unknown:
        return f"no such role: {unknown[0]!r}; there are {', '.join(ROLES)}, joined by +, or {_NOBODY}"
    if len(names) > len(set(names)):
        return "a role stands there twice"
    if kind == "channel" and MEMBER in names:
        return "members of a channel read; give them a role to let them do more"
    if OWNER not in names and permission in KEPT_BY_OWNERS:
        return "owners keep this, or a group could come to stand as it is for good"
    return None
