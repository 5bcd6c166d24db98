"""Everything that speaks DynamoDB's API here.

The simulation's tables and moto are there always, and so is the emulator; Amazon's own DynamoDB Local is where
PARLEY_DYNAMODB_ENDPOINT says.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import blake2b
from threading import Lock
from typing import Any, Final

import pytest

from shared.adapters.aws.calls import JsonService, ServiceError
from shared.adapters.dynamodb.client import Calls, dynamodb
from shared.config import AwsEnvironment
from shared.errors import Unavailable
from tests.calls import Unhurried
from tests.moto_tables import TABLES

ENDPOINT: Final = "PARLEY_DYNAMODB_ENDPOINT"

# One emulator for the run, and one set of tables in DynamoDB Local: their tests stay in one worker each.
ENGINES: Final = [
    "simulation",
    "moto",
    pytest.param("emulator", marks=pytest.mark.xdist_group("emulated tables")),
    *([pytest.param("dynamodb-local", marks=pytest.mark.xdist_group("dynamodb-local"))] * (ENDPOINT in os.environ)),
]

# How a test fails where an engine is not as DynamoDB is.
OTHERWISE: Final = (AssertionError, ServiceError, Unavailable, pytest.fail.Exception)


class OneAtATime(Unhurried):
    """Each call is atomic, as DynamoDB's are: moto looks at a condition and writes without a lock around both.

    Operations of several calls still race.
    """

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._lock = Lock()

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            return self._calls.call(operation, request)


class OfOneTest(Unhurried):
    """Tokens of transactions are this test's own: a server knows them longer than its tables, and tests repeat them."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._test = secrets.token_bytes(8)

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        token = request.get("ClientRequestToken")
        if token is not None:
            own = blake2b(token.encode(), digest_size=16, key=self._test).hexdigest()
            request = {**request, "ClientRequestToken": own}
        return self._calls.call(operation, request)


@contextmanager
def service(endpoint: str) -> Iterator[JsonService]:
    """DynamoDB's API at an endpoint. No connection is left open behind it."""
    calls = dynamodb(AwsEnvironment("us-east-1", "test", "test", "", endpoint))
    yield calls
    while calls._pool._idle:
        calls._pool._idle.pop().close()


def empty(calls: JsonService) -> None:
    """Make the four tables anew."""
    remove(calls)
    for name, keys in TABLES.items():
        request = {
            "TableName": name,
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": kind} for key, kind in keys],
            "KeySchema": [
                {"AttributeName": key, "KeyType": role} for (key, _), role in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
            "BillingMode": "PAY_PER_REQUEST",
        }
        calls.call("CreateTable", request)


def remove(calls: JsonService) -> None:
    for name in TABLES:
        with suppress(ServiceError):
            calls.call("DeleteTable", {"TableName": name})
