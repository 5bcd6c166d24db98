"""The implementations that every contract suite runs against: the fakes, and the adapters on moto's server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import boto3
import pytest
from moto.server import ThreadedMotoServer

from shared.aws.dynamodb import dynamodb
from shared.aws.json_service import JsonService
from shared.aws.log_table import DynamoDbConversationLog
from shared.aws.member_table import DynamoDbMemberships
from shared.aws.session_table import DynamoDbSessions
from shared.aws.ticket_table import DynamoDbTickets
from shared.chat.ports import ConversationLog, Memberships
from shared.config import AwsEnvironment
from shared.connection.ports import Sessions, Tickets
from tests.fakes import FakeLog, FakeMemberships, FakeSessions, FakeTickets

# Name → key attributes with their types. What infra/ creates has the same keys, which its own tests hold.
TABLES = {
    "log": (("conversation_id", "S"), ("seq", "N")),
    "members": (("pk", "S"), ("sk", "S")),
    "sessions": (("user_id", "S"),),
    "tickets": (("ticket", "S"),),
}


@dataclass(frozen=True)
class Stores:
    """One implementation of all stores, empty."""

    log: ConversationLog
    memberships: Memberships
    sessions: Sessions
    tickets: Tickets


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def environment(moto_url: str) -> AwsEnvironment:
    return AwsEnvironment("us-east-1", "test", "test", "", moto_url)


@pytest.fixture
def tables(environment: AwsEnvironment) -> Iterator[JsonService]:
    """The four tables, empty."""
    client = boto3.client(
        "dynamodb",
        endpoint_url=environment.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    for name, keys in TABLES.items():
        client.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in keys],
            KeySchema=[
                {"AttributeName": key, "KeyType": role} for (key, _), role in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
            BillingMode="PAY_PER_REQUEST",
        )
    yield dynamodb(environment)
    for name in TABLES:
        client.delete_table(TableName=name)
    client.close()


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
