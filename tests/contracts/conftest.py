"""The implementations that every contract suite runs against: the fakes, and the adapters on moto's server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Any

import pytest

from shared.aws.bucket_table import DynamoDbBuckets
from shared.aws.contact_table import DynamoDbBlocks, DynamoDbContacts, DynamoDbProfiles, DynamoDbRelations
from shared.aws.dynamodb import Calls
from shared.aws.log_table import DynamoDbConversationLog
from shared.aws.member_table import DynamoDbMemberships
from shared.aws.session_table import DynamoDbSessions
from shared.aws.ticket_table import DynamoDbTickets
from shared.aws.watch_table import DynamoDbWatches
from shared.chat.ports import ConversationLog, Memberships
from shared.connection.ports import Sessions, Tickets, Watches
from shared.contacts.ports import Blocks, Contacts, Profiles, Relations
from shared.limits.buckets import Buckets
from tests.fakes import (
    FakeBlocks,
    FakeBuckets,
    FakeContacts,
    FakeLog,
    FakeMemberships,
    FakeProfiles,
    FakeRelations,
    FakeSessions,
    FakeTickets,
    FakeWatches,
)
from tests.moto_tables import environment, moto_url, tables

__all__ = ["environment", "moto_url", "tables"]


@dataclass(frozen=True)
class Stores:
    """One implementation of all stores, empty."""

    log: ConversationLog
    memberships: Memberships
    sessions: Sessions
    tickets: Tickets
    contacts: Contacts
    blocks: Blocks
    relations: Relations
    profiles: Profiles
    watches: Watches
    buckets: Buckets


def fakes() -> Stores:
    members = FakeMemberships()
    return Stores(
        log=FakeLog(members),
        memberships=members,
        sessions=FakeSessions(),
        tickets=FakeTickets(),
        contacts=FakeContacts(members),
        blocks=FakeBlocks(members),
        relations=FakeRelations(members),
        profiles=FakeProfiles(),
        watches=FakeWatches(),
        buckets=FakeBuckets(),
    )


class OneAtATime:
    """Each call is atomic, as DynamoDB's are: moto looks at a condition and writes without a lock around both.

    Operations of several calls still race.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._lock = Lock()

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            return self._calls.call(operation, request)


def adapters(calls: Calls) -> Stores:
    return Stores(
        log=DynamoDbConversationLog(calls, log_table="log", members_table="members"),
        memberships=DynamoDbMemberships(calls, members_table="members"),
        sessions=DynamoDbSessions(calls, sessions_table="sessions"),
        tickets=DynamoDbTickets(calls, tickets_table="tickets"),
        contacts=DynamoDbContacts(calls, members_table="members"),
        blocks=DynamoDbBlocks(calls, members_table="members"),
        relations=DynamoDbRelations(calls, members_table="members"),
        profiles=DynamoDbProfiles(calls, members_table="members"),
        watches=DynamoDbWatches(calls, members_table="members"),
        buckets=DynamoDbBuckets(calls, members_table="members"),
    )


@pytest.fixture(params=["fake", "moto"])
def stores(request: pytest.FixtureRequest) -> Stores:
    return fakes() if request.param == "fake" else adapters(OneAtATime(request.getfixturevalue("tables")))
