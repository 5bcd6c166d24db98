"""Fixtures: moto's server on a free port, and the four tables and the bucket on it. Import them into a conftest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from urllib.parse import urlsplit

import boto3
import pytest
from moto.server import ThreadedMotoServer

from shared.adapters.aws import transport as http
from shared.adapters.aws.calls import JsonService
from shared.adapters.dynamodb.client import dynamodb
from shared.config import AwsEnvironment

# Name → key attributes with their types. What infra/ creates has the same keys, which its own tests hold.
TABLES = {
    "log": (("conversation_id", "S"), ("seq", "N")),
    "members": (("pk", "S"), ("sk", "S")),
    "sessions": (("user_id", "S"),),
    "tickets": (("ticket", "S"),),
}


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


def reset(moto_url: str) -> None:
    """Forget everything, also what a test left that was cut short."""
    with closing(HTTPConnection(urlsplit(moto_url).netloc, timeout=60)) as connection:
        connection.request("POST", "/moto-api/reset")
        assert connection.getresponse().status == 200


@pytest.fixture
def tables(environment: AwsEnvironment, moto_url: str, monkeypatch: pytest.MonkeyPatch) -> JsonService:
    """The four tables, empty.

    moto copies whole tables for a transaction and stands no second request meanwhile. On a busy machine the adapters'
    own time limits would end in just that, a retry beside the first attempt, so they are far away here.
    """
    monkeypatch.setattr(http, "CONNECT_TIMEOUT_S", 60.0)
    monkeypatch.setattr(http, "READ_TIMEOUT_S", 60.0)
    reset(moto_url)
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
    client.close()
    return dynamodb(environment)


@pytest.fixture
def bucket(environment: AwsEnvironment, moto_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A bucket, empty; its name. moto checks neither signatures nor what a form allows, which is tested elsewhere."""
    monkeypatch.setattr(http, "CONNECT_TIMEOUT_S", 60.0)
    reset(moto_url)
    client = boto3.client(
        "s3",
        endpoint_url=environment.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    client.create_bucket(Bucket="files")
    client.close()
    return "files"
