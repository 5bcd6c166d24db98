"""Notices in DynamoDB: rows under their user, in the members table. Its time to live takes them away.

An acknowledged one stays as a row without content until then: a repetition of what made it must not bring it back.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from shared.adapters.dynamodb.client import Calls, Item, batch_get, conditionally, from_item, to_item
from shared.adapters.dynamodb.memberships import rows_of
from shared.adapters.dynamodb.schema import (
    CONVERSATION_ID,
    NOTICE_PREFIX,
    PK,
    REMINDER_PREFIX,
    SEQ,
    SK,
    TTL,
    USER_PREFIX,
    notification_key,
    reminder_key,
)
from shared.domain.notifications import Notification, Reminder
from shared.ports.services import ParallelMap

_MS: Final = 1_000
_ACKNOWLEDGED: Final = "acknowledged"
# Long after it was due, nobody will come for it any more.
_KEEP_S: Final = 30 * 24 * 3_600


class DynamoDbNotifications:
    """Notices on the members table. `parallel_map` writes several at once."""

    def __init__(self, calls: Calls, *, members_table: str, parallel_map: ParallelMap) -> None:
        self._calls = calls
        self._table = members_table
        self._spread = parallel_map

    def put(self, notifications: Sequence[Notification]) -> None:
        """One conditional write for each: a batch knows no conditions."""
        list(self._spread(self._put, notifications))

    def _put(self, notification: Notification) -> None:
        conditionally(
            self._calls,
            "PutItem",
            {
                "TableName": self._table,
                "Item": to_item(_item(notification)),
                # One that has expired may not be taken away yet, and is as good as gone.
                "ConditionExpression": f"attribute_not_exists({PK}) OR expires_at <= :now",
                "ExpressionAttributeValues": to_item({":now": notification.created_at}),
            },
        )

    def of(self, user_id: str, *, now: int) -> Sequence[Notification]:
        notifications = _unacknowledged(rows_of(self._calls, self._table, user_id, NOTICE_PREFIX), now)
        return sorted(notifications, key=lambda notification: (notification.created_at, notification.notification_id))

    def among(self, keys: Collection[tuple[str, str]], *, now: int) -> Mapping[tuple[str, str], Notification]:
        wanted = {self._table: [notification_key(*key) for key in sorted(set(keys))]}
        notifications = _unacknowledged(batch_get(self._calls, wanted, consistent=True)[self._table], now)
        return {(notification.user_id, notification.notification_id): notification for notification in notifications}

    def acknowledge(self, user_id: str, notification_id: str) -> None:
        conditionally(
            self._calls,
            "UpdateItem",
            {
                "TableName": self._table,
                "Key": to_item(notification_key(user_id, notification_id)),
                "UpdateExpression": f"SET {_ACKNOWLEDGED} = :yes REMOVE title, body, #data",
                "ConditionExpression": f"attribute_exists({PK})",
                "ExpressionAttributeNames": {"#data": "data"},  # a reserved word
                "ExpressionAttributeValues": to_item({":yes": True}),
            },
        )


def _unacknowledged(items: Sequence[Item], now: int) -> list[Notification]:
    return [_notice_from(item) for item in items if _ACKNOWLEDGED not in item and item["expires_at"] > now]


def _item(notification: Notification) -> dict[str, Any]:
    """`data` is one text: its names are others' affair, and an attribute's must not be empty."""
    return {
        **notification_key(notification.user_id, notification.notification_id),
        "kind": notification.kind,
        "created_at": notification.created_at,
        "expires_at": notification.expires_at,
        "title": notification.title,
        "body": notification.body,
        "data": json.dumps(dict(notification.data), ensure_ascii=False, separators=(",", ":"))
        if notification.data
        else None,
        CONVERSATION_ID: notification.conversation_id,
        SEQ: notification.seq,
        TTL: notification.expires_at // _MS + 1,
    }


def _notice_from(item: Item) -> Notification:
    return Notification(
        notification_id=item[SK].removeprefix(NOTICE_PREFIX),
        user_id=item[PK].removeprefix(USER_PREFIX),
        kind=item["kind"],
        created_at=item["created_at"],
        expires_at=item["expires_at"],
        title=item["title"],
        body=item["body"],
        data=json.loads(item["data"]) if "data" in item else {},
        conversation_id=item.get(CONVERSATION_ID),
        seq=item.get(SEQ),
    )


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
