"""Blocks, and how a user stands to many others: read for frames and handshakes, so by hand and without models."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Final

from shared.adapters.dynamodb import schema
from shared.adapters.dynamodb.client import Calls, Item, MembersStore, transact
from shared.adapters.dynamodb.memberships import rows_of
from shared.adapters.dynamodb.schema import BLOCK_PREFIX, CONVERSATION_ID, MUTUAL, PK, SK, USER_PREFIX, key_pair
from shared.domain.contacts import ACCEPTED, CONTACTS, Relation
from shared.domain.entries import Entry
from shared.domain.text import private_conversation_id
from shared.ports.services import ParallelMap

_GROUPS_FROM: Final = "groups_from"


class DynamoDbBlocks(MembersStore):
    def put(self, user_id: str, blocked: str, *, now: int, notes: Sequence[Entry] = ()) -> bool:
        row = {**schema.block_key(user_id, blocked), "since": now}
        return transact(self._calls, [{"Put": self._table.written(row)}, *schema.noted(notes, self._log)])

    def remove(self, user_id: str, blocked: str, *, notes: Sequence[Entry] = ()) -> bool:
        delete = {"Delete": self._table.deleted(schema.block_key(user_id, blocked))}
        return transact(self._calls, [delete, *schema.noted(notes, self._log)])

    def of(self, user_id: str) -> Sequence[str]:
        rows = rows_of(self._table, user_id, BLOCK_PREFIX)
        return [item[SK].removeprefix(BLOCK_PREFIX) for item in rows]

    def blocking(self, users: Collection[str], blocked: str) -> set[str]:
        found = self._table.find(schema.block_key(user, blocked) for user in sorted(set(users)))
        return set(map(_owner, found))

    def refusing(self, users: Collection[str], by: str) -> set[str]:
        wanted = [key for user in sorted(set(users)) for key in (schema.block_key(user, by), schema.profile_key(user))]
        found = self._table.find(wanted)
        blocking = {_owner(item) for item in found if item[SK].startswith(BLOCK_PREFIX)}
        choosy = {_owner(item) for item in found if item.get(_GROUPS_FROM) == CONTACTS} - blocking
        if not choosy:
            return blocking
        contacts = self._table.find(schema.contact_key(user, by) for user in sorted(choosy))
        return blocking | (choosy - {_owner(item) for item in contacts if item["status"] == ACCEPTED})


class DynamoDbRelations(MembersStore):
    def __init__(self, calls: Calls, *, members_table: str, log_table: str, parallel_map: ParallelMap) -> None:
        super().__init__(calls, members_table=members_table, log_table=log_table)
        self._parallel_map = parallel_map

    def between(self, user_id: str, others: Collection[str]) -> Mapping[str, Relation]:
        keys = {
            other: (
                schema.contact_key(user_id, other),
                schema.membership_key(private_conversation_id(user_id, other), user_id),
                schema.block_key(user_id, other),
                schema.block_key(other, user_id),
            )
            for other in sorted(set(others))
        }
        found = {key_pair(item): item for item in self._table.find(key for four in keys.values() for key in four)}
        relations = {other: _relation(found, *four) for other, four in keys.items()}
        unsure = [other for other, one in relations.items() if not one.is_near and key_pair(keys[other][1]) in found]
        answers = self._parallel_map(lambda other: self._have_both_written(user_id, other), unsure)
        mutual = {other for other, yes in zip(unsure, answers, strict=True) if yes}
        return {other: replace(one, is_near=one.is_near or other in mutual) for other, one in relations.items()}

    def _have_both_written(self, one: str, other: str) -> bool:
        """For a conversation whose rows don't say so: only one has written, or both had before rows said it."""
        values = {":id": private_conversation_id(one, other)}
        tail = next(self._log.query(f"{CONVERSATION_ID} = :id", values, limit=1, backwards=True), None)
        return tail is not None and all(schema.entry_from(tail).has_written(user) for user in (one, other))


def _owner(item: Item) -> str:
    owner: str = item[PK].removeprefix(USER_PREFIX)
    return owner


def _relation(
    found: Mapping[tuple[str, str], Item], contact: Item, private: Item, my_block: Item, their_block: Item
) -> Relation:
    is_accepted = found.get(key_pair(contact), {}).get("status") == ACCEPTED
    return Relation(
        is_near=is_accepted or found.get(key_pair(private), {}).get(MUTUAL, False),
        is_blocked=key_pair(my_block) in found or key_pair(their_block) in found,
    )
