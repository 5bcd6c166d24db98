"""CPU time of one AWS call over TLS: Parley's own transport, http.client, boto3, and PynamoDB's low-level connection.

    .venv/bin/python -m benchmarks.transport --rounds 7

One local server in a process of its own answers all of them at once, so what is counted here is what the caller spends.
The subjects take turns within every round, and the medians over the rounds are compared. ADR 0005 and ADR 0032 rest on
the ratios; the absolute figures belong to the machine.

Then some recipients of a fan-out hang, whose posts are never answered: when `post` returns, and when the last of the
others had its post.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from statistics import median
from typing import Final
from zlib import crc32

from benchmarks.rivals import KEY, REGION, WIDTH, HttpClient, boto3_client, pynamodb_put
from benchmarks.serving import serving
from shared.adapters.aws import transport
from shared.adapters.aws.calls import ApiGatewayConnections
from shared.adapters.aws.transport import Pool
from shared.adapters.dynamodb.client import dynamodb, to_item
from shared.adapters.dynamodb.schema import entry_item
from shared.config import AwsEnvironment
from shared.domain.connections import PostOutcome
from shared.domain.entries import Draft
from shared.wire.websocket.frames import encode_event
from tests.shared.adapters.aws.certificates import tls_contexts

_CALLS: Final = 200
_FAN_OUT: Final = 100
_FAN_OUTS: Final = 3
_HANGING: Final = (1, 10, 40, 80)
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
    """DynamoDB's answer to a put, and the gateway's to a post, to whatever comes in. Who "hangs" gets none."""

    _times: Final[list[float]] = []
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
            self._answer(head.partition(b"\r\n")[0])

    def _answer(self, line: bytes) -> None:
        if line.startswith(b"GET"):
            said = json.dumps(self._times).encode()
            self._times.clear()
            self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(said), said))
        elif b"hangs" not in line:
            self._times.append(time.monotonic())
            self._transport.write(self._post if b"connections" in line else self._put)


def _serve(port: Pipe, pem: str) -> None:
    async def run() -> None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(pem)
        server = await asyncio.get_running_loop().create_server(_Answers, "127.0.0.1", 0, ssl=tls)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(run())


@contextmanager
def _server() -> Iterator[tuple[str, str]]:
    """Its address, and the file with the certificate that everybody here trusts."""
    with tempfile.TemporaryDirectory() as folder:
        _, ours = tls_contexts(Path(folder))
        pem = str(Path(folder) / "localhost.pem")
        vars(transport)["tls_context"] = lambda _: ours
        with serving(_serve, pem, scheme="https", host="localhost") as endpoint:
            yield endpoint, pem


def _repeat(call: Callable[[], object]) -> Callable[[], None]:
    def run() -> None:
        for _ in range(_CALLS):
            call()

    return run


def _check(outcomes: object, wanted: int) -> None:
    if outcomes != wanted:
        raise SystemExit(f"the local server did not answer as it should: {outcomes} of {wanted}")


def _puts(endpoint: str, pem: str, environment: AwsEnvironment) -> list[Subject]:
    ours = dynamodb(environment)
    boto3 = boto3_client("dynamodb", endpoint, pem)
    unchecked = boto3_client("dynamodb", endpoint, pem, parameter_validation=False)
    plain = HttpClient(endpoint, "dynamodb", ssl.create_default_context(cafile=pem))
    headers = {"content-type": "application/x-amz-json-1.0", "x-amz-target": "DynamoDB_20120810.PutItem"}
    pynamodb = pynamodb_put(endpoint, pem, _PUT, (_ENTRY.conversation_id, str(_ENTRY.seq)))
    return [
        Subject("put", "parley", _repeat(lambda: ours.call("PutItem", _PUT)), _CALLS),
        Subject("put", "http.client", _repeat(lambda: plain.request("/", headers, json.dumps(_PUT).encode())), _CALLS),
        Subject("put", "boto3", _repeat(lambda: boto3.put_item(**_PUT)), _CALLS),
        Subject("put", "boto3, unvalidated", _repeat(lambda: unchecked.put_item(**_PUT)), _CALLS),
        Subject("put", "pynamodb, low level", _repeat(pynamodb), _CALLS),
    ]


def _posts(endpoint: str, pem: str, environment: AwsEnvironment) -> list[Subject]:
    ours = ApiGatewayConnections(f"{endpoint}/prod", environment)
    boto3 = boto3_client("apigatewaymanagementapi", f"{endpoint}/prod", pem)
    plain = HttpClient(endpoint, "execute-api", ssl.create_default_context(cafile=pem))
    threads = ThreadPoolExecutor(WIDTH)

    def fan_out() -> None:
        for _ in range(_FAN_OUTS):
            posted = ours.post(_CONNECTION_IDS, _EVENT)
            _check(sum(one.outcome is PostOutcome.SENT for one in posted), _FAN_OUT)

    def boto3_post(connection_id: str) -> None:
        boto3.post_to_connection(ConnectionId=connection_id, Data=_EVENT)

    def in_threads(post: Callable[[str], object]) -> Callable[[], None]:
        def run() -> None:
            for _ in range(_FAN_OUTS):
                _check(len(list(threads.map(post, _CONNECTION_IDS))), _FAN_OUT)

        return run

    one, many = _CONNECTION_IDS[0], _FAN_OUT * _FAN_OUTS
    group = f"fan-out of {_FAN_OUT}"
    return [
        Subject("post", "parley", _repeat(lambda: ours.post([one], _EVENT)), _CALLS),
        Subject("post", "http.client", _repeat(lambda: plain.post(one, _EVENT)), _CALLS),
        Subject("post", "boto3", _repeat(lambda: boto3_post(one)), _CALLS),
        Subject(group, "parley", fan_out, many),
        Subject(group, f"http.client, {WIDTH} threads", in_threads(lambda each: plain.post(each, _EVENT)), many),
        Subject(group, f"boto3, {WIDTH} threads", in_threads(boto3_post), many),
    ]


def _measure(subject: Subject) -> Cost:
    cpu, wall = time.process_time(), time.perf_counter()
    subject.run()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    return Cost(cpu / subject.calls * 1e6, wall / subject.calls * 1e6)


def measure(rounds: int) -> Mapping[Subject, Cost]:
    """The median cost of each subject. The first round warms up and does not count."""
    with _server() as (endpoint, pem):
        environment = AwsEnvironment(REGION, KEY, KEY, "", endpoint)
        subjects = [*_puts(endpoint, pem, environment), *_posts(endpoint, pem, environment)]
        costs: dict[str, list[Cost]] = {}
        for number in range(rounds + 1):
            turn = subjects[number % len(subjects) :] + subjects[: number % len(subjects)]
            for subject in turn:
                cost = _measure(subject)
                if number:
                    costs.setdefault(f"{subject.group}/{subject.name}", []).append(cost)
    return {subject: _median(costs[f"{subject.group}/{subject.name}"]) for subject in subjects}


def hanging() -> Mapping[int, tuple[float, float]]:
    """By how many of a hundred hang: seconds until `post` returns, and until the last of the others is served."""
    found = {}
    with _server() as (endpoint, _):
        environment = AwsEnvironment(REGION, KEY, KEY, "", endpoint)
        asked = Pool(endpoint)
        for count in _HANGING:
            step = _FAN_OUT // count
            ids = [
                f"hangs{n}=" if n % step == 0 and n // step < count else one for n, one in enumerate(_CONNECTION_IDS)
            ]
            asked.request("GET", "/", {}, b"")
            began = time.monotonic()
            posted = ApiGatewayConnections(f"{endpoint}/prod", environment).post(ids, _EVENT)
            took = time.monotonic() - began
            _check(sum(one.outcome is PostOutcome.SENT for one in posted), _FAN_OUT - count)
            served = json.loads(asked.request("GET", "/", {}, b"").body)
            found[count] = took, max(served) - began
    return found


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
    print()
    for count, (took, served) in hanging().items():
        print(
            f"{count:>3} of {_FAN_OUT} hang: post takes {took:.3f} s, the last of the others is served at {served:.3f}"
        )


if __name__ == "__main__":
    main()
