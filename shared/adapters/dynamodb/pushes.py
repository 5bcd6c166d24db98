"""What decides about pushes, from all over the members table in as few reads as can be; and who carries out which."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from secrets import token_hex
from typing import TYPE_CHECKING, Final

from shared.adapters.dynamodb import schema
from shared.adapters.dynamodb.broadcasts import BROADCAST
from shared.adapters.dynamodb.client import TTL, Calls, Item, MembersStore, Refused, from_item, to_item
from shared.adapters.dynamodb.devices import devices_from
from shared.adapters.dynamodb.memberships import member_from
from shared.adapters.dynamodb.packs import DynamoDbPacks
from shared.adapters.dynamodb.schema import PK, SK, Tables, key_pair, read_as
from shared.adapters.dynamodb.shown import HELD, MAX_TRIES, DynamoDbShown, place_of
from shared.adapters.dynamodb.stores import make_stores
from shared.adapters.dynamodb.users import profile_from
from shared.adapters.dynamodb.walks import DynamoDbWalks
from shared.clock import SECOND_MS
from shared.domain.members import Group
from shared.domain.notifications import About, AboutMessage, AboutNotification, Notification
from shared.domain.pushes import PushContext, PushContextBatch, PushContextKey, Standing
from shared.domain.text import has_roles
from shared.ports.people import BeingWithdrawn
from shared.ports.services import ParallelMap
from shared.ports.stores import PushStores, contents

if TYPE_CHECKING:
    from shared.domain.retention import Trimming

_Found = Mapping[tuple[str, str], Item]
_KEEP_S: Final = 30 * 24 * 3_600
_KEEP_DIGEST_S: Final = 3_600
# Behind the rows of what was pushed, the last of those that a standing is made of.
_BEHIND_PUSHED: Final = "pushed$"


class DynamoDbPushContexts(MembersStore):
    def of(self, asked: Collection[PushContextKey]) -> PushContextBatch:
        senders = {one.sender_id for one in asked if one.sender_id is not None}
        conversations = {one.conversation_id for one in asked if one.conversation_id is not None}
        groups = {one: schema.group_key(one) for one in conversations if has_roles(one)}
        keys = [key for one in asked for key in _keys(one)] + [*map(schema.profile_key, senders), *groups.values()]
        distinct = {key_pair(key): key for key in keys}
        found = {key_pair(item): item for item in self._table.find(distinct.values())}
        return PushContextBatch(
            push_contexts={one: _push_context(found, one) for one in asked},
            profiles={sender: profile_from(found.get(key_pair(schema.profile_key(sender)), {})) for sender in senders},
            groups={one: read_as(Group, found[key_pair(key)]) for one, key in groups.items() if key_pair(key) in found},
        )


def _keys(asked: PushContextKey) -> list[Item]:
    keys = [schema.profile_key(asked.user_id), schema.devices_key(asked.user_id)]
    if asked.conversation_id is not None:
        keys.append(schema.membership_key(asked.conversation_id, asked.user_id))
    if asked.sender_id is not None:
        keys.append(schema.block_key(asked.user_id, asked.sender_id))
    return keys


def _push_context(found: _Found, asked: PushContextKey) -> PushContext:
    user_id, conversation_id, sender_id = asked.user_id, asked.conversation_id, asked.sender_id
    member = None if conversation_id is None else found.get(key_pair(schema.membership_key(conversation_id, user_id)))
    return PushContext(
        member=member_from(member) if member else None,
        profile=profile_from(found.get(key_pair(schema.profile_key(user_id)), {})),
        blocks_sender=sender_id is not None and key_pair(schema.block_key(user_id, sender_id)) in found,
        devices=devices_from(found.get(key_pair(schema.devices_key(user_id)), {})),
    )


class DynamoDbClaims(MembersStore):
    """Claims on the members table, whose time to live takes them away. `new_nonce` tells a claim that meets itself."""

    def __init__(
        self, calls: Calls, *, members_table: str, new_nonce: Callable[[], str] = lambda: token_hex(8)
    ) -> None:
        super().__init__(calls, members_table=members_table)
        self._new_nonce = new_nonce

    def claim(self, user_id: str, device_id: str, about: About, *, tries: int, now: int) -> bool:
        """At most 16 tries of one message a device. An update whose answer was lost knows itself by its nonce."""
        if tries >= MAX_TRIES:
            return False
        place, seq = place_of(about)
        wanted = seq * MAX_TRIES + tries
        nonce = self._new_nonce()
        values = {":claim": wanted, ":nonce": nonce, ":now": now, ":ttl": now // SECOND_MS + _KEEP_S}
        if tries:
            condition, values[":last"] = "claim = :last", wanted - 1
        else:
            condition = f"(attribute_not_exists({PK}) OR claim < :claim)"
        condition += f" AND (attribute_not_exists({HELD}) OR {HELD} <= :now)"
        key, change = schema.pushed_key(user_id, device_id, place), f"SET claim = :claim, nonce = :nonce, #{TTL} = :ttl"
        answer = self._table.update(key, change, values, condition=condition)
        if not isinstance(answer, Refused) or (answer.item or {}).get("nonce") == nonce:
            return True
        there = answer.item or {}
        if there.get(HELD, 0) > now and (there["claim"] == wanted - 1 if tries else there["claim"] < wanted):
            raise BeingWithdrawn
        return False

    def claim_digest(self, conversation_id: str, seq: int, *, until: int, now: int) -> bool:
        key, values = schema.digest_key(conversation_id), {":seq": seq, ":until": until, ":now": now}
        is_free = f"attribute_not_exists({PK}) OR #until <= :now OR seq = :seq"
        change = f"SET seq = :seq, #until = :until, #{TTL} = :ttl"
        values[":ttl"] = until // SECOND_MS + _KEEP_DIGEST_S
        return not isinstance(self._table.update(key, change, values, condition=is_free), Refused)


class DynamoDbStandings(MembersStore):
    """Reads rows of the members table as they are, a little behind: what is found is decided about once more."""

    def with_devices(
        self, after: tuple[str, str] | None, *, limit: int
    ) -> tuple[Sequence[str], tuple[str, str] | None]:
        request: Item = {
            "TableName": self._table.name,
            "FilterExpression": f"{SK} = :devices",
            "ExpressionAttributeValues": to_item({":devices": schema.devices_key("")[SK]}),
            "Limit": limit,
        }
        if after is not None:
            request["ExclusiveStartKey"] = to_item(dict(zip((PK, SK), after, strict=True)))
        page = self._calls.call("Scan", request)
        rows = map(from_item, page["Items"])
        users = [row[PK].removeprefix(schema.USER_PREFIX) for row in rows if devices_from(row)]
        return users, key_pair(from_item(page["LastEvaluatedKey"])) if "LastEvaluatedKey" in page else None

    def of(self, user_id: str, *, now: int) -> Standing:
        values = {":user": schema.user_key(user_id), ":first": schema.BLOCK_PREFIX, ":last": _BEHIND_PUSHED}
        found = self._table.query(f"{PK} = :user AND {SK} BETWEEN :first AND :last", values, consistent=False)
        rows = {row[SK]: row for row in found}
        members = [member_from(row) for name, row in rows.items() if name.startswith(schema.CONVERSATION_PREFIX)]
        notices = [
            row
            for name, row in rows.items()
            if name.startswith(schema.NOTICE_PREFIX) and not row.get("acknowledged") and BROADCAST not in row
        ]
        notifications = [_notification_from(user_id, row) for row in notices if row["expires_at"] > now]
        devices = devices_from(rows.get(schema.devices_key(user_id)[SK], {}))

        def claimed(device_id: str, about: About) -> int:
            row = rows.get(schema.pushed_key(user_id, device_id, place_of(about)[0])[SK], {})
            return int(row.get("claim", 0)) // MAX_TRIES

        return Standing(
            user_id,
            members,
            notifications,
            profile_from(rows.get(schema.PROFILE, {})),
            devices,
            frozenset(name.removeprefix(schema.BLOCK_PREFIX) for name in rows if name.startswith(schema.BLOCK_PREFIX)),
            {
                (device.device_id, one.conversation_id): claimed(device.device_id, AboutMessage(one.conversation_id, 0))
                for device in devices
                for one in members
            },
            frozenset(
                (device.device_id, one.notification_id)
                for device in devices
                for one in notifications
                if claimed(device.device_id, AboutNotification(one.notification_id))
            ),
        )


def _notification_from(user_id: str, row: Item) -> Notification:
    data = json.loads(row["data"]) if "data" in row else {}
    named = row[SK].removeprefix(schema.NOTICE_PREFIX)
    return read_as(Notification, row, data=data, user_id=user_id, notification_id=named)


def make_push_stores(
    calls: Calls, tables: Tables, *, parallel_map: ParallelMap, trimming: Trimming | None = None
) -> PushStores:
    """All stores: those of the HTTP API, those that only pushes need, and walks."""
    return PushStores(
        **contents(make_stores(calls, tables, parallel_map=parallel_map, trimming=trimming)),
        packs=DynamoDbPacks(calls, members_table=tables.members),
        push_contexts=DynamoDbPushContexts(calls, members_table=tables.members),
        claims=DynamoDbClaims(calls, members_table=tables.members),
        shown=DynamoDbShown(calls, members_table=tables.members),
        standings=DynamoDbStandings(calls, members_table=tables.members),
        walks=DynamoDbWalks(calls, tables, trimming=trimming),
    )
