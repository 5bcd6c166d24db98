"""What our own way of calling AWS is measured against: http.client, boto3, and PynamoDB's low-level connection."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Mapping
from http.client import HTTPSConnection
from typing import Any, Final
from urllib.parse import quote, urlsplit

from shared.adapters.aws.calls import Signer, timestamp

REGION: Final = "us-east-1"
KEY: Final = "benchmark"
WIDTH: Final = 32


class HttpClient:
    """Signed by hand over http.client, with a kept connection for each thread: Parley's own way at first (ADR 0005).

    It does no more than that: what looked after sleep, deadlines and lost connections is left out, in its favour.
    """

    def __init__(self, endpoint: str, service: str, tls: ssl.SSLContext) -> None:
        self._host = urlsplit(endpoint).netloc
        self._tls = tls
        self._signer = Signer(service=service, region=REGION, access_key=KEY, secret_key=KEY)
        self._kept = threading.local()

    def request(self, path: str, headers: Mapping[str, str], body: bytes) -> int:
        """The status of a POST."""
        connection = getattr(self._kept, "connection", None)
        if connection is None:
            connection = self._kept.connection = HTTPSConnection(self._host, timeout=3, context=self._tls)
        signed = self._signer.sign("POST", path, {"host": self._host, **headers}, body, timestamp=timestamp())
        try:
            connection.request("POST", path, body=body, headers=signed)
            with connection.getresponse() as answer:
                answer.read()
                return int(answer.status)
        except OSError:
            connection.close()
            self._kept.connection = None
            raise

    def post(self, stage: str, connection_id: str, data: bytes) -> int:
        """`stage`: the URL of the endpoint of @connections."""
        return self.request(f"{urlsplit(stage).path}/%40connections/{quote(connection_id, safe='')}", {}, data)


def boto3_client(service: str, endpoint: str, ca_file: str, **settings: Any) -> Any:
    """As a careful project would make it: short timeouts, a pool as wide as the threads, few retries."""
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=1,
        read_timeout=5,
        max_pool_connections=WIDTH,
        retries={"mode": "standard", "max_attempts": 3},
        **settings,
    )
    session = boto3.Session(aws_access_key_id=KEY, aws_secret_access_key=KEY, region_name=REGION)
    return session.client(service, endpoint_url=endpoint, config=config, verify=ca_file)


def pynamodb_put(endpoint: str, ca_file: str, put: Mapping[str, Any], key: tuple[str, str]) -> Callable[[], object]:
    """Its put of an item, without the condition: it builds expressions from objects, which is no transport's work."""
    import os

    from pynamodb.connection import Connection
    from pynamodb.connection.base import MetaTable

    os.environ["AWS_CA_BUNDLE"] = ca_file
    connection = Connection(
        region=REGION, host=endpoint, connect_timeout_seconds=1, read_timeout_seconds=5, max_pool_connections=WIDTH
    )
    connection.session.set_credentials(KEY, KEY)
    keys = (("conversation_id", "HASH", "S"), ("seq", "RANGE", "N"))
    described = {
        "TableName": put["TableName"],
        "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind, _ in keys],
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, _, kind in keys],
    }
    connection.add_meta_table(MetaTable(described))
    return lambda: connection.put_item(put["TableName"], *key, attributes=put["Item"])
