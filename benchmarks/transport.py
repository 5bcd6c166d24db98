"""CPU time of one AWS call over TLS: Parley's own transport, http.client, boto3, and PynamoDB's low-level connection.

    .venv/bin/python -m benchmarks.transport --rounds 7

One local server in a process of its own answers all of them at once, so what is counted here is what the caller spends.
The subjects take turns within every round. ADR 0005 and ADR 0032 rest on the ratios; the absolute figures belong to the
machine. `benchmarks.fan_out` has many posts at once.
"""

from __future__ import annotations

import argparse
import json
import ssl
from collections.abc import Callable
from typing import Final

from benchmarks.aws_server import AwsServer, aws_server
from benchmarks.rivals import KEY, REGION, HttpClient, boto3_client, pynamodb_put
from benchmarks.rows import OURS, Row, Subject, in_turns, table, timed_rows
from shared.adapters.aws.calls import ApiGatewayConnections
from shared.adapters.dynamodb.client import dynamodb, to_item
from shared.adapters.dynamodb.schema import entry_item
from shared.config import AwsEnvironment
from shared.domain.entries import Draft
from shared.wire.websocket.frames import encode_event

SUITE: Final = "A call"
_CALLS: Final = 200
_TABLE: Final = "log"

_ENTRY: Final = Draft("dm:alice:bob", "alice", "See you at eight? " * 4, "n0nce", client_message_id="0d9f").following(
    None, 1_795_431_200_123
)
_PUT: Final = {
    "TableName": _TABLE,
    "Item": to_item(entry_item(_ENTRY)),
    "ConditionExpression": "attribute_not_exists(seq)",
    "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
}
EVENT: Final = encode_event(_ENTRY)
ID: Final = "L0SM9cOFvHcCIh000="


def _repeat(name: str, call: Callable[[], object]) -> Subject:
    def run() -> None:
        for _ in range(_CALLS):
            call()

    return Subject(name, run, _CALLS)


def environment_of(server: AwsServer) -> AwsEnvironment:
    return AwsEnvironment(REGION, KEY, KEY, "", server.endpoint)


def _puts(server: AwsServer) -> list[Subject]:
    endpoint, pem = server.endpoint, server.pem
    ours = dynamodb(environment_of(server))
    boto3 = boto3_client("dynamodb", endpoint, pem)
    unchecked = boto3_client("dynamodb", endpoint, pem, parameter_validation=False)
    plain = HttpClient(endpoint, "dynamodb", ssl.create_default_context(cafile=pem))
    headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "DynamoDB_20120810.PutItem"}
    pynamodb = pynamodb_put(endpoint, pem, _PUT, (_ENTRY.conversation_id, str(_ENTRY.seq)))
    return [
        _repeat(OURS, lambda: ours.call("PutItem", _PUT)),
        _repeat("http.client", lambda: plain.request("/", headers, json.dumps(_PUT).encode())),
        _repeat("boto3", lambda: boto3.put_item(**_PUT)),
        _repeat("boto3, unvalidated", lambda: unchecked.put_item(**_PUT)),
        _repeat("PynamoDB, low level", pynamodb),
    ]


def _posts(server: AwsServer) -> list[Subject]:
    stage = server.stage(0)
    ours = ApiGatewayConnections(stage, environment_of(server))
    boto3 = boto3_client("apigatewaymanagementapi", stage, server.pem)
    plain = HttpClient(server.endpoint, "execute-api", ssl.create_default_context(cafile=server.pem))
    return [
        _repeat(OURS, lambda: ours.post([ID], EVENT)),
        _repeat("http.client", lambda: plain.post(stage, ID, EVENT)),
        _repeat("boto3", lambda: boto3.post_to_connection(ConnectionId=ID, Data=EVENT)),
    ]


def rows(rounds: int) -> list[Row]:
    with aws_server() as server:
        return [
            *timed_rows(SUITE, "a put of a message", in_turns(_puts(server), rounds)),
            *timed_rows(SUITE, "a post to a connection", in_turns(_posts(server), rounds)),
        ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, choices=range(1, 16), metavar="1..15")
    print("\n".join(table(rows(parser.parse_args().rounds))))


if __name__ == "__main__":
    main()
