"""In-memory stand-ins for what is no store: the gateway, queues, objects, the scheduler, push providers, time."""

from __future__ import annotations

from tests.fakes.basics import DM, FakeClock, FakeNonces, FakeObserver, FakePushGateway, in_turn
from tests.fakes.connections import FakeGateway, FakePresenceChecks
from tests.fakes.files import FakeObjects
from tests.fakes.jobs import FakeArchive, FakeJobQueue
from tests.fakes.notification import (
    FakeBroadcastQueue,
    FakeDeliveryCheckQueue,
    FakePushQueue,
    FakeReminderScheduler,
    FakeShardQueue,
    FakeSweepQueue,
)

__all__ = [
    "DM",
    "FakeArchive",
    "FakeBroadcastQueue",
    "FakeClock",
    "FakeDeliveryCheckQueue",
    "FakeGateway",
    "FakeJobQueue",
    "FakeNonces",
    "FakeObjects",
    "FakeObserver",
    "FakePresenceChecks",
    "FakePushGateway",
    "FakePushQueue",
    "FakeReminderScheduler",
    "FakeShardQueue",
    "FakeSweepQueue",
    "in_turn",
]
