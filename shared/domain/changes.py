"""What an entry that is no message does to its conversation. Each is written together with its effect, or not at all.

An entry describes its change completely, so the log alone tells how everything came to be as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Role = Literal["owner", "admin", "member"]
OWNER: Final = "owner"
ADMIN: Final = "admin"
MEMBER: Final = "member"
ROLES: Final[tuple[Role, ...]] = (OWNER, ADMIN, MEMBER)

JoinPolicy = Literal["open", "closed"]
"""Who may join a channel by themselves: whoever knows its id, or no one."""
OPEN: Final = "open"
CLOSED: Final = "closed"

# One transaction has 100 parts at most: the entry, the group's own item, and two for each member.
MAX_USERS_PER_CHANGE: Final = 48


@dataclass(frozen=True, slots=True)
class Edited:
    """The message at `target` reads `content` now; None once a later edit or a delete has taken that away.

    `data` is what the team hangs on it from now on, as JSON, and `null` where that was taken off; None where it never
    had any. Each edit says it, whether it changes it or not: those before it do no longer.

    `previous` is the entry of the edit before this one: a content stands in one edit entry at most, the latest.
    """

    target: int
    content: str | None = None
    previous: int | None = None
    data: str | None = None


@dataclass(frozen=True, slots=True)
class Deleted:
    """The message at `target` keeps place and ids. `previous` is its latest edit's entry, `file_id` a file it had.

    `more_files` are further ones, of its attachments.
    """

    target: int
    previous: int | None = None
    file_id: str | None = None
    more_files: tuple[str, ...] = ()

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

    `join` comes with a channel's first entry.
    """

    users: tuple[str, ...]
    size: int
    roles: Mapping[str, Role] = field(default_factory=dict)
    name: str | None = None
    join: JoinPolicy | None = None


@dataclass(frozen=True, slots=True)
class Removed:
    """`users` left, or were removed. `size` is how many members there are now."""

    users: tuple[str, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Renamed:
    name: str


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


Change = Edited | Deleted | Reacted | Added | Removed | Renamed | RolesChanged | OwnChanged


def last_touched(change: Change) -> int:
    """The last place of the log that a change writes to beside its own; 0 for one that changes no entry."""
    match change:
        case Edited() | Deleted():
            return max(change.target, change.previous or 0)
        case Reacted():
            return change.target
        case _:
            return 0


def changes_roster(change: Change) -> bool:
    """Whether it changes anything of what a group's roster says: who is in it, their roles, its name."""
    return isinstance(change, Added | Removed | Renamed | RolesChanged)


MESSAGE: Final = "message"
# The kind of entry that each change is, as clients and the stream's filter see it.
KINDS: Final[Mapping[type[Change], str]] = {
    Edited: "message_edited",
    Deleted: "message_deleted",
    Reacted: "reaction",
    Added: "member_added",
    Removed: "member_removed",
    Renamed: "conversation_updated",
    RolesChanged: "conversation_updated",
    OwnChanged: "user_changed",
}
