"""In-memory stand-ins for every port. The contract suites hold them to what the real adapters do."""

from __future__ import annotations

from tests.fakes.basics import FakeClock, FakeNonces, FakePushGateway, in_turn
from tests.fakes.connections import FakeGateway, FakePresenceChecks, FakeSessions, FakeTickets, FakeWatches
from tests.fakes.files import FakeFiles, FakeObjects
from tests.fakes.limits import FakeBuckets
from tests.fakes.log import DM, FakeLog
from tests.fakes.memberships import FakeMemberships
from tests.fakes.notification import (
    FakeClaims,
    FakeDeliveryCheckQueue,
    FakeDevices,
    FakeNotifications,
    FakePushContexts,
    FakePushQueue,
    FakeReminders,
    FakeReminderScheduler,
)
from tests.fakes.people import FakeBlocks, FakeContacts, FakeProfiles, FakeRelations

__all__ = [
    "DM",
    "FakeBlocks",
    "FakeBuckets",
    "FakeClaims",
    "FakeClock",
    "FakeContacts",
    "FakeDeliveryCheckQueue",
    "FakeDevices",
    "FakeFiles",
    "FakeGateway",
    "FakeLog",
    "FakeMemberships",
    "FakeNonces",
    "FakeNotifications",
    "FakeObjects",
    "FakePresenceChecks",
    "FakeProfiles",
    "FakePushContexts",
    "FakePushGateway",
    "FakePushQueue",
    "FakeRelations",
    "FakeReminderScheduler",
    "FakeReminders",
    "FakeSessions",
    "FakeTickets",
    "FakeWatches",
    "in_turn",
]
