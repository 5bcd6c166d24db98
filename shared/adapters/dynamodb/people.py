"""Contacts, blocks, relations and profiles in DynamoDB: rows under their user, in the members table."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from shared.adapters.dynamodb.client import Calls, Item, batch_get, from_item, query, to_item, transact
from shared.adapters.dynamodb.entries import entry_from
from shared.adapters.dynamodb.memberships import rows_of
from shared.adapters.dynamodb.schema import (
    BLOCK_PREFIX,
    CONTACT_PREFIX,
    CONVERSATION_ID,
    MUTUAL,
    PK,
    SK,
    USER_PREFIX,
    block_key,
    contact_key,
    member_of_user_key,
    profile_key,
)
from shared.domain.contacts import ACCEPTED, CONTACTS, EVERYONE, Contact, Pair, Profile, QuietHours, Relation
from shared.domain.identifiers import private_conversation_id
from shared.ports.services import ParallelMap

_GROUPS_FROM: Final = "groups_from"


class DynamoDbContacts:
    """Contacts on the members table."""

    def __init__(self, calls: Calls, *, members_table: str) -> None:
        self._calls = calls
        self._table = members_table

    def of(self, user_id: str) -> Sequence[Contact]:
        return [_contact_from(item) for item in rows_of(self._calls, self._table, user_id, CONTACT_PREFIX)]

    def pair(self, user_id: str, other: str) -> Pair:
        mine, theirs, block = contact_key(user_id, other), contact_key(other, user_id), block_key(other, user_id)
        found = _by_key(batch_get(self._calls, {self._table: [mine, theirs, block]}, consistent=True)[self._table])
        return Pair(_contact(found, mine), _contact(found, theirs), _id(block) in found)

    def change(self, user_id: str, other: str, *, was: Pair, mine: Contact | None, theirs: Contact | None) -> bool:
        parts = [self._side(user_id, other, was.mine, mine), self._side(other, user_id, was.theirs, theirs)]
        return transact(self._calls, parts)

    def _side(self, owner: str, other: str, was: Contact | None, becomes: Contact | None) -> dict[str, Any]:
        """One side as a part of the transaction, on condition that it is still what it was.

        The alias, too: both sides are written, and the other one may just have been given another name.
        """
        part: dict[str, Any] = {"TableName": self._table}
        if was is None:
            part["ConditionExpression"] = f"attribute_not_exists({PK})"
        else:
            alias = "attribute_not_exists(alias)" if was.alias is None else "alias = :alias"
            part["ConditionExpression"] = f"#status = :status AND since = :since AND {alias}"
            part["ExpressionAttributeNames"] = {"#status": "status"}
            part["ExpressionAttributeValues"] = to_item(
                {":status": was.status, ":since": was.since, ":alias": was.alias}
            )
        if becomes is None:
            return {"Delete": {**part, "Key": to_item(contact_key(owner, other))}}
        return {"Put": {**part, "Item": to_item(_contact_item(owner, becomes))}}


class DynamoDbBlocks:
    """Blocks on the members table."""

    def __init__(self, calls: Calls, *, members_table: str) -> None:
        self._calls = calls
        self._table = members_table

    def put(self, user_id: str, blocked: str, *, now: int) -> None:
        item = {**block_key(user_id, blocked), "since": now}
        self._calls.call("PutItem", {"TableName": self._table, "Item": to_item(item)})

    def remove(self, user_id: str, blocked: str) -> None:
        self._calls.call("DeleteItem", {"TableName": self._table, "Key": to_item(block_key(user_id, blocked))})

    def of(self, user_id: str) -> Sequence[str]:
        rows = rows_of(self._calls, self._table, user_id, BLOCK_PREFIX)
        return [item[SK].removeprefix(BLOCK_PREFIX) for item in rows]

    def blocking(self, users: Collection[str], blocked: str) -> set[str]:
        keys = {self._table: [block_key(user, blocked) for user in sorted(set(users))]}
        found = batch_get(self._calls, keys, consistent=True)[self._table]
        return {_owner(item) for item in found}

    def refusing(self, users: Collection[str], by: str) -> set[str]:
        wanted = [key for user in sorted(set(users)) for key in (block_key(user, by), profile_key(user))]
        found = batch_get(self._calls, {self._table: wanted}, consistent=True)[self._table]
        blocking = {_owner(item) for item in found if item[SK].startswith(BLOCK_PREFIX)}
        choosy = {_owner(item) for item in found if item.get(_GROUPS_FROM) == CONTACTS} - blocking
        if not choosy:
            return blocking
        keys = {self._table: [contact_key(user, by) for user in sorted(choosy)]}
        contacts = batch_get(self._calls, keys, consistent=True)[self._table]
        return blocking | (choosy - {_owner(item) for item in contacts if item["status"] == ACCEPTED})


class DynamoDbRelations:
    """Relations, from contacts, blocks and private conversations."""

    def __init__(self, calls: Calls, *, members_table: str, log_table: str, parallel_map: ParallelMap) -> None:
        self._calls = calls
        self._table = members_table
        self._log_table = log_table
        self._spread = parallel_map

    def between(self, user_id: str, others: Collection[str]) -> Mapping[str, Relation]:
        keys = {
            other: (
                contact_key(user_id, other),
                member_of_user_key(private_conversation_id(user_id, other), user_id),
                block_key(user_id, other),
                block_key(other, user_id),
            )
            for other in sorted(set(others))
        }
        wanted = [key for four in keys.values() for key in four]
        found = _by_key(batch_get(self._calls, {self._table: wanted}, consistent=True)[self._table])
        relations = {other: _relation(found, *four) for other, four in keys.items()}
        unsure = [
            other for other, relation in relations.items() if not relation.is_near and _id(keys[other][1]) in found
        ]
        answers = self._spread(lambda other: self._have_both_written(user_id, other), unsure)
        mutual = {other for other, yes in zip(unsure, answers, strict=True) if yes}
        return {other: replace(one, is_near=one.is_near or other in mutual) for other, one in relations.items()}

    def _have_both_written(self, one: str, other: str) -> bool:
        """For a conversation whose rows don't say so: only one has written, or both had before rows said it."""
        conversation_id = private_conversation_id(one, other)
        request = {
            "TableName": self._log_table,
            "KeyConditionExpression": f"{CONVERSATION_ID} = :id",
            "ExpressionAttributeValues": to_item({":id": conversation_id}),
            "ScanIndexForward": False,
            "ConsistentRead": True,
        }
        tail = next(query(self._calls, request, limit=1), None)
        return tail is not None and all(entry_from(tail).has_written(user) for user in (one, other))


class DynamoDbProfiles:
    """Profiles on the members table."""

    def __init__(self, calls: Calls, *, members_table: str) -> None:
        self._calls = calls
        self._table = members_table

    def get(self, user_id: str) -> Profile:
        request = {"TableName": self._table, "Key": to_item(profile_key(user_id)), "ConsistentRead": True}
        return profile_from(from_item(self._calls.call("GetItem", request).get("Item", {})))

    def update(self, user_id: str, changes: Mapping[str, object]) -> Profile:
        if not changes:
            return self.get(user_id)
        kept = {name: _stored(value) for name, value in changes.items() if value is not None}
        sets = ", ".join(f"#{name} = :{name}" for name in kept)
        removes = ", ".join(f"#{name}" for name in changes if name not in kept)
        request = {
            "TableName": self._table,
            "Key": to_item(profile_key(user_id)),
            "UpdateExpression": " ".join([f"SET {sets}"] * bool(sets) + [f"REMOVE {removes}"] * bool(removes)),
            "ExpressionAttributeNames": {f"#{name}": name for name in changes},
            **({"ExpressionAttributeValues": to_item({f":{name}": kept[name] for name in kept})} if kept else {}),
            "ReturnValues": "ALL_NEW",
        }
        return profile_from(from_item(self._calls.call("UpdateItem", request)["Attributes"]))


def _stored(value: object) -> object:
    if not isinstance(value, QuietHours):
        return value
    return {"start": value.start, "end": value.end, "time_zone": value.time_zone}


def profile_from(item: Item) -> Profile:
    """All that a profile's item says; nothing was said in an empty one.

    Items of the first edition have `hide_presence`, too: it was a second word for what the session says.
    """
    quiet = item.get("quiet_hours")
    return Profile(
        display_name=item.get("display_name"),
        avatar_url=item.get("avatar_url"),
        previews=item.get("previews", True),
        quiet_hours=QuietHours(quiet["start"], quiet["end"], quiet["time_zone"]) if quiet else None,
        groups_from=item.get(_GROUPS_FROM, EVERYONE),
    )


def _contact_from(item: Item) -> Contact:
    return Contact(item["other"], item["status"], item["since"], item.get("alias"))


def _contact_item(user_id: str, contact: Contact) -> Item:
    return {
        **contact_key(user_id, contact.user_id),
        "other": contact.user_id,
        "status": contact.status,
        "since": contact.since,
        "alias": contact.alias,
    }


def _owner(item: Item) -> str:
    owner: str = item[PK].removeprefix(USER_PREFIX)
    return owner


def _by_key(items: Sequence[Item]) -> dict[tuple[str, str], Item]:
    return {_id(item): item for item in items}


def _id(key: Item) -> tuple[str, str]:
    return key[PK], key[SK]


def _contact(found: Mapping[tuple[str, str], Item], key: Item) -> Contact | None:
    item = found.get(_id(key))
    return _contact_from(item) if item else None


def _relation(
    found: Mapping[tuple[str, str], Item], contact: Item, private: Item, my_block: Item, their_block: Item
) -> Relation:
    known = _contact(found, contact)
    return Relation(
        is_near=(known is not None and known.status == ACCEPTED) or found.get(_id(private), {}).get(MUTUAL, False),
        is_blocked=_id(my_block) in found or _id(their_block) in found,
    )
