"""Contacts, blocks, relations and profiles in memory: rows of the members table, as the real ones are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from shared.chat.identifiers import private_conversation_id
from shared.contacts.models import ACCEPTED, Contact, Pair, Profile, Relation
from tests.fakes.memberships import FakeMemberships


@dataclass
class FakeContacts:
    table: FakeMemberships = field(default_factory=FakeMemberships)

    def of(self, user_id: str) -> Sequence[Contact]:
        return [contact for (owner, _), contact in sorted(self.table.contacts.items()) if owner == user_id]

    def pair(self, user_id: str, other: str) -> Pair:
        rows = self.table.contacts
        return Pair(rows.get((user_id, other)), rows.get((other, user_id)), (other, user_id) in self.table.blocks)

    def change(self, user_id: str, other: str, *, was: Pair, mine: Contact | None, theirs: Contact | None) -> bool:
        now = self.pair(user_id, other)
        if (now.mine, now.theirs) != (was.mine, was.theirs):
            return False
        for key, side in (((user_id, other), mine), ((other, user_id), theirs)):
            self.table.contacts.pop(key, None)
            if side is not None:
                self.table.contacts[key] = side
        return True


@dataclass
class FakeBlocks:
    table: FakeMemberships = field(default_factory=FakeMemberships)

    def put(self, user_id: str, blocked: str, *, now: int) -> None:
        self.table.blocks[user_id, blocked] = now

    def remove(self, user_id: str, blocked: str) -> None:
        self.table.blocks.pop((user_id, blocked), None)

    def of(self, user_id: str) -> Sequence[str]:
        return sorted(blocked for blocker, blocked in self.table.blocks if blocker == user_id)

    def blocking(self, users: Collection[str], blocked: str) -> set[str]:
        return {user for user in users if (user, blocked) in self.table.blocks}


@dataclass
class FakeRelations:
    table: FakeMemberships = field(default_factory=FakeMemberships)

    def between(self, user_id: str, others: Collection[str]) -> Mapping[str, Relation]:
        return {other: self._relation(user_id, other) for other in others}

    def _relation(self, user_id: str, other: str) -> Relation:
        contact = self.table.contacts.get((user_id, other))
        blocks = {(user_id, other), (other, user_id)} & self.table.blocks.keys()
        is_contact = contact is not None and contact.status == ACCEPTED
        is_mutual = private_conversation_id(user_id, other) in self.table.mutual
        return Relation(is_near=is_contact or is_mutual, is_blocked=bool(blocks))


@dataclass
class FakeProfiles:
    profiles: dict[str, Profile] = field(default_factory=dict)

    def get(self, user_id: str) -> Profile:
        return self.profiles.get(user_id, Profile())

    def put(self, user_id: str, profile: Profile) -> None:
        self.profiles[user_id] = profile
