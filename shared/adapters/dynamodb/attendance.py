"""Attendees of large groups in DynamoDB: a row for each group and connection, with the end of the connection."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from shared.adapters.dynamodb.client import TTL, USER_ID, Item, MembersStore, batch_write, to_item
from shared.adapters.dynamodb.schema import PK, SK, attendee_key, attending_key, seat_key
from shared.clock import SECOND_MS
from shared.domain.connections import Connection


class DynamoDbAttendance(MembersStore):
    """Attendees on the members table, whose time to live takes them away."""

    def enter(self, connection: Connection, conversation_ids: Collection[str]) -> None:
        row = {
            USER_ID: connection.user_id,
            "connected_at": connection.connected_at,
            "expires_at": connection.ends_at,
            TTL: connection.ends_at // SECOND_MS + 1,
        }
        keys = [attendee_key(one, connection.connection_id) for one in sorted(set(conversation_ids))]
        puts = [{"PutRequest": {"Item": to_item({**key, **row})}} for key in keys]
        batch_write(self._calls, self._table.name, puts)

    def leave(self, connection_id: str, conversation_id: str) -> None:
        self._table.delete(attendee_key(conversation_id, connection_id))

    def lacking(self, connection: Connection, conversation_ids: Collection[str]) -> Mapping[str, bool]:
        keys = {attendee_key(one, connection.connection_id)[PK]: one for one in sorted(set(conversation_ids))}
        found = self._table.find({PK: key, SK: connection.connection_id} for key in keys)
        until = {item[PK]: item["expires_at"] for item in found}
        return {one: key in until for key, one in keys.items() if until.get(key, 0) < connection.ends_at}

    def of(self, conversation_id: str) -> Sequence[Connection]:
        items = self._table.query(f"{PK} = :group", {":group": attendee_key(conversation_id, "")[PK]})
        return list(map(_attendee, items))

    def in_part(self, conversation_id: str, part: int, *, after: str = "", limit: int) -> Sequence[Connection]:
        start = attending_key(conversation_id, part, after)
        behind = start if after else None
        found = self._table.query(f"{PK} = :part", {":part": start[PK]}, limit=limit, after=behind)
        return list(map(_attendee, found))

    def count(self, conversation_id: str, part: int) -> int:
        return self._table.count(f"{PK} = :part", {":part": attending_key(conversation_id, part, "")[PK]})

    def mark_listed(self, conversation_id: str, user_id: str) -> None:
        key, is_member = seat_key(conversation_id, user_id), f"attribute_exists({PK})"
        self._table.update(key, "SET listed = :yes", {":yes": True}, condition=is_member)


def _attendee(item: Item) -> Connection:
    return Connection(item[SK], item[USER_ID], "", item["connected_at"], item["expires_at"])
