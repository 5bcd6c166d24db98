"""The members table in memory: memberships, and the rows that contacts, blocks and relations share with them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields, replace
from typing import Any

from shared.domain.changes import MEMBER, Added, Removed, Role
from shared.domain.contacts import Contact, Profile
from shared.domain.entries import Entry
from shared.domain.members import Group, Member, Preferences, Roster, Seat

_UNSET: dict[str, Any] = {one.name: one.default for one in fields(Preferences) if one.default is not MISSING}


@dataclass
class FakeMemberships:
    """`members` is what stands under the user, `seats` what stands under the conversation.

    `contacts` are (owner, other) → the owner's side; `blocks` are (blocker, blocked) → since; `mutual` are the private
    conversations in which both have written.
    """

    members: dict[tuple[str, str], Member] = field(default_factory=dict)
    seats: dict[tuple[str, str], Seat] = field(default_factory=dict)
    group_items: dict[str, Group] = field(default_factory=dict)
    contacts: dict[tuple[str, str], Contact] = field(default_factory=dict)
    blocks: dict[tuple[str, str], int] = field(default_factory=dict)
    profiles: dict[str, Profile] = field(default_factory=dict)
    mutual: set[str] = field(default_factory=set)
    reads: int = 0

    def of_user(self, user_id: str) -> list[Member]:
        self.reads += 1
        return [member for (_, user), member in sorted(self.members.items()) if user == user_id]

    def listed(self, user_id: str, *, after: str, limit: int) -> list[Member]:
        return [member for member in self.of_user(user_id) if member.conversation_id > after][:limit]

    def of_user_in(self, user_id: str, conversation_ids: Collection[str]) -> Mapping[str, Member]:
        self.reads += 1
        found = {one: self.members.get((one, user_id)) for one in conversation_ids}
        return {one: member for one, member in found.items() if member is not None}

    def get(self, conversation_id: str, user_id: str) -> Member | None:
        self.reads += 1
        return self.members.get((conversation_id, user_id))

    def among(self, conversation_id: str, user_ids: Collection[str]) -> Mapping[str, Member]:
        self.reads += 1
        found = {user: self.members.get((conversation_id, user)) for user in user_ids}
        return {user: member for user, member in found.items() if member is not None}

    def joined(self, user_id: str, conversation_ids: Collection[str]) -> Collection[str]:
        self.reads += 1
        return {one for one in conversation_ids if (one, user_id) in self.members}

    def roster(self, conversation_id: str) -> Roster | None:
        self.reads += 1
        group = self.group_items.get(conversation_id)
        seats = {user: seat for (one, user), seat in sorted(self.seats.items()) if one == conversation_id}
        return Roster(group, seats) if group else None

    def groups(self, conversation_ids: Collection[str]) -> Mapping[str, Group]:
        self.reads += 1
        return {one: self.group_items[one] for one in conversation_ids if one in self.group_items}

    def join(self, conversation_id: str, user_ids: Sequence[str], joined_at: int) -> None:
        for user_id in user_ids:
            self.members.setdefault((conversation_id, user_id), Member(conversation_id, user_id, joined_at))
            self.seats.setdefault((conversation_id, user_id), Seat(user_id, MEMBER, joined_at))

    def create(self, conversation_id: str, user_ids: Sequence[str], *, joined_at: int) -> bool:
        if any((conversation_id, user_id) in self.members for user_id in user_ids):
            return False
        self.join(conversation_id, user_ids, joined_at)
        return True

    def move_read(self, member: Member) -> bool:
        stored = self.members.get((member.conversation_id, member.user_id))
        if stored is None or stored.read_seq >= member.read_seq:
            return False
        self._store(replace(stored, read_seq=member.read_seq, read_number=member.read_number))
        return True

    def move_delivered(self, member: Member) -> bool:
        stored = self.members.get((member.conversation_id, member.user_id))
        if stored is None or stored.delivered_seq >= member.delivered_seq:
            return False
        self._store(replace(stored, delivered_seq=member.delivered_seq))
        return True

    def note_written(self, conversation_id: str, user_id: str, *, number: int) -> None:
        stored = self.members.get((conversation_id, user_id))
        if stored is not None:
            self._store(replace(stored, wrote_number=max(number, stored.wrote_number)))

    def set_preferences(self, conversation_id: str, user_id: str, changes: Mapping[str, object]) -> Preferences | None:
        stored = self.members.get((conversation_id, user_id))
        if stored is None:
            return None
        values: dict[str, Any] = {name: _UNSET[name] if value is None else value for name, value in changes.items()}
        changed = replace(stored.preferences, **values)
        self._store(replace(stored, preferences=changed))
        return changed

    def hide(self, conversation_id: str, user_id: str, *, seq: int) -> bool:
        stored = self.members.get((conversation_id, user_id))
        if stored is not None:
            self._store(replace(stored, hidden_seq=max(seq, stored.hidden_seq or 0)))
        return stored is not None

    def show(self, conversation_id: str, user_id: str) -> None:
        stored = self.members.get((conversation_id, user_id))
        if stored is not None:
            self._store(replace(stored, hidden_seq=None))

    def add(self, entry: Entry, change: Added) -> None:
        """What `Added` does: whole rows, whatever was there."""
        one = entry.conversation_id
        for user in change.users:
            seq, number, at = entry.seq, entry.number, entry.created_at
            self.seats[one, user] = Seat(user, change.roles.get(user, MEMBER), at)
            self.members[one, user] = Member(
                one, user, at, joined_seq=seq, read_seq=seq, read_number=number, delivered_seq=seq
            )
        if change.name is not None:
            self.group_items[one] = Group(one, change.name, entry.sender_id, entry.created_at, change.size)
        self.resize(one, change.size)

    def remove(self, entry: Entry, change: Removed) -> None:
        for user in change.users:
            self.members.pop((entry.conversation_id, user), None)
            self.seats.pop((entry.conversation_id, user), None)
        self.resize(entry.conversation_id, change.size)

    def rename(self, conversation_id: str, name: str) -> None:
        self.group_items[conversation_id] = replace(self.group_items[conversation_id], name=name)

    def set_roles(self, conversation_id: str, roles: Mapping[str, Role]) -> None:
        for user, role in roles.items():
            self.seats[conversation_id, user] = replace(self.seats[conversation_id, user], role=role)

    def resize(self, conversation_id: str, size: int) -> None:
        self.group_items[conversation_id] = replace(self.group_items[conversation_id], size=size)

    def _store(self, member: Member) -> None:
        self.members[member.conversation_id, member.user_id] = member
