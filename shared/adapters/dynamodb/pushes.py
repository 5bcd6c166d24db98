"""Standings in DynamoDB: what decides about pushes, from all over the members table in as few reads as can be."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from shared.adapters.dynamodb.client import Calls, Item, batch_get
from shared.adapters.dynamodb.devices import devices_from
from shared.adapters.dynamodb.people import profile_from
from shared.adapters.dynamodb.schema import (
    PK,
    SK,
    block_key,
    devices_key,
    group_from,
    group_key,
    member_from,
    member_of_user_key,
    profile_key,
)
from shared.domain.identifiers import is_group_id
from shared.ports.notifications import Asked, Standing, Surroundings

_Found = Mapping[tuple[str, str], Item]


class DynamoDbStandings:
    """Standings on the members table."""

    def __init__(self, calls: Calls, *, members_table: str) -> None:
        self._calls = calls
        self._table = members_table

    def of(self, asked: Collection[Asked]) -> Surroundings:
        senders = {one.sender_id for one in asked if one.sender_id is not None}
        conversations = {one.conversation_id for one in asked if one.conversation_id is not None}
        groups = {one: group_key(one) for one in conversations if is_group_id(one)}
        keys = [key for one in asked for key in _keys(one)] + [*map(profile_key, senders), *groups.values()]
        distinct = {_id(key): key for key in keys}
        items = batch_get(self._calls, {self._table: list(distinct.values())}, consistent=True)[self._table]
        found = {_id(item): item for item in items}
        return Surroundings(
            standings={one: _standing(found, one) for one in asked},
            profiles={sender: profile_from(found.get(_id(profile_key(sender)), {})) for sender in senders},
            groups={one: group_from(found[_id(key)]) for one, key in groups.items() if _id(key) in found},
        )


def _keys(asked: Asked) -> list[Item]:
    keys = [profile_key(asked.user_id), devices_key(asked.user_id)]
    if asked.conversation_id is not None:
        keys.append(member_of_user_key(asked.conversation_id, asked.user_id))
    if asked.sender_id is not None:
        keys.append(block_key(asked.user_id, asked.sender_id))
    return keys


def _standing(found: _Found, asked: Asked) -> Standing:
    user_id, conversation_id, sender_id = asked.user_id, asked.conversation_id, asked.sender_id
    member = None if conversation_id is None else found.get(_id(member_of_user_key(conversation_id, user_id)))
    return Standing(
        member=member_from(member) if member else None,
        profile=profile_from(found.get(_id(profile_key(user_id)), {})),
        blocks_sender=sender_id is not None and _id(block_key(user_id, sender_id)) in found,
        devices=devices_from(found.get(_id(devices_key(user_id)), {})),
    )


def _id(key: Item) -> tuple[str, str]:
    return key[PK], key[SK]
