"""Reminders: what every implementation promises."""

from __future__ import annotations

from shared.adapters.aws.calls import JsonService
from shared.adapters.dynamodb.client import from_item
from shared.adapters.dynamodb.model_stores import DynamoDbReminders
from shared.domain.notifications import SYSTEM, Notification, Reminder
from tests.stores import Stores

NOW = 1_795_431_200_000


def reminder(reminder_id: str = "r1", user_id: str = "alice", *, at: int = NOW) -> Reminder:
    return Reminder(reminder_id, user_id, "dm:alice:bob", 7, at, NOW - 5)


def test_a_reminder_comes_back_whole_and_stands_once(stores: Stores) -> None:
    for _ in range(2):
        stores.reminders.put(reminder())
    assert stores.reminders.get("alice", "r1") == reminder()
    assert list(stores.reminders.of("alice")) == [reminder()]


def test_it_is_its_users_alone(stores: Stores) -> None:
    stores.reminders.put(reminder())
    assert stores.reminders.get("bob", "r1") is None
    assert list(stores.reminders.of("bob")) == []
    stores.reminders.remove("bob", "r1")
    assert stores.reminders.get("alice", "r1") is not None


def test_the_next_one_comes_first(stores: Stores) -> None:
    for number, at in enumerate((30, 10, 20)):
        stores.reminders.put(reminder(f"r{number}", at=NOW + at))
    assert [one.reminder_id for one in stores.reminders.of("alice")] == ["r1", "r2", "r0"]


def test_removing_is_idempotent(stores: Stores) -> None:
    stores.reminders.put(reminder())
    stores.reminders.put(reminder("r2"))
    for _ in range(2):
        stores.reminders.remove("alice", "r1")
    assert list(stores.reminders.of("alice")) == [reminder("r2")]


def test_a_notice_of_the_same_name_is_another_thing(stores: Stores) -> None:
    stores.reminders.put(reminder("same"))
    stores.notifications.put([Notification("same", "alice", SYSTEM, NOW, NOW + 1_000, "Title")])
    assert [one.reminder_id for one in stores.reminders.of("alice")] == ["same"]
    assert [one.notification_id for one in stores.notifications.of("alice", now=NOW)] == ["same"]
    stores.reminders.remove("alice", "same")
    assert not stores.reminders.of("alice")
    assert len(stores.notifications.of("alice", now=NOW)) == 1


# --- the adapter


def test_one_that_nobody_came_for_goes_thirty_days_after(tables: JsonService) -> None:
    DynamoDbReminders(tables, members_table="members").put(reminder())
    (item,) = map(from_item, tables.call("Scan", {"TableName": "members"})["Items"])
    assert item["ttl"] == NOW // 1_000 + 30 * 86_400
