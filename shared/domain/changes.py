"""What an entry that is no message does to its conversation. Each is written together with its effect, or not at all.

An entry describes its change completely, so the log alone tells how everything came to be as it is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

Role = Literal["owner", "admin", "member"]
OWNER: Final = "owner"
ADMIN: Final = "admin"
MEMBER: Final = "member"
ROLES: Final[tuple[Role, ...]] = (OWNER, ADMIN, MEMBER)

ChannelJoin = Literal["open", "closed"]
GroupJoin = Literal["invite", "request", "open"]
JoinPolicy = ChannelJoin | GroupJoin
"""Who may come by themselves: whoever knows its id, or no one; into a group also who is let in on request."""
OPEN: Final = "open"
CLOSED: Final = "closed"
History = Literal["all", "from_joining"]
"""How much of a group's history who joins it from now on may see: all, or what follows their coming."""
ALL: Final = "all"
FROM_JOINING: Final = "from_joining"
INVITE: Final = "invite"
REQUEST: Final = "request"

# One transaction has 100 parts at most: the entry, the group's own item, and two for each member.
MAX_USERS_PER_CHANGE: Final = 48


@dataclass(frozen=True, slots=True)
class Edited:
    """The message at `target` reads `content` now; None once a later edit or a delete has taken that away.

    `data` is what the team hangs on it from now on, as JSON, and `null` where that was taken off; None where it never
    had any. Each edit says it, whether it changes it or not: those before it do no longer.
    `since`: from when on it counts how long the message is kept (ms), where it is not kept for good.

    `previous` is the entry of the edit before this one: a content stands in one edit entry at most, the latest.
    """

    target: int
    content: str | None = None
    previous: int | None = None
    data: str | None = None
    since: int | None = None


@dataclass(frozen=True, slots=True)
class Deleted:
    """The message at `target` keeps place and ids. `previous` is its latest edit's entry, `file_id` a file it had.

    `more_files` are further ones, of its attachments. `pinned`: it was, and is not any more.
    """

    target: int
    previous: int | None = None
    file_id: str | None = None
    more_files: tuple[str, ...] = ()
    pinned: bool = False

    @property
    def file_ids(self) -> tuple[str, ...]:
        return self.more_files if self.file_id is None else (self.file_id, *self.more_files)


@dataclass(frozen=True, slots=True)
class Reacted:
    """The sender's `emoji` stands at `target`, or no longer. `owner_id`: whose a moderator took off."""

    target: int
    emoji: str
    removed: bool
    owner_id: str | None = None


@dataclass(frozen=True, slots=True)
class Added:
    """`users` became members, with their `roles`. `name` comes with a group's first entry; `size` is of members now.

    `join` comes with a channel's first entry, and `said` with either's: what it says of itself, as in `Updated`.
    `requested`: they had asked for it. `invite_id`: by which link they came. `hides`: they see nothing of before.
    """

    users: tuple[str, ...]
    size: int
    roles: Mapping[str, Role] = field(default_factory=dict)
    name: str | None = None
    join: JoinPolicy | None = None
    said: str | None = None
    requested: bool = False
    invite_id: str | None = None
    hides: bool = False

    @property
    def fields(self) -> dict[str, Any]:
        """What the group says of itself, as it is kept."""
        return fields_of(self.said)


@dataclass(frozen=True, slots=True)
class Removed:
    """`users` left, or were removed. `size` is how many members there are now."""

    users: tuple[str, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Renamed:
    name: str


@dataclass(frozen=True, slots=True)
class Updated:
    """What a conversation, or a member of it, says of itself has changed.

    `said` is that as JSON, as clients get it: the fields that changed, null for what was taken away, members' own under
    `members`, and a message that is `pinned` now or `unpinned`, by its seq. `name` stands beside it where it is among
    them, for versions that know of nothing else. `retention_days`: so long its entries are kept from now on, whatever
    its kind has; 0 where that was taken away. Versions that know of none read that nothing has changed.
    """

    said: str
    name: str | None = None
    retention_days: int | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """What has changed of the conversation, as it is kept."""
        return fields_of(self.said)

    @property
    def members(self) -> Mapping[str, Mapping[str, Any]]:
        """What has changed of members, as it is kept."""
        return {user: _kept(fields) for user, fields in json.loads(self.said).get(_MEMBERS, {}).items()}

    @property
    def pinned(self) -> int | None:
        """The message that is pinned now."""
        return json.loads(self.said).get(_PINNED)  # type: ignore[no-any-return]  # it was made of one

    @property
    def unpinned(self) -> int | None:
        """The message that is not any more."""
        return json.loads(self.said).get(_UNPINNED)  # type: ignore[no-any-return]

    def without(self, user_id: str, *, data: bool) -> Updated | None:
        """The same without what hangs on this member, or, with `data`, on the conversation; None where nothing does."""
        said = json.loads(self.said)
        own = said.get(_MEMBERS, {}).get(user_id, {})
        hangs = data and said.get(_DATA) is not None
        if not hangs and all(value is None for value in own.values()):
            return None
        if own:
            said[_MEMBERS][user_id] = dict.fromkeys(own)
        if hangs:
            said[_DATA] = None
        return replace(self, said=as_json(said))

    @classmethod
    def of_pin(cls, seq: int, *, removed: bool) -> Updated:
        return cls(as_json({_UNPINNED if removed else _PINNED: seq}))


@dataclass(frozen=True, slots=True)
class RolesChanged:
    roles: Mapping[str, Role]


Own = Literal["settings", "hidden", "block", "profile", "contact", "device"]
"""What of a user's own can change: how conversations are shown, whom they block or know, who they are, and where."""


@dataclass(frozen=True, slots=True)
class OwnChanged:
    """`what` of a user's own says `value` now, as JSON. Only in a user's own log, and its effect is stored with it."""

    what: Own
    value: str


Happening = Literal[
    "user_updated",
    "user_deactivated",
    "user_deleted",
    "user_banned",
    "user_unbanned",
    "user_shadow_banned",
    "user_shadow_unbanned",
    "tokens_revoked",
    "file_ready",
    "file_rejected",
    "file_deleted",
    "report_made",
    "report_decided",
    "read",
    "delivered",
    "presence",
]
"""What the team's backend is told of a user beside their own log: the type of its event."""


@dataclass(frozen=True, slots=True)
class Happened:
    """What happened to a user, or to a file or a report of theirs. `value` is JSON, of ids and codes mostly.

    Only in the log of a user that the team's backend is told from, which no client reads. Of one `topic` the latest
    says how things stand.
    """

    what: Happening
    topic: str
    value: str


_DATA: Final = "data"
_MEMBERS: Final = "members"
_PINNED: Final = "pinned"
_UNPINNED: Final = "unpinned"
# What stands elsewhere than in the conversation's own item.
_ELSEWHERE: Final = frozenset({_MEMBERS, _PINNED, _UNPINNED})


def fields_of(said: str | None) -> dict[str, Any]:
    """The fields of a conversation in what was said of it: texts as they are, an object as JSON."""
    fields = json.loads(said) if said else {}
    return _kept({name: value for name, value in fields.items() if name not in _ELSEWHERE})


def _kept(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: as_json(value) if isinstance(value, dict) else value for name, value in fields.items()}


def as_json(value: Any) -> str:
    """Without blanks, and whatever is not ASCII as it is."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


Change = Edited | Deleted | Reacted | Added | Removed | Renamed | Updated | RolesChanged | Happened | OwnChanged


def last_touched(change: Change) -> int:
    """The last place of the log that a change writes to beside its own; 0 for one that changes no entry."""
    match change:
        case Edited() | Deleted():
            return max(change.target, change.previous or 0)
        case Reacted():
            return change.target
        case Updated():
            return change.pinned or change.unpinned or 0
        case _:
            return 0


def changes_roster(change: Change) -> bool:
    """Whether it changes anything of what a group's roster says: who is in it, their roles, what it says of itself."""
    return isinstance(change, Added | Removed | Renamed | Updated | RolesChanged)


MESSAGE: Final = "message"
# The kind of entry that each change is, as clients and the stream's filter see it.
KINDS: Final[Mapping[type[Change], str]] = {
    Edited: "message_edited",
    Deleted: "message_deleted",
    Reacted: "reaction",
    Added: "member_added",
    Removed: "member_removed",
    Renamed: "conversation_updated",
    Updated: "conversation_updated",
    RolesChanged: "conversation_updated",
    Happened: "user_changed",  # a version that knows of nothing else reads it as that
    OwnChanged: "user_changed",
}
