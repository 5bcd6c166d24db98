from __future__ import annotations

from dataclasses import dataclass

import pytest

from shared.domain.changes import Deleted, Removed
from shared.domain.notifications import REMINDER, AboutNotification, Notification, Reminder
from shared.errors import BadRequest, Conflict, NotAMember, NotFound, Unavailable
from shared.operations.reminders import (
    MAX_AHEAD_MS,
    Due,
    Remind,
    cancel_reminder,
    remind,
    tell_due,
)
from tests.fakes import DM, FakeDeliveryCheckQueue, FakeNonces, FakeReminderScheduler
from tests.harness import Harness
from tests.wiring import make_context

HOUR = 3_600_000


@dataclass
class RemindersHarness(Harness):
    def __post_init__(self) -> None:
        self.stores.write("bob", "one", "two")

    def remind(
        self, seq: int = 1, *, user_id: str = "alice", conversation_id: str = DM, in_ms: int = HOUR, limit: int = 3
    ) -> tuple[Reminder, bool]:
        command = Remind(user_id, conversation_id, seq, self.clock() + in_ms)
        context = make_context(self.clock, FakeNonces(), reminder_limit=limit)
        return remind(command, stores=self.stores, services=self.services, context=context)

    def due(self, reminder: Reminder, *, user_id: str = "alice") -> int:
        """How many connections were told."""
        before = len(self.gateway.posts)
        tell_due(Due(user_id, reminder.reminder_id), **self.whole)
        return len(self.gateway.posts) - before

    def cancel(self, reminder_id: str, *, user_id: str = "alice") -> None:
        cancel_reminder(user_id, reminder_id, stores=self.stores, services=self.services)

    def kept(self) -> list[Reminder]:
        return [one for user in ("alice", "bob") for one in self.stores.reminders.of(user)]

    def notified(self) -> list[Notification]:
        return list(self.stores.notifications.of("alice", now=self.clock()))

    def change(self, change: Deleted | Removed) -> None:
        self.stores.change(change, by="bob", at=2)


def busy(_: object) -> None:
    raise Unavailable


# --- asking


@pytest.fixture
def harness() -> RemindersHarness:
    return RemindersHarness()


def test_a_wish_is_stored_and_scheduled(harness: RemindersHarness) -> None:
    made = harness.remind(2)
    reminder = Reminder(made[0].reminder_id, "alice", DM, 2, harness.clock() + HOUR, harness.clock())
    assert made == (reminder, True)
    assert harness.kept() == [reminder]
    assert harness.scheduler.scheduled == {reminder.reminder_id: reminder}


def test_the_same_wish_is_one_reminder(harness: RemindersHarness) -> None:
    first = harness.remind(limit=1)
    harness.clock.advance(10)
    again = harness.remind(in_ms=HOUR - 10, limit=1)
    assert again == (first[0], False)
    assert len(harness.kept()) == 1


def test_each_other_wish_is_another_reminder(harness: RemindersHarness) -> None:
    ids = {
        harness.remind(1)[0].reminder_id,
        harness.remind(2)[0].reminder_id,
        harness.remind(1, in_ms=HOUR + 1)[0].reminder_id,
        harness.remind(1, user_id="bob")[0].reminder_id,
    }
    assert len(ids) == 4
    assert all(len(one) == 32 for one in ids)


def test_a_repetition_schedules_what_was_not_scheduled() -> None:
    harness = RemindersHarness(scheduler=FakeReminderScheduler(before_schedule=busy))
    with pytest.raises(Unavailable):
        harness.remind()
    harness.scheduler.before_schedule = lambda _: None
    assert not harness.remind()[1]
    assert len(harness.scheduler.scheduled) == 1


@pytest.mark.parametrize("in_ms", [1, MAX_AHEAD_MS])
def test_the_next_millisecond_and_a_year_are_not_too_far(in_ms: int) -> None:
    assert RemindersHarness().remind(in_ms=in_ms)[1]


@pytest.mark.parametrize("in_ms", [0, -HOUR, MAX_AHEAD_MS + 1])
def test_no_other_time_will_do(harness: RemindersHarness, in_ms: int) -> None:
    with pytest.raises(BadRequest, match="`at`"):
        harness.remind(in_ms=in_ms)
    assert (harness.kept(), harness.scheduler.scheduled) == ([], {})


@pytest.mark.parametrize("conversation_id", [DM, "group:zzzzzzzzzzzzzzzz", "nonsense"])
def test_an_outsider_is_reminded_of_nothing(harness: RemindersHarness, conversation_id: str) -> None:
    with pytest.raises(NotAMember):
        harness.remind(user_id="mallory", conversation_id=conversation_id)


@pytest.mark.parametrize("seq", [0, 3, 4])
def test_there_has_to_be_a_message(harness: RemindersHarness, seq: int) -> None:
    harness.change(Deleted(2))  # entry 3 is no message
    with pytest.raises(NotFound):
        harness.remind(seq)


def test_a_deleted_message_is_none(harness: RemindersHarness) -> None:
    harness.change(Deleted(2))
    with pytest.raises(NotFound):
        harness.remind(2)
    assert harness.remind(1)[1]


def test_so_many_wait_at_most(harness: RemindersHarness) -> None:
    for number in range(3):
        harness.remind(in_ms=HOUR + number)
    with pytest.raises(Conflict, match="3 reminders"):
        harness.remind(2)
    assert len(harness.scheduler.scheduled) == 3
    assert not harness.remind(in_ms=HOUR)[1]
    harness.remind(2, user_id="bob")


# --- cancelling


def test_a_cancelled_one_is_neither_stored_nor_scheduled(harness: RemindersHarness) -> None:
    reminder = harness.remind()[0]
    for _ in range(2):
        harness.cancel(reminder.reminder_id)
    assert (harness.kept(), harness.scheduler.scheduled) == ([], {})


def test_nobody_cancels_what_is_anothers(harness: RemindersHarness) -> None:
    reminder = harness.remind()[0]
    harness.cancel(reminder.reminder_id, user_id="bob")
    assert harness.scheduler.scheduled == {reminder.reminder_id: reminder}
    assert list(harness.stores.reminders.of("alice")) == [reminder]


# --- being due


def test_who_is_due_is_told_and_the_reminder_goes(harness: RemindersHarness) -> None:
    harness.stores.connect("alice", "a1", at=harness.clock())
    reminder = harness.remind(2)[0]
    harness.clock.advance(HOUR)
    assert harness.due(reminder) == 1
    body = {"id": reminder.reminder_id, "kind": "reminder", "title": "Reminder", "body": "", "data": {}}
    place = {"created_at": harness.clock(), "conversation_id": DM, "seq": 2}
    assert harness.events("a1") == [{"type": "notification", "notification": {**body, **place}}]
    (notification,) = harness.notified()
    assert (notification.kind, notification.user_id, notification.expires_at) == (
        REMINDER,
        "alice",
        harness.clock() + 30 * 86_400_000,
    )
    assert harness.kept() == []


def test_who_is_absent_is_looked_at_right_away(harness: RemindersHarness) -> None:
    reminder = harness.remind()[0]
    harness.due(reminder)
    assert [(look.about, look.users, delay_s) for look, delay_s in harness.delivery_checks.puts] == [
        (AboutNotification(reminder.reminder_id), ("alice",), 0)
    ]


def told(harness: RemindersHarness) -> tuple[int, list[Notification], int]:
    return len(harness.gateway.posts), harness.notified(), len(harness.delivery_checks.puts)


def test_a_cancelled_one_is_told_to_nobody(harness: RemindersHarness) -> None:
    reminder = harness.remind()[0]
    harness.cancel(reminder.reminder_id)
    assert harness.due(reminder) == 0
    assert told(harness) == (0, [], 0)


def test_one_is_due_once(harness: RemindersHarness) -> None:
    reminder = harness.remind()[0]
    harness.due(reminder)
    assert harness.due(reminder) == 0
    assert len(harness.delivery_checks.puts) == 1


def test_anothers_reminder_is_nobodys(harness: RemindersHarness) -> None:
    reminder = harness.remind()[0]
    assert harness.due(reminder, user_id="bob") == 0
    assert harness.kept() != []


def test_of_a_deleted_message_nobody_is_told_and_the_reminder_goes(harness: RemindersHarness) -> None:
    reminder = harness.remind(2)[0]
    harness.change(Deleted(2))
    assert harness.due(reminder) == 0
    assert (told(harness), harness.kept()) == ((0, [], 0), [])


def test_who_is_no_member_any_more_is_not_told_and_the_reminder_goes(harness: RemindersHarness) -> None:
    reminder = harness.remind()[0]
    harness.stores.leave(DM, "alice")
    assert harness.due(reminder) == 0
    assert (told(harness), harness.kept()) == ((0, [], 0), [])


def test_one_that_died_half_way_is_told_again_as_the_same_notification() -> None:
    harness = RemindersHarness(delivery_checks=FakeDeliveryCheckQueue(before_put=busy))
    reminder = harness.remind()[0]
    with pytest.raises(Unavailable):
        harness.due(reminder)
    assert harness.kept() != []
    harness.delivery_checks.before_put = lambda _: None
    harness.clock.advance(1_000)
    harness.due(reminder)
    (notification,) = harness.notified()
    assert notification.created_at == harness.clock() - 1_000
    assert (len(harness.delivery_checks.puts), harness.kept()) == (1, [])


def test_one_that_was_acknowledged_half_way_is_not_told_again(harness: RemindersHarness) -> None:
    reminder = harness.remind()[0]
    harness.due(reminder)
    harness.stores.reminders.put(reminder)  # as if it had died before it was removed
    harness.stores.notifications.acknowledge("alice", reminder.reminder_id)
    assert harness.due(reminder) == 0
    assert (len(harness.delivery_checks.puts), harness.kept()) == (1, [])
