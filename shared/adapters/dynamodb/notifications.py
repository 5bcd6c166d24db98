"""Notifications in DynamoDB: rows under their user, in the members table. Its time to live takes them away.

An acknowledged one stays as a row without content until then: a repetition of what made it must not bring it back.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from shared.adapters.dynamodb.client import Calls, refusal_passes
from shared.clock import SECOND_MS
from shared.domain.notifications import Notification, Reminder
from shared.ports.services import ParallelMap

if TYPE_CHECKING:
    from shared.adapters.dynamodb.models import NotificationRow, ReminderRow

# Long after it was due, nobody will come for it any more.
_KEEP_S: Final = 30 * 24 * 3_600


class DynamoDbNotifications:
    """Notifications on the members table. `parallel_map` writes several at once."""

    def __init__(self, calls: Calls, *, members_table: str, parallel_map: ParallelMap) -> None:
        self._calls = calls
        self._table = members_table
        self._parallel_map = parallel_map

    @cached_property
    def _rows(self) -> type[NotificationRow]:
        from shared.adapters.dynamodb.models import NotificationRow  # noqa: PLC0415  # the first request imports botocore

        return NotificationRow.on(self._calls, self._table)

    def put(self, notifications: Sequence[Notification]) -> None:
        """One conditional write for each: a batch knows no conditions."""
        rows = self._rows
        list(self._parallel_map(lambda notification: _put(rows, notification), notifications))

    def of(self, user_id: str, *, now: int) -> Sequence[Notification]:
        notifications = _unacknowledged(self._rows.all_of(user_id), now)
        return sorted(notifications, key=lambda notification: (notification.created_at, notification.notification_id))

    def among(self, keys: Collection[tuple[str, str]], *, now: int) -> Mapping[tuple[str, str], Notification]:
        notifications = _unacknowledged(self._rows.some(sorted(set(keys))), now)
        return {(notification.user_id, notification.notification_id): notification for notification in notifications}

    def acknowledge(self, user_id: str, notification_id: str) -> None:
        rows = self._rows
        content = [rows.title.remove(), rows.body.remove(), rows.data.remove()]
        with refusal_passes():
            rows(user_id, notification_id).update([rows.acknowledged.set(True), *content], rows.user_id.exists())


def _put(rows: type[NotificationRow], notification: Notification) -> None:
    # One that has expired may not be taken away yet, and is as good as gone.
    is_free = rows.user_id.does_not_exist() | (rows.expires_at <= notification.created_at)
    with refusal_passes():
        rows.storing(notification, ttl=notification.expires_at // SECOND_MS + 1).save(is_free)


def _unacknowledged(rows: Iterable[NotificationRow], now: int) -> list[Notification]:
    return [row.value(Notification) for row in rows if not row.acknowledged and row.expires_at > now]


class DynamoDbReminders:
    """Reminders on the members table."""

    def __init__(self, calls: Calls, *, members_table: str) -> None:
        self._calls = calls
        self._table = members_table

    @cached_property
    def _rows(self) -> type[ReminderRow]:
        from shared.adapters.dynamodb.models import ReminderRow  # noqa: PLC0415  # the first request imports botocore

        return ReminderRow.on(self._calls, self._table)

    def put(self, reminder: Reminder) -> None:
        self._rows.storing(reminder, ttl=reminder.at // SECOND_MS + _KEEP_S).save()

    def get(self, user_id: str, reminder_id: str) -> Reminder | None:
        try:
            return self._rows.get(user_id, reminder_id, consistent_read=True).value(Reminder)
        except self._rows.DoesNotExist:
            return None

    def of(self, user_id: str) -> Sequence[Reminder]:
        found = [row.value(Reminder) for row in self._rows.all_of(user_id)]
        return sorted(found, key=lambda reminder: (reminder.at, reminder.reminder_id))

    def remove(self, user_id: str, reminder_id: str) -> None:
        self._rows(user_id, reminder_id).delete()
