"""In-memory stand-ins for every port. The contract suites hold them to what the real adapters do."""

from __future__ import annotations

from tests.in_memory.basics import FakeClock, FakeNonces, FakePushGateway, in_turn
from tests.in_memory.connections import FakeGateway, FakePresenceChecks, FakeSessions, FakeTickets, FakeWatches
from tests.in_memory.limits import FakeBuckets
from tests.in_memory.log import DM, FakeLog
from tests.in_memory.memberships import FakeMemberships
from tests.in_memory.people import FakeBlocks, FakeContacts, FakeProfiles, FakeRelations

__all__ = [
    "DM",
    "FakeBlocks",
    "FakeBuckets",
    "FakeClock",
    "FakeContacts",
    "FakeGateway",
    "FakeLog",
    "FakeMemberships",
    "FakeNonces",
    "FakePresenceChecks",
    "FakeProfiles",
    "FakePushGateway",
    "FakeRelations",
    "FakeSessions",
    "FakeTickets",
    "FakeWatches",
    "in_turn",
]
