"""CPU time of one AWS call: signed by hand over http.client, boto3, and pynamodb's low-level connection.

    .venv/bin/python -m benchmarks.transport --rounds 7

One local server in a process of its own answers all of them at once and without TLS, so what is counted here is what
the caller spends. The subjects take turns within every round, and the medians over the rounds are compared. ADR 0005
rests on the ratios; the absolute figures belong to the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from statistics import median
from typing import Any, Final
from zlib import crc32

from benchmarks.serving import serving
from shared.adapters.aws.calls import ApiGatewayConnections
from shared.adapters.aws.transport import ThreadedMap
from shared.adapters.dynamodb.client import dynamodb, to_item
from shared.adapters.dynamodb.schema import entry_item
from shared.config import AwsEnvironment
from shared.domain.connections import PostOutcome
from shared.domain.entries import Draft
from shared.wire.websocket.frames import encode_event

_CALLS: Final = 200
_FAN_OUT: Final = 100
_FAN_OUTS: Final = 3
_WIDTH: Final = 32
_REGION: Final = "us-east-1"
_KEY: Final = "benchmark"
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
_EVENT: Final = encode_event(_ENTRY)
_CONNECTION_IDS: Final = [f"L0SM9cOFvHcCIh{number:03}=" for number in range(_FAN_OUT)]


@dataclass(frozen=True, slots=True)
class Subject:
    """Something to measure: `run` makes `calls` calls. Ratios are to the first subject of the same group."""

    group: str
    name: str
    run: Callable[[], None]
    calls: int


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one call, in microseconds."""

    cpu: float
    wall: float


class _Answers(asyncio.Protocol):
    """DynamoDB's answer to a put, and the gateway's to a post, to whatever comes in."""

    _body = b"{}"
    _put = (
        b"HTTP/1.1 200 OK\r\nServer: Server\r\nContent-Type: application/x-amz-json-1.0\r\nConnection: keep-alive\r\n"
        b"x-amzn-RequestId: %b\r\nx-amz-crc32: %d\r\nContent-Length: %d\r\n\r\n%b"
    ) % (b"A" * 52, crc32(_body), len(_body), _body)
    _post = (
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: keep-alive\r\nx-amzn-RequestId: %b\r\n"
        b"Content-Length: 0\r\n\r\n"
    ) % (b"A" * 36)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  # for the type checker
        self._transport = transport
        self._received = b""

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = self._received[:end]
            length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
            if len(self._received) < end + 4 + length:
                return
            self._received = self._received[end + 4 + length :]
            self._transport.write(self._post if b"connections" in head.partition(b"\r\n")[0] else self._put)


def _serve(port: Pipe) -> None:
    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(_Answers, "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


def _repeat(call: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        for _ in range(_CALLS):
            call()

    return run


def _boto3_client(service: str, endpoint: str, **settings: Any) -> Any:
    """As a careful project would make it: short timeouts, a pool as wide as the threads, few retries."""
    import boto3
    from botocore.config import Config

    config = Config(
        connect_timeout=1,
        read_timeout=5,
        max_pool_connections=_WIDTH,
        retries={"mode": "standard", "max_attempts": 3},
        **settings,
    )
    session = boto3.Session(aws_access_key_id=_KEY, aws_secret_access_key=_KEY, region_name=_REGION)
    return session.client(service, endpoint_url=endpoint, config=config)


def _pynamodb_put(endpoint: str) -> Callable[[], object]:
    from pynamodb.connection import Connection
    from pynamodb.connection.base import MetaTable

    connection = Connection(
        region=_REGION, host=endpoint, connect_timeout_seconds=1, read_timeout_seconds=5, max_pool_connections=_WIDTH
    )
    connection.session.set_credentials(_KEY, _KEY)
    keys = (("conversation_id", "HASH", "S"), ("seq", "RANGE", "N"))
    described = {
        "TableName": _TABLE,
        "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind, _ in keys],
        "AttributeDefinitions": [{"AttributeName": name, "AttributeType": kind} for name, _, kind in keys],
    }
    connection.add_meta_table(MetaTable(described))
    # The condition is left out: pynamodb builds its expression from objects, which is not the transport's cost.
    return lambda: connection.put_item(_TABLE, _ENTRY.conversation_id, str(_ENTRY.seq), attributes=_PUT["Item"])


def _check(outcomes: object, wanted: int) -> None:
    if outcomes != wanted:
        raise SystemExit(f"the local server did not answer as it should: {outcomes} of {wanted}")


def _puts(endpoint: str, environment: AwsEnvironment) -> list[Subject]:
    ours = dynamodb(environment)
    boto3 = _boto3_client("dynamodb", endpoint)
    unchecked = _boto3_client("dynamodb", endpoint, parameter_validation=False)
    return [
        Subject("put", "parley", _repeat(lambda: ours.call("PutItem", _PUT)), _CALLS),
        Subject("put", "boto3", _repeat(lambda: boto3.put_item(**_PUT)), _CALLS),
        Subject("put", "boto3, unvalidated", _repeat(lambda: unchecked.put_item(**_PUT)), _CALLS),
        Subject("put", "pynamodb, low level", _repeat(_pynamodb_put(endpoint)), _CALLS),
    ]


def _posts(endpoint: str, environment: AwsEnvironment) -> list[Subject]:
    ours = ApiGatewayConnections(f"{endpoint}/prod", environment, parallel_map=ThreadedMap(_WIDTH))
    boto3 = _boto3_client("apigatewaymanagementapi", f"{endpoint}/prod")
    threads = ThreadPoolExecutor(_WIDTH)

    def fan_out() -> None:
        for _ in range(_FAN_OUTS):
            posted = ours.post(_CONNECTION_IDS, _EVENT)
            _check(sum(one.outcome is PostOutcome.SENT for one in posted), _FAN_OUT)

    def boto3_post(connection_id: str) -> None:
        boto3.post_to_connection(ConnectionId=connection_id, Data=_EVENT)

    def boto3_fan_out() -> None:
        for _ in range(_FAN_OUTS):
            _check(len(list(threads.map(boto3_post, _CONNECTION_IDS))), _FAN_OUT)

    one = _CONNECTION_IDS[:1]
    return [
        Subject("post", "parley", _repeat(lambda: ours.post(one, _EVENT)), _CALLS),
        Subject("post", "boto3", _repeat(lambda: boto3_post(one[0])), _CALLS),
        Subject("fan-out of 100", f"parley, {_WIDTH} threads", fan_out, _FAN_OUT * _FAN_OUTS),
        Subject("fan-out of 100", f"boto3, {_WIDTH} threads", boto3_fan_out, _FAN_OUT * _FAN_OUTS),
    ]


def _measure(subject: Subject) -> Cost:
    cpu, wall = time.process_time(), time.perf_counter()
    subject.run()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return Cost(cpu / subject.calls * 1e6, wall / subject.calls * 1e6)


def measure(rounds: int) -> Mapping[Subject, Cost]:
    """The median cost of each subject. The first round warms up and does not count."""
    with serving(_serve) as endpoint:
        environment = AwsEnvironment(_REGION, _KEY, _KEY, "", endpoint)
        subjects = [*_puts(endpoint, environment), *_posts(endpoint, environment)]
        costs: dict[str, list[Cost]] = {}
        for number in range(rounds + 1):
            turn = subjects[number % len(subjects) :] + subjects[: number % len(subjects)]
            for subject in turn:
                cost = _measure(subject)
                if number:
                    costs.setdefault(f"{subject.group}/{subject.name}", []).append(cost)
    return {subject: _median(costs[f"{subject.group}/{subject.name}"]) for subject in subjects}


def _median(costs: list[Cost]) -> Cost:
    return Cost(median(cost.cpu for cost in costs), median(cost.wall for cost in costs))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, choices=range(1, 16), metavar="1..15")
    found = measure(parser.parse_args().rounds)
    first: dict[str, Cost] = {}
    print(f"{'':<16}{'':<22}{'CPU µs/call':>12}{'ratio':>8}{'calls/s':>10}{'ratio':>8}")
    for subject, cost in found.items():
        ours = first.setdefault(subject.group, cost)
        print(
            f"{subject.group:<16}{subject.name:<22}{cost.cpu:>12.0f}{cost.cpu / ours.cpu:>8.2f}"
            f"{1e6 / cost.wall:>10.0f}{ours.wall / cost.wall:>8.2f}"
        )


if __name__ == "__main__":
    main()
