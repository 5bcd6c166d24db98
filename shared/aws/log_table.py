"""The conversation log in DynamoDB: one conditional put to append, one query to read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from shared.aws.dynamodb import Calls, Refused, batch_get, conditionally, from_item, query, to_attribute, to_item
from shared.aws.json_service import ServiceError
from shared.aws.member_table import new_member_updates
from shared.aws.tables import (
    CONVERSATION_ID,
    SEQ,
    entry_from,
    entry_item,
    entry_key,
    member_from,
    member_of_user_key,
)
from shared.chat.models import Entry, Lookup
from shared.errors import Unavailable

_FREE: Final = f"attribute_not_exists({SEQ})"


class DynamoDbConversationLog:
    """ConversationLog on the log table, and the members table for what is read or written together with it."""

    def __init__(self, calls: Calls, *, log_table: str, members_table: str) -> None:
        self._calls = calls
        self._log_table = log_table
        self._members_table = members_table

    def put(self, entry: Entry, *, new_members: Sequence[str] = ()) -> Entry | None:
        put = {"TableName": self._log_table, "Item": to_item(entry_item(entry)), "ConditionExpression": _FREE}
        if new_members:
            return self._put_with_members(put, entry, new_members)
        answer = conditionally(self._calls, "PutItem", put)
        if not isinstance(answer, Refused):
            return None
        if answer.item is None:
            raise Unavailable  # it is not stored, so it must not be acked, though nothing says what is in its place
        return entry_from(answer.item)

    def _put_with_members(self, put: dict[str, Any], entry: Entry, new_members: Sequence[str]) -> Entry | None:
        updates = new_member_updates(
            self._members_table, entry.conversation_id, new_members, joined_at=entry.created_at
        )
        first = {"Put": {**put, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}}
        try:
            self._calls.call("TransactWriteItems", {"TransactItems": [first, *({"Update": one} for one in updates)]})
        except ServiceError as error:
            if error.code != "TransactionCanceledException":
                raise
            reasons = error.body.get("CancellationReasons") or [{}]
            if "Item" not in reasons[0]:
                raise
            return entry_from(from_item(reasons[0]["Item"]))
        return None

    def lookup(
        self, conversation_id: str, *, seqs: Sequence[int], member_id: str | None = None, consistent: bool = False
    ) -> Lookup:
        keys = {}
        if seqs:
            keys[self._log_table] = [entry_key(conversation_id, seq) for seq in sorted(set(seqs))]
        if member_id is not None:
            keys[self._members_table] = [member_of_user_key(conversation_id, member_id)]
        found = batch_get(self._calls, keys, consistent=consistent)
        entries = map(entry_from, found.get(self._log_table, ()))
        members = [member_from(item) for item in found.get(self._members_table, ())]
        return Lookup({entry.seq: entry for entry in entries}, members[0] if members else None)

    def read(self, conversation_id: str, *, start: int, limit: int) -> list[Entry]:
        return self._query(conversation_id, f"{SEQ} >= :seq", start, forward=True, limit=limit)

    def read_back(self, conversation_id: str, *, before: int | None = None, limit: int) -> list[Entry]:
        condition = None if before is None else f"{SEQ} < :seq"
        return self._query(conversation_id, condition, before, forward=False, limit=limit)

    def _query(
        self, conversation_id: str, condition: str | None, seq: int | None, *, forward: bool, limit: int
    ) -> list[Entry]:
        conditions = [f"{CONVERSATION_ID} = :id", *([condition] if condition else [])]
        values = {":id": conversation_id, ":seq": seq}
        request = {
            "TableName": self._log_table,
            "KeyConditionExpression": " AND ".join(conditions),
            "ExpressionAttributeValues": {k: to_attribute(v) for k, v in values.items() if v is not None},
            "ScanIndexForward": forward,
            "ConsistentRead": True,
        }
        return [entry_from(item) for item in query(self._calls, request, limit=limit)]
