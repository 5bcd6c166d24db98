"""Devices, notices, reminders, and what waits to be pushed, in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import Any

from shared.domain.devices import Device, PushTarget
from shared.domain.identifiers import is_group_id
from shared.domain.notifications import About, AboutMessage, DeliveryCheck, Notification, Reminder
from shared.domain.pushes import PushContext, PushContextBatch, PushContextKey, PushJob
from tests.fakes.memberships import FakeMemberships
from tests.fakes.people import FakeProfiles

_CLAIMS_OF_ONE = 16


def _identity(target: PushTarget) -> tuple[str, bool, str]:
    """What makes two targets the same one: not the environment."""
    return target.platform, target.is_installation, target.token


@dataclass
class FakeDevices:
    """`devices` are user → device id → device."""

    devices: dict[str, dict[str, Device]] = field(default_factory=dict)
    reads: int = 0
    writes: int = 0
    lock: Any = field(default_factory=RLock, repr=False, compare=False)

    def of(self, user_ids: Collection[str]) -> Mapping[str, Sequence[Device]]:
        self.reads += 1
        return {user: list(self.devices[user].values()) for user in set(user_ids) if self.devices.get(user)}

    def register(self, user_id: str, device: Device, *, limit: int) -> None:
        self.writes += 1
        with self.lock:
            self._take_away(device.target)
            mine = self.devices.setdefault(user_id, {})
            mine.pop(device.device_id, None)
            oldest_first = sorted(mine.values(), key=lambda one: one.registered_at)
            for surplus in oldest_first[: max(len(mine) + 1 - limit, 0)]:
                del mine[surplus.device_id]
            mine[device.device_id] = device

    def forget(self, user_id: str, device_id: str) -> bool:
        self.writes += 1
        return self.devices.get(user_id, {}).pop(device_id, None) is not None

    def forget_unchanged(self, user_id: str, device: Device) -> bool:
        self.writes += 1
        with self.lock:
            if not self._is_unchanged(user_id, device):
                return False
            del self.devices[user_id][device.device_id]
            return True

    def change_environment(self, user_id: str, device: Device, target: PushTarget) -> bool:
        self.writes += 1
        with self.lock:
            if not self._is_unchanged(user_id, device):
                return False
            self.devices[user_id][device.device_id] = replace(device, target=target)
            return True

    def put(self, user_id: str, device_id: str, target: PushTarget, *, at: int = 1) -> Device:
        """Register straight away, for a test's setting."""
        device = Device(device_id, target, at)
        self.devices.setdefault(user_id, {})[device_id] = device
        return device

    def _take_away(self, target: PushTarget) -> None:
        for theirs in self.devices.values():
            for one in list(theirs.values()):
                if _identity(one.target) == _identity(target):
                    del theirs[one.device_id]

    def _is_unchanged(self, user_id: str, device: Device) -> bool:
        stored = self.devices.get(user_id, {}).get(device.device_id)
        return (
            stored is not None
            and _identity(stored.target) == _identity(device.target)
            and stored.registered_at == device.registered_at
        )


@dataclass
class FakePushContexts:
    """Puts together what the other fakes have."""

    table: FakeMemberships = field(default_factory=FakeMemberships)
    profiles: FakeProfiles = field(default_factory=FakeProfiles)
    devices: FakeDevices = field(default_factory=FakeDevices)
    reads: int = 0

    def of(self, asked: Collection[PushContextKey]) -> PushContextBatch:
        self.reads += 1
        conversations = {one.conversation_id for one in asked if one.conversation_id is not None}
        groups = {one for one in conversations if is_group_id(one)} & self.table.group_items.keys()
        senders = {one.sender_id for one in asked if one.sender_id is not None}
        return PushContextBatch(
            push_contexts={one: self._standing(one) for one in asked},
            profiles={sender: self.profiles.get(sender) for sender in senders},
            groups={one: self.table.group_items[one] for one in groups},
        )

    def _standing(self, asked: PushContextKey) -> PushContext:
        conversation_id, user_id, sender_id = asked.conversation_id, asked.user_id, asked.sender_id
        return PushContext(
            member=None if conversation_id is None else self.table.members.get((conversation_id, user_id)),
            profile=self.profiles.get(user_id),
            blocks_sender=(user_id, sender_id) in self.table.blocks,
            devices=list(self.devices.devices.get(user_id, {}).values()),
        )


@dataclass
class FakeClaims:
    """`taken` are (user, device, conversation or notice) → the last try taken: seq * 16 + tries."""

    taken: dict[tuple[str, str, str], int] = field(default_factory=dict)
    lock: Any = field(default_factory=RLock, repr=False, compare=False)

    def claim(self, user_id: str, device_id: str, about: About, *, tries: int, now: int) -> bool:
        place, seq = (
            (about.conversation_id, about.seq)
            if isinstance(about, AboutMessage)
            else (f"notice#{about.notification_id}", 1)
        )
        key, wanted = (user_id, device_id, place), seq * _CLAIMS_OF_ONE + tries
        with self.lock:
            last = self.taken.get(key, 0)
            if tries >= _CLAIMS_OF_ONE or (last != wanted - 1 if tries else last >= wanted):
                return False
            self.taken[key] = wanted
            return True


@dataclass
class FakePushQueue:
    """`puts` are the jobs as they were put, with their delays in seconds."""

    puts: list[tuple[PushJob, int]] = field(default_factory=list)
    before_put: Callable[[Sequence[PushJob]], object] = lambda _: None

    @property
    def jobs(self) -> list[PushJob]:
        return [job for job, _ in self.puts]

    def put(self, jobs: Sequence[PushJob], *, delay_s: int = 0) -> None:
        self.before_put(jobs)
        self.puts += [(job, delay_s) for job in jobs]


@dataclass
class FakeDeliveryCheckQueue:
    """`puts` are the looks as they were put, with their delays in seconds."""

    puts: list[tuple[DeliveryCheck, int]] = field(default_factory=list)
    before_put: Callable[[Sequence[DeliveryCheck]], object] = lambda _: None

    @property
    def looks(self) -> list[DeliveryCheck]:
        return [look for look, _ in self.puts]

    def put(self, looks: Sequence[DeliveryCheck], *, delay_s: int) -> None:
        self.before_put(looks)
        self.puts += [(look, delay_s) for look in looks]


@dataclass
class FakeNotifications:
    """`notifications` are (user, notice id) → the notice, expired and acknowledged ones included."""

    notifications: dict[tuple[str, str], Notification] = field(default_factory=dict)
    acknowledged: set[tuple[str, str]] = field(default_factory=set)
    before_put: Callable[[Sequence[Notification]], object] = lambda _: None

    def put(self, notifications: Sequence[Notification]) -> None:
        self.before_put(notifications)
        for notification in notifications:
            key = notification.user_id, notification.notification_id
            there = self.notifications.get(key)
            if there is None or there.expires_at <= notification.created_at:
                self.notifications[key] = notification
                self.acknowledged.discard(key)

    def of(self, user_id: str, *, now: int) -> Sequence[Notification]:
        mine = self.among([key for key in self.notifications if key[0] == user_id], now=now)
        return sorted(mine.values(), key=lambda one: (one.created_at, one.notification_id))

    def among(self, keys: Collection[tuple[str, str]], *, now: int) -> Mapping[tuple[str, str], Notification]:
        found = {
            key: self.notifications[key] for key in keys if key in self.notifications and key not in self.acknowledged
        }
        return {key: notification for key, notification in found.items() if notification.expires_at > now}

    def acknowledge(self, user_id: str, notification_id: str) -> None:
        if (user_id, notification_id) in self.notifications:
            self.acknowledged.add((user_id, notification_id))


@dataclass
class FakeReminders:
    reminders: dict[tuple[str, str], Reminder] = field(default_factory=dict)

    def put(self, reminder: Reminder) -> None:
        self.reminders[reminder.user_id, reminder.reminder_id] = reminder

    def get(self, user_id: str, reminder_id: str) -> Reminder | None:
        return self.reminders.get((user_id, reminder_id))

    def of(self, user_id: str) -> Sequence[Reminder]:
        mine = [one for one in self.reminders.values() if one.user_id == user_id]
        return sorted(mine, key=lambda one: (one.at, one.reminder_id))

    def remove(self, user_id: str, reminder_id: str) -> None:
        self.reminders.pop((user_id, reminder_id), None)


@dataclass
class FakeReminderScheduler:
    """What it will call back for, by reminder id."""

    scheduled: dict[str, Reminder] = field(default_factory=dict)
    before_schedule: Callable[[Reminder], object] = lambda _: None

    def schedule(self, reminder: Reminder) -> None:
        self.before_schedule(reminder)
        self.scheduled.setdefault(reminder.reminder_id, reminder)

    def cancel(self, reminder_id: str) -> None:
        self.scheduled.pop(reminder_id, None)
