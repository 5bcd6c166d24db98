"""Who is in a conversation, at one place of its log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from shared.domain.changes import MEMBER, Added, Removed, Renamed, Role, RolesChanged, changes_roster
from shared.domain.entries import Entry, Group, Roster
from shared.domain.identifiers import is_group_id, private_members
from shared.errors import NotAMember
from shared.ports.conversations import Memberships


@dataclass(frozen=True, slots=True)
class Audience:
    """The members with their roles. `group` is None for a private conversation, whose id names its two members."""

    roles: Mapping[str, Role]
    group: Group | None = None

    @classmethod
    def of(cls, roster: Roster) -> Audience:
        return cls({seat.user_id: seat.role for seat in roster.seats.values()}, roster.group)

    @classmethod
    def of_one(cls, user_id: str) -> Audience:
        """As if the user were alone: the others were not looked up."""
        return cls({user_id: MEMBER})

    @property
    def members(self) -> tuple[str, ...]:
        return tuple(self.roles)

    def __contains__(self, user_id: object) -> bool:
        return user_id in self.roles

    def __len__(self) -> int:
        return len(self.roles)

    def after(self, entries: Iterable[Entry]) -> Audience:
        """The audience after these entries too: what was read, plus what was met in the log since.

        Entries that the reading already reflects may be among them: the last change of each user counts.
        """
        changes = [change for entry in entries if (change := entry.change) is not None and changes_roster(change)]
        if not changes:
            return self
        roles, group = dict(self.roles), self.group
        for change in changes:
            match change:
                case Added(users=users, roles=given):
                    roles.update({user: given.get(user, MEMBER) for user in users})
                case Removed(users=users):
                    roles = {user: role for user, role in roles.items() if user not in users}
                case RolesChanged(roles=changed):
                    roles.update({user: role for user, role in changed.items() if user in roles})
                case Renamed(name=name) if group is not None:
                    group = replace(group, name=name)
        return Audience(roles, group)


def check_possible_member(conversation_id: str, user_id: str) -> None:
    """Whether the user could be in a conversation of this id, without a read. Raises NotAMember."""
    private = private_members(conversation_id)
    if user_id in private if private is not None else is_group_id(conversation_id):
        return
    raise NotAMember


def audience_of(conversation_id: str, user_id: str, *, memberships: Memberships) -> Audience:
    """Everyone in the conversation, the user among them: one query for a group, none for a private conversation.

    Raises NotAMember, alike for a conversation that the user is not in and for one that does not exist.

    To decide about a write, see `rosters.py`: the roster has to be at least as new as the entry in front of it.
    """
    check_possible_member(conversation_id, user_id)
    private = private_members(conversation_id)
    if private is not None:
        return Audience(dict.fromkeys(private, MEMBER))
    roster = memberships.roster(conversation_id)
    if roster is None or user_id not in roster.seats:
        raise NotAMember
    return Audience.of(roster)
