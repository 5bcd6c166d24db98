"""The stores on PynamoDB's models: contacts, profiles, notifications, reminders. Rows under their user, all of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar

from shared.adapters.dynamodb.client import Calls, Table, batch_get_raw, refusal_passes, transact
from shared.adapters.dynamodb.schema import PK, PROFILE, SK, block_key, contact_key, noted
from shared.clock import SECOND_MS
from shared.domain.contacts import Contact, Pair, Profile, QuietHours
from shared.domain.entries import Entry
from shared.domain.notifications import Notification, Reminder
from shared.ports.services import ParallelMap

if TYPE_CHECKING:
    from shared.adapters.dynamodb.models import ContactRow, NotificationRow, ProfileRow, ReminderRow, Row  # noqa: F401  # in quotes, below

R = TypeVar("R", bound="Row")

# A reminder's row, from the time it was due.
_KEEP_S: Final = 30 * 24 * 3_600


class _ModelStore(Generic[R]):
    """A store of one kind of row. Its model is imported by the first request that needs it: that imports botocore."""

    _model: ClassVar[str]

    def __init__(self, calls: Calls, *, members_table: str, log_table: str = "") -> None:
        self._calls = calls
        self._table = members_table
        self._log = Table(calls, log_table)

    @cached_property
    def _rows(self) -> type[R]:
        from shared.adapters.dynamodb import models  # noqa: PLC0415  # see above

        rows: type[R] = getattr(models, self._model)
        return rows.on(self._calls, self._table)


class DynamoDbContacts(_ModelStore["ContactRow"]):
    _model = "ContactRow"

    def of(self, user_id: str) -> Sequence[Contact]:
        return [row.value(Contact) for row in self._rows.all_of(user_id)]

    def pair(self, user_id: str, other: str) -> Pair:
        keys = [contact_key(user_id, other), contact_key(other, user_id), block_key(other, user_id)]
        items = batch_get_raw(self._calls, {self._table: keys}, consistent=True)
        found = {(item[PK]["S"], item[SK]["S"]): item for _, item in items}
        mine, theirs, block = (found.get((key[PK], key[SK])) for key in keys)
        return Pair(self._side(mine), self._side(theirs), blocks_me=block is not None)

    def _side(self, item: dict[str, Any] | None) -> Contact | None:
        return None if item is None else self._rows.from_raw_data(item).value(Contact)

    def change(
        self,
        user_id: str,
        other: str,
        *,
        was: Pair,
        mine: Contact | None,
        theirs: Contact | None,
        notes: Sequence[Entry] = (),
    ) -> bool:
        parts = [self._changed(user_id, other, was.mine, mine), self._changed(other, user_id, was.theirs, theirs)]
        return transact(self._calls, [*parts, *noted(notes, self._log)])

    def _changed(self, owner: str, other: str, was: Contact | None, becomes: Contact | None) -> dict[str, Any]:
        """One side as a part of the transaction, on condition that it is still what it was.

        The alias, too: both sides are written, and the other one may just have been given another name.
        """
        rows = self._rows
        if was is None:
            condition = rows.owner.does_not_exist()
        else:
            alias = rows.alias.does_not_exist() if was.alias is None else rows.alias == was.alias
            condition = (rows.status == was.status) & (rows.since == was.since) & alias
        if becomes is None:
            return {"Delete": rows(owner, other).get_delete_kwargs_from_instance(condition)}
        return {"Put": rows.storing(becomes, owner=owner, contact=other).get_save_kwargs_from_instance(condition)}


class DynamoDbProfiles(_ModelStore["ProfileRow"]):
    _model = "ProfileRow"

    def get(self, user_id: str) -> Profile:
        rows = self._rows
        try:
            return rows.get(user_id, PROFILE, consistent_read=True).value(Profile)
        except rows.DoesNotExist:
            return Profile()

    def update(self, user_id: str, changes: Mapping[str, object], *, notes: Sequence[Entry] = ()) -> bool:
        rows = self._rows
        actions = [_changed(getattr(rows, name), value) for name, value in changes.items()]
        update = {"Update": rows(user_id).get_update_kwargs_from_instance(actions)}
        return transact(self._calls, [update, *noted(notes, self._log)])


def _changed(attribute: Any, value: object) -> Any:
    if value is None:
        return attribute.remove()
    return attribute.set(asdict(value) if isinstance(value, QuietHours) else value)


class DynamoDbNotifications(_ModelStore["NotificationRow"]):
    """`parallel_map` writes several at once.

    An acknowledged one stays as a row without content until its time to live ends: a repetition must not revive it.
    """

    _model = "NotificationRow"

    def __init__(self, calls: Calls, *, members_table: str, parallel_map: ParallelMap) -> None:
        super().__init__(calls, members_table=members_table)
        self._parallel_map = parallel_map

    def put(self, notifications: Sequence[Notification]) -> None:
        """One conditional write for each: a batch knows no conditions."""
        rows = self._rows

        def put(one: Notification) -> None:
            # One that has expired may not be taken away yet, and is as good as gone.
            is_free = rows.user_id.does_not_exist() | (rows.expires_at <= one.created_at)
            with refusal_passes():
                rows.storing(one, ttl=one.expires_at // SECOND_MS + 1).save(is_free)

        list(self._parallel_map(put, notifications))

    def of(self, user_id: str, *, now: int) -> Sequence[Notification]:
        found = _unacknowledged(self._rows.all_of(user_id), now)
        return sorted(found, key=lambda one: (one.created_at, one.notification_id))

    def among(self, keys: Collection[tuple[str, str]], *, now: int) -> Mapping[tuple[str, str], Notification]:
        found = _unacknowledged(self._rows.some(sorted(set(keys))), now)
        return {(one.user_id, one.notification_id): one for one in found}

    def acknowledge(self, user_id: str, notification_id: str) -> None:
        rows = self._rows
        content = [rows.title.remove(), rows.body.remove(), rows.data.remove()]
        with refusal_passes():
            rows(user_id, notification_id).update([rows.acknowledged.set(True), *content], rows.user_id.exists())


def _unacknowledged(rows: Iterable[NotificationRow], now: int) -> list[Notification]:
    return [row.value(Notification) for row in rows if not row.acknowledged and row.expires_at > now]


class DynamoDbReminders(_ModelStore["ReminderRow"]):
    _model = "ReminderRow"

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
