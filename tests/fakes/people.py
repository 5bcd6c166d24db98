"""Contacts, blocks, relations and profiles in memory: rows of the members table, as the real ones are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from shared.domain.contacts import ACCEPTED, CONTACTS, Contact, Pair, Profile, Relation
from shared.domain.identifiers import private_conversation_id
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

    def refusing(self, users: Collection[str], by: str) -> set[str]:
        return self.blocking(users, by) | {user for user in users if self._is_choosy(user, by)}

    def _is_choosy(self, user: str, by: str) -> bool:
        contact = self.table.contacts.get((user, by))
        takes_from = self.table.profiles.get(user, Profile()).groups_from
        return takes_from == CONTACTS and (contact is None or contact.status != ACCEPTED)


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
    table: FakeMemberships = field(default_factory=FakeMemberships)

    @property
    def profiles(self) -> dict[str, Profile]:
        return self.table.profiles

    def get(self, user_id: str) -> Profile:
        return self.profiles.get(user_id, Profile())

    def update(self, user_id: str, changes: Mapping[str, Any]) -> Profile:
        if not changes:
            return self.get(user_id)
        values = {name: getattr(Profile(), name) if value is None else value for name, value in changes.items()}
        self.profiles[user_id] = replace(self.get(user_id), **values)
        return self.profiles[user_id]
