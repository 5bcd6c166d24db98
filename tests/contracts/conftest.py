"""The implementations that every contract suite runs against: the fakes, and the adapters on moto's server."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from shared.aws.json_service import JsonService
from shared.aws.log_table import DynamoDbConversationLog
from shared.aws.member_table import DynamoDbMemberships
from shared.aws.session_table import DynamoDbSessions
from shared.aws.ticket_table import DynamoDbTickets
from shared.chat.ports import ConversationLog, Memberships
from shared.connection.ports import Sessions, Tickets
from tests.fakes import FakeLog, FakeMemberships, FakeSessions, FakeTickets
from tests.moto_tables import environment, moto_url, tables

__all__ = ["environment", "moto_url", "tables"]


@dataclass(frozen=True)
class Stores:
    """One implementation of all stores, empty."""

    log: ConversationLog
    memberships: Memberships
    sessions: Sessions
    tickets: Tickets


@pytest.fixture(params=["fake", "moto"])
def stores(request: pytest.FixtureRequest) -> Stores:
    if request.param == "fake":
        memberships = FakeMemberships()
        return Stores(FakeLog(memberships), memberships, FakeSessions(), FakeTickets())
    calls: JsonService = request.getfixturevalue("tables")
    return Stores(
        DynamoDbConversationLog(calls, log_table="log", members_table="members"),
        DynamoDbMemberships(calls, members_table="members"),
        DynamoDbSessions(calls, sessions_table="sessions"),
        DynamoDbTickets(calls, tickets_table="tickets"),
    )
