"""Reminders in DynamoDB: rows under their user, in the members table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shared.adapters.dynamodb.client import Calls, Item, from_item, to_item
from shared.adapters.dynamodb.memberships import rows_of
from shared.adapters.dynamodb.schema import (
    CONVERSATION_ID,
    PK,
    REMINDER_PREFIX,
    SEQ,
    SK,
    TTL,
    USER_PREFIX,
    reminder_key,
)
from shared.domain.pushes import Reminder

_MS: Final = 1_000
# Long after it was due, nobody will come for it any more.
_KEEP_S: Final = 30 * 24 * 3_600


class DynamoDbReminders:
    """Reminders on the members table."""

    def __init__(self, calls: Calls, *, members_table: str) -> None:
        self._calls = calls
        self._table = members_table

    def put(self, reminder: Reminder) -> None:
        item = {
            **reminder_key(reminder.user_id, reminder.reminder_id),
            CONVERSATION_ID: reminder.conversation_id,
            SEQ: reminder.seq,
            "at": reminder.at,
            "created_at": reminder.created_at,
            TTL: reminder.at // _MS + _KEEP_S,
        }
        self._calls.call("PutItem", {"TableName": self._table, "Item": to_item(item)})

    def get(self, user_id: str, reminder_id: str) -> Reminder | None:
        key = to_item(reminder_key(user_id, reminder_id))
        answer = self._calls.call("GetItem", {"TableName": self._table, "Key": key, "ConsistentRead": True})
        return _reminder_from(from_item(answer["Item"])) if "Item" in answer else None

    def of(self, user_id: str) -> Sequence[Reminder]:
        rows = rows_of(self._calls, self._table, user_id, REMINDER_PREFIX)
        return sorted(map(_reminder_from, rows), key=lambda reminder: (reminder.at, reminder.reminder_id))

    def remove(self, user_id: str, reminder_id: str) -> None:
        self._calls.call("DeleteItem", {"TableName": self._table, "Key": to_item(reminder_key(user_id, reminder_id))})


def _reminder_from(item: Item) -> Reminder:
    return Reminder(
        reminder_id=item[SK].removeprefix(REMINDER_PREFIX),
        user_id=item[PK].removeprefix(USER_PREFIX),
        conversation_id=item[CONVERSATION_ID],
        seq=item[SEQ],
        at=item["at"],
        created_at=item["created_at"],
    )
