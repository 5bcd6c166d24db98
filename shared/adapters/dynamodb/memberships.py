"""Memberships in DynamoDB: two items each, written together, both read strongly. No index that could lag."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from shared.adapters.dynamodb import schema
from shared.adapters.dynamodb.client import TTL, USER_ID, Item, MembersStore, Refused, Table, set_to, transact
from shared.adapters.dynamodb.schema import CONVERSATION_ID, CONVERSATION_PREFIX, GROUP, MAY_END, PK, SK, read_as
from shared.clock import SECOND_MS
from shared.domain.changes import MEMBER
from shared.domain.entries import Entry
from shared.domain.members import Group, Member, Preferences, Roster, Seat

# Longer than any clock is off.
_TURN_KEPT_S: Final = 3_600
# In the order of sort keys: in front of all that can follow in an id, and behind all that one can begin with.
_BEFORE_IDS: Final = "!"
_BEHIND_IDS: Final = "~"
JOIN: Final = f"SET joined_at = if_not_exists(joined_at, :now), {CONVERSATION_ID} = :id, {USER_ID} = :user"


def joining(
    table: Table,
    conversation_id: str,
    user_ids: Sequence[str],
    *,
    joined_at: int,
    condition: str = "",
    may_end: bool = False,
) -> list[dict[str, Any]]:
    """The parts of a transaction that make users members. Who is one already stays as they are."""
    values: Item = {":now": joined_at, ":id": conversation_id, **({":yes": True} if may_end else {})}
    join = f"{JOIN}, {MAY_END} = :yes" if may_end else JOIN
    return [
        {
            "Update": table.changed(
                key(conversation_id, user_id), join, {**values, ":user": user_id}, condition=condition
            )
        }
        for user_id in user_ids
        for key in (schema.seat_key, schema.membership_key)
    ]


def rows_of(table: Table, user_id: str, prefix: str) -> list[Item]:
    """All rows of a user whose sort key begins with `prefix`."""
    values = {":user": schema.user_key(user_id), ":prefix": prefix}
    return list(table.query(f"{PK} = :user AND begins_with({SK}, :prefix)", values))


class DynamoDbMemberships(MembersStore):
    def of_user(self, user_id: str) -> list[Member]:
        return [member_from(item) for item in rows_of(self._table, user_id, CONVERSATION_PREFIX)]

    def listed(self, user_id: str, *, after: str, limit: int) -> list[Member]:
        first, last = f"{CONVERSATION_PREFIX}{after}{_BEFORE_IDS}", f"{CONVERSATION_PREFIX}{_BEHIND_IDS}"
        values = {":user": schema.user_key(user_id), ":first": first, ":last": last}
        items = self._table.query(f"{PK} = :user AND {SK} BETWEEN :first AND :last", values, limit=limit)
        return [member_from(item) for item in items]

    def of_user_in(self, user_id: str, conversation_ids: Collection[str]) -> Mapping[str, Member]:
        found = self._table.find(schema.membership_key(one, user_id) for one in sorted(set(conversation_ids)))
        members = map(member_from, found)
        return {member.conversation_id: member for member in members}

    def among(
        self, conversation_id: str, user_ids: Collection[str], *, consistent: bool = True
    ) -> Mapping[str, Member]:
        keys = (schema.membership_key(conversation_id, user_id) for user_id in sorted(set(user_ids)))
        found = self._table.find(keys, consistent=consistent)
        members = map(member_from, found)
        return {member.user_id: member for member in members}

    def roster(self, conversation_id: str) -> Roster | None:
        items = list(self._table.query(f"{PK} = :id", {":id": schema.conversation_key(conversation_id)}))
        groups = [read_as(Group, item) for item in items if item[SK] == GROUP]
        others = [item for item in items if item[SK] != GROUP]
        seats = {item[USER_ID]: read_as(Seat, item, role=item.get("role", MEMBER)) for item in others}
        return Roster(groups[0], seats) if groups else None

    def groups(self, conversation_ids: Collection[str]) -> Mapping[str, Group]:
        found = self._table.find(map(schema.group_key, sorted(set(conversation_ids))))
        return {item[CONVERSATION_ID]: read_as(Group, item) for item in found}

    def get(self, conversation_id: str, user_id: str) -> Member | None:
        item = self._table.get(schema.membership_key(conversation_id, user_id))
        return None if item is None else member_from(item)

    def create(self, conversation_id: str, user_ids: Sequence[str], *, joined_at: int) -> bool:
        is_new = f"attribute_not_exists({PK})"
        parts = joining(self._table, conversation_id, user_ids, joined_at=joined_at, condition=is_new)
        return transact(self._calls, parts)

    def move_read(self, member: Member) -> bool:
        changes = {"read_seq": member.read_seq, "read_number": member.read_number}
        return self._move(member.conversation_id, member.user_id, "read_seq", changes)

    def move_delivered(self, member: Member) -> bool:
        changes = {"delivered_seq": member.delivered_seq}
        return self._move(member.conversation_id, member.user_id, "delivered_seq", changes)

    def take_turn(self, conversation_id: str, user_id: str, *, message: str, until: int, now: int) -> int:
        change = f"SET free_at = :until, message = :message, #{TTL} = :ttl"
        is_free = f"attribute_not_exists({PK}) OR free_at <= :now OR message = :message"
        values = {":until": until, ":message": message, ":now": now, ":ttl": until // SECOND_MS + _TURN_KEPT_S}
        answer = self._table.update(schema.slow_key(conversation_id, user_id), change, values, condition=is_free)
        if not isinstance(answer, Refused):
            return 0
        free_at: int = (answer.item or {}).get("free_at", now)
        return max(1, free_at - now)

    def note_written(self, conversation_id: str, user_id: str, *, number: int) -> None:
        self._move(conversation_id, user_id, "wrote_number", {"wrote_number": number})

    def set_preferences(
        self, conversation_id: str, user_id: str, changes: Mapping[str, object], *, notes: Sequence[Entry] = ()
    ) -> bool:
        return self._change_own(conversation_id, user_id, *set_to(changes), notes)

    def hide(self, conversation_id: str, user_id: str, *, seq: int, notes: Sequence[Entry] = ()) -> bool:
        further = " AND (attribute_not_exists(hidden_seq) OR hidden_seq < :seq)"
        return self._change_own(conversation_id, user_id, "SET hidden_seq = :seq", {":seq": seq}, notes, further)

    def show(self, conversation_id: str, user_id: str, *, notes: Sequence[Entry] = ()) -> bool:
        return self._change_own(conversation_id, user_id, "REMOVE hidden_seq", {}, notes)

    def _change_own(
        self, conversation_id: str, user_id: str, change: str, values: Item, notes: Sequence[Entry], further: str = ""
    ) -> bool:
        key, there = schema.membership_key(conversation_id, user_id), f"attribute_exists({PK}){further}"
        update = {"Update": self._table.changed(key, change, values, condition=there)}
        return transact(self._calls, [update, *schema.noted(notes, self._log)])

    def _move(self, conversation_id: str, user_id: str, cursor: str, changes: dict[str, int]) -> bool:
        """Store `changes` unless `cursor` is as far already, or the member is none any more."""
        change = "SET " + ", ".join(f"{name} = :{name}" for name in changes)
        values = {f":{name}": value for name, value in changes.items()}
        ahead = f"(attribute_not_exists({cursor}) OR {cursor} < :{cursor})"
        there = f"attribute_exists({PK}) AND {ahead}"
        answer = self._table.update(schema.membership_key(conversation_id, user_id), change, values, condition=there)
        return not isinstance(answer, Refused)


def member_from(item: Item) -> Member:
    return read_as(Member, item, preferences=read_as(Preferences, item))
