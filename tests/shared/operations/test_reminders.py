from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.domain.changes import Deleted, Removed
from shared.domain.entries import change_entry
from shared.domain.notifications import REMINDER, AboutNotification, Notification, Reminder
from shared.errors import BadRequest, Conflict, NotAMember, NotFound, Unavailable
from shared.operations.reminders import (
    MAX_AHEAD_MS,
    Due,
    Remind,
    Reminded,
    cancel_reminder,
    remind,
    reminders_of,
    tell_due,
)
from shared.ports.services import RestServices
from tests.fakes import (
    DM,
    FakeClock,
    FakeDeliveryCheckQueue,
    FakeGateway,
    FakeNonces,
    FakeReminderScheduler,
)
from tests.stores import Simulated, simulated
from tests.wiring import make_context, rest_services

HOUR = 3_600_000


@dataclass
class House:
    stores: Simulated = field(default_factory=simulated)
    gateway: FakeGateway = field(default_factory=FakeGateway)
    looks: FakeDeliveryCheckQueue = field(default_factory=FakeDeliveryCheckQueue)
    clock: FakeReminderScheduler = field(default_factory=FakeReminderScheduler)
    now: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.stores.write("bob", "one", "two")

    def remind(
        self, seq: int = 1, *, user_id: str = "alice", conversation_id: str = DM, in_ms: int = HOUR, limit: int = 3
    ) -> Reminded:
        command = Remind(user_id, conversation_id, seq, self.now() + in_ms)
        context = make_context(self.now, FakeNonces(), reminder_limit=limit)
        return remind(command, stores=self.stores, services=self.services, context=context)

    def due(self, reminder: Reminder, *, user_id: str = "alice") -> int:
        """How many connections were told."""
        before, context = len(self.gateway.posts), make_context(self.now, FakeNonces())
        tell_due(Due(user_id, reminder.reminder_id), stores=self.stores, services=self.services, context=context)
        return len(self.gateway.posts) - before

    @property
    def services(self) -> RestServices:
        return rest_services(self.gateway, delivery_checks=self.looks, scheduler=self.clock)

    def cancel(self, reminder_id: str, *, user_id: str = "alice") -> None:
        cancel_reminder(user_id, reminder_id, stores=self.stores, services=self.services)

    def events(self, connection_id: str) -> list[dict[str, Any]]:
        return [json.loads(data) for data in self.gateway.received(connection_id)]

    def kept(self) -> list[Reminder]:
        return [one for user in ("alice", "bob") for one in self.stores.reminders.of(user)]

    def notified(self) -> list[Notification]:
        return list(self.stores.notifications.of("alice", now=self.now()))

    def change(self, change: Deleted | Removed) -> None:
        base = self.stores.entries(DM)[-1]
        entry = change_entry(
            change, base=base, conversation_id=DM, sender_id="bob", created_at=2, nonce="c", fan_out=False
        )
        assert self.stores.log.put(entry) is None


def busy(_: object) -> None:
    raise Unavailable


# --- asking


def test_a_wish_is_stored_and_scheduled() -> None:
    house = House()
    made = house.remind(2)
    reminder = Reminder(made.reminder.reminder_id, "alice", DM, 2, house.now() + HOUR, house.now())
    assert made == Reminded(reminder, is_new=True)
    assert house.kept() == [reminder]
    assert house.clock.scheduled == {reminder.reminder_id: reminder}


def test_the_same_wish_is_one_reminder() -> None:
    house = House()
    first = house.remind(limit=1)
    house.now.advance(10)
    again = house.remind(in_ms=HOUR - 10, limit=1)
    assert again == Reminded(first.reminder, is_new=False)
    assert len(house.kept()) == 1


def test_each_other_wish_is_another_reminder() -> None:
    house = House()
    ids = {
        house.remind(1).reminder.reminder_id,
        house.remind(2).reminder.reminder_id,
        house.remind(1, in_ms=HOUR + 1).reminder.reminder_id,
        house.remind(1, user_id="bob").reminder.reminder_id,
    }
    assert len(ids) == 4
    assert all(len(one) == 32 for one in ids)


def test_a_repetition_schedules_what_was_not_scheduled() -> None:
    house = House(clock=FakeReminderScheduler(before_schedule=busy))
    with pytest.raises(Unavailable):
        house.remind()
    house.clock.before_schedule = lambda _: None
    assert not house.remind().is_new
    assert len(house.clock.scheduled) == 1


@pytest.mark.parametrize("in_ms", [1, MAX_AHEAD_MS])
def test_the_next_millisecond_and_a_year_are_not_too_far(in_ms: int) -> None:
    assert House().remind(in_ms=in_ms).is_new


@pytest.mark.parametrize("in_ms", [0, -HOUR, MAX_AHEAD_MS + 1])
def test_no_other_time_will_do(in_ms: int) -> None:
    house = House()
    with pytest.raises(BadRequest, match="`at`"):
        house.remind(in_ms=in_ms)
    assert (house.kept(), house.clock.scheduled) == ([], {})


@pytest.mark.parametrize("conversation_id", [DM, "group:zzzzzzzzzzzzzzzz", "nonsense"])
def test_an_outsider_is_reminded_of_nothing(conversation_id: str) -> None:
    house = House()
    with pytest.raises(NotAMember):
        house.remind(user_id="mallory", conversation_id=conversation_id)


@pytest.mark.parametrize("seq", [0, 3, 4])
def test_there_has_to_be_a_message(seq: int) -> None:
    house = House()
    house.change(Deleted(2))  # entry 3 is no message
    with pytest.raises(NotFound):
        house.remind(seq)


def test_a_deleted_message_is_none() -> None:
    house = House()
    house.change(Deleted(2))
    with pytest.raises(NotFound):
        house.remind(2)
    assert house.remind(1).is_new


def test_so_many_wait_at_most() -> None:
    house = House()
    for number in range(3):
        house.remind(in_ms=HOUR + number)
    with pytest.raises(Conflict, match="3 reminders"):
        house.remind(2)
    assert len(house.clock.scheduled) == 3
    assert not house.remind(in_ms=HOUR).is_new
    house.remind(2, user_id="bob")


# --- cancelling


def test_a_cancelled_one_is_neither_stored_nor_scheduled() -> None:
    house = House()
    reminder = house.remind().reminder
    for _ in range(2):
        house.cancel(reminder.reminder_id)
    assert (house.kept(), house.clock.scheduled) == ([], {})


def test_nobody_cancels_what_is_anothers() -> None:
    house = House()
    reminder = house.remind().reminder
    house.cancel(reminder.reminder_id, user_id="bob")
    assert house.clock.scheduled == {reminder.reminder_id: reminder}
    assert list(reminders_of("alice", stores=house.stores)) == [reminder]


# --- being due


def test_who_is_due_is_told_and_the_reminder_goes() -> None:
    house = House()
    house.stores.connect("alice", "a1", at=house.now())
    reminder = house.remind(2).reminder
    house.now.advance(HOUR)
    assert house.due(reminder) == 1
    body = {"id": reminder.reminder_id, "kind": "reminder", "title": "Reminder", "body": "", "data": {}}
    place = {"created_at": house.now(), "conversation_id": DM, "seq": 2}
    assert house.events("a1") == [{"type": "notification", "notification": {**body, **place}}]
    (notification,) = house.notified()
    assert (notification.kind, notification.user_id, notification.expires_at) == (
        REMINDER,
        "alice",
        house.now() + 30 * 86_400_000,
    )
    assert house.kept() == []


def test_who_is_absent_is_looked_at_right_away() -> None:
    house = House()
    reminder = house.remind().reminder
    house.due(reminder)
    assert [(look.about, look.users, delay_s) for look, delay_s in house.looks.puts] == [
        (AboutNotification(reminder.reminder_id), ("alice",), 0)
    ]


def told(house: House) -> tuple[int, list[Notification], int]:
    return len(house.gateway.posts), house.notified(), len(house.looks.puts)


def test_a_cancelled_one_is_told_to_nobody() -> None:
    house = House()
    reminder = house.remind().reminder
    house.cancel(reminder.reminder_id)
    assert house.due(reminder) == 0
    assert told(house) == (0, [], 0)


def test_one_is_due_once() -> None:
    house = House()
    reminder = house.remind().reminder
    house.due(reminder)
    assert house.due(reminder) == 0
    assert len(house.looks.puts) == 1


def test_anothers_reminder_is_nobodys() -> None:
    house = House()
    reminder = house.remind().reminder
    assert house.due(reminder, user_id="bob") == 0
    assert house.kept() != []


def test_of_a_deleted_message_nobody_is_told_and_the_reminder_goes() -> None:
    house = House()
    reminder = house.remind(2).reminder
    house.change(Deleted(2))
    assert house.due(reminder) == 0
    assert (told(house), house.kept()) == ((0, [], 0), [])


def test_who_is_no_member_any_more_is_not_told_and_the_reminder_goes() -> None:
    house = House()
    reminder = house.remind().reminder
    house.stores.leave(DM, "alice")
    assert house.due(reminder) == 0
    assert (told(house), house.kept()) == ((0, [], 0), [])


def test_one_that_died_half_way_is_told_again_as_the_same_notice() -> None:
    house = House(looks=FakeDeliveryCheckQueue(before_put=busy))
    reminder = house.remind().reminder
    with pytest.raises(Unavailable):
        house.due(reminder)
    assert house.kept() != []
    house.looks.before_put = lambda _: None
    house.now.advance(1_000)
    house.due(reminder)
    (notification,) = house.notified()
    assert notification.created_at == house.now() - 1_000
    assert (len(house.looks.puts), house.kept()) == (1, [])


def test_one_that_was_acknowledged_half_way_is_not_told_again() -> None:
    house = House()
    reminder = house.remind().reminder
    house.due(reminder)
    house.stores.reminders.put(reminder)  # as if it had died before it was removed
    house.stores.notifications.acknowledge("alice", reminder.reminder_id)
    assert house.due(reminder) == 0
    assert (len(house.looks.puts), house.kept()) == (1, [])
