"""How long a log's rows are kept, in DynamoDB: attributes of each row, which the table's TTL deletes by."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

from shared.adapters.dynamodb import schema
from shared.adapters.dynamodb.client import TTL, Calls, Item, Table, set_to
from shared.adapters.dynamodb.schema import CONVERSATION_ID, ENDS, KEEP_SEQ, MAY_END, PK, SEQ
from shared.ports.keeping import Keep, KeptRow

if TYPE_CHECKING:
    from shared.domain.retention import Trimming

_DAYS: Final = "keep_days"


class DynamoDbKeeping:
    def __init__(self, calls: Calls, *, log_table: str, members_table: str, trimming: Trimming | None = None) -> None:
        """`trimming`: how long the deployment keeps entries of each kind; None: for good."""
        self._log = Table(calls, log_table)
        self._members = Table(calls, members_table)
        self._trimming = trimming

    def rows(self, conversation_id: str, *, start: int, limit: int) -> Sequence[KeptRow]:
        values = {":id": conversation_id, ":seq": start}
        items = self._log.query(f"{CONVERSATION_ID} = :id AND {SEQ} >= :seq", values, limit=limit)
        return list(map(self._row, items))

    def rows_back(self, conversation_id: str, *, before: int, limit: int) -> Sequence[KeptRow]:
        values = {":id": conversation_id, ":seq": before}
        items = self._log.query(f"{CONVERSATION_ID} = :id AND {SEQ} < :seq", values, limit=limit, backwards=True)
        return list(map(self._row, items))

    def _row(self, item: Item) -> KeptRow:
        entry = schema.entry_from(item)
        keep = Keep(entry.keep_days, entry.keep_seq or 0, item.get(ENDS), item.get(TTL))
        kind_days = 0 if self._trimming is None else self._trimming.retention.days(entry.conversation_id)
        return KeptRow(entry, keep, kind_days)

    def keep(self, row: KeptRow, keep: Keep, *, since: int | None = None) -> None:
        said = {_DAYS: keep.days, KEEP_SEQ: keep.seq or None, ENDS: keep.ends, TTL: keep.goes}
        said |= {} if since is None else {"since": since}
        change, values = set_to(said)
        is_older = f"attribute_exists({SEQ}) AND (attribute_not_exists({KEEP_SEQ}) OR {KEEP_SEQ} <= :rule)"
        key = schema.entry_key(row.entry.conversation_id, row.entry.seq)
        self._log.update(key, change, {**values, ":rule": keep.seq}, condition=is_older)

    def note_members(self, conversation_id: str, user_ids: Collection[str]) -> None:
        for user_id in user_ids:
            key = schema.membership_key(conversation_id, user_id)
            self._members.update(key, f"SET {MAY_END} = :yes", {":yes": True}, condition=f"attribute_exists({PK})")
