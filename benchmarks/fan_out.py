"""Posts of one event to many connections, over TLS: Parley's one thread, and 32 threads with http.client and boto3.

    .venv/bin/python -m benchmarks.fan_out --rounds 5

What is reported is of one post, but for two things. With the CPU of a Lambda of 512 MB: until all 100 are posted, each
subject in a process that gets no more than its share of a core. And where some recipients hang, whose posts are never
answered: until `post` returns, and until the last of the others had its post.
"""

from __future__ import annotations

import argparse
import json
import logging
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, Final

from benchmarks.aws_server import DELAY_MS, GONE, HANGS, AwsServer, aws_server, trust
from benchmarks.quota import IS_POSSIBLE, held_to
from benchmarks.rivals import WIDTH, HttpClient, boto3_client
from benchmarks.rows import OURS, Row, Subject, in_turns, rows_of, table, timed_rows
from benchmarks.transport import EVENT, environment_of
from shared.adapters.aws.calls import ApiGatewayConnections
from shared.domain.connections import PostOutcome

SUITE: Final = "A fan-out"
SIZES: Final = (1, 10, 100, 1_000)
HANGING: Final = (1, 40)
MEMORY_MB: Final = 512
_HUNDRED: Final = 100
_POSTS: Final = 300  # of each size in a round, at least
_UNDER_QUOTA: Final = 5
_IN_THREADS: Final = f"in {WIDTH} threads"

Post = Callable[[Sequence[str]], int]
"""Has the event posted to connections: how many of them were there."""


def ids(count: int) -> list[str]:
    return [f"L0SM9cOFvHcCIh{number:04}=" for number in range(count)]


def some_of(count: int, what: str) -> list[str]:
    """A hundred, of which so many hang or are gone, spread evenly."""
    step = _HUNDRED // count
    return [f"{what}{n}=" if n % step == 0 and n // step < count else one for n, one in enumerate(ids(_HUNDRED))]


def _ours(server: AwsServer, stage: str) -> Post:
    gateway = ApiGatewayConnections(stage, environment_of(server))
    return lambda to: sum(one.outcome is PostOutcome.SENT for one in gateway.post(to, EVENT))


def _http_client(server: AwsServer, stage: str) -> Post:
    client = HttpClient(server.endpoint, "execute-api", ssl.create_default_context(cafile=server.pem))

    def post(connection_id: str) -> bool:
        try:
            return client.post(stage, connection_id, EVENT) == 200  # noqa: PLR2004
        except TimeoutError:
            return False

    return _in_threads(post)


def _boto3(server: AwsServer, stage: str) -> Post:
    from botocore.exceptions import BotoCoreError, ClientError

    client: Any = boto3_client("apigatewaymanagementapi", stage, server.pem)

    def post(connection_id: str) -> bool:
        try:
            client.post_to_connection(ConnectionId=connection_id, Data=EVENT)
        except (BotoCoreError, ClientError):
            return False
        return True

    return _in_threads(post)


def _in_threads(post: Callable[[str], bool]) -> Post:
    threads = ThreadPoolExecutor(WIDTH)
    return lambda to: sum(threads.map(post, to))


SUBJECTS: Final[Mapping[str, Callable[[AwsServer, str], Post]]] = {
    OURS: _ours,
    f"http.client {_IN_THREADS}": _http_client,
    f"boto3 {_IN_THREADS}": _boto3,
}


def _repeat(name: str, post: Post, to: Sequence[str], there: int) -> Subject:
    times = max(1, _POSTS // len(to))

    def run() -> None:
        for _ in range(times):
            if (found := post(to)) != there:
                raise SystemExit(f"{name}: {found} posts of {there}")

    return Subject(name, run, times * len(to))


def _timed(server: AwsServer, rounds: int) -> list[Row]:
    """By size and by what a post takes the gateway; and with a tenth of the recipients gone."""
    found: list[Row] = []
    for delay_ms in (0, DELAY_MS):
        posts = {name: make(server, server.stage(delay_ms)) for name, make in SUBJECTS.items()}
        cases = [(f"to {size:,}", ids(size), size) for size in SIZES]
        if not delay_ms:
            cases.append((f"to {_HUNDRED}, a tenth gone", some_of(10, GONE), _HUNDRED - 10))
        for what, to, there in cases:
            subjects = [_repeat(name, post, to, there) for name, post in posts.items()]
            shown = f"{what}, answered after {delay_ms} ms" if delay_ms else what
            found += timed_rows(SUITE, shown, in_turns(subjects, rounds))
    return found


# -- with the CPU of a Lambda -----------------------------------------------------------------------------------------


def _child(name: str, server: AwsServer) -> None:
    """Connects, says that it is ready, waits for a word, and says how many seconds each fan-out took."""
    trust(server.pem)
    post, to = SUBJECTS[name](server, server.stage(DELAY_MS)), ids(_HUNDRED)
    post(to)
    print("ready", flush=True)
    sys.stdin.readline()
    took = []
    for _ in range(_UNDER_QUOTA):
        began = time.monotonic()
        post(to)
        took.append(time.monotonic() - began)
        time.sleep(0.05)  # what a period has left is not saved up
    print(json.dumps(took), flush=True)


def _under_quota(name: str, server: AwsServer) -> list[float]:
    command = [sys.executable, "-m", "benchmarks.fan_out", "--child", name, server.endpoint, server.pem]
    pipe = subprocess.PIPE
    root = Path(__file__).resolve().parents[1]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=root) as child:
        assert child.stdin is not None  # noqa: S101  # for the type checker
        assert child.stdout is not None  # noqa: S101
        child.stdout.readline()
        with held_to(child.pid, MEMORY_MB):
            child.stdin.write("\n")
            child.stdin.flush()
            took: list[float] = json.loads(child.stdout.readline())
    return [one * 1e3 for one in took]


def _throttled(server: AwsServer) -> list[Row]:
    if not IS_POSSIBLE:
        return []
    found = {name: _under_quota(name, server) for name in SUBJECTS}
    what = f"all of {_HUNDRED}, answered after {DELAY_MS} ms, with the CPU of {MEMORY_MB} MB"
    return rows_of(SUITE, what, "ms", found)


# -- where some hang --------------------------------------------------------------------------------------------------


def _hanging(server: AwsServer) -> list[Row]:
    """Once each: boto3 tries three times, for five seconds each."""
    found: list[Row] = []
    for count in HANGING:
        returned, served = {}, {}
        for name, make in SUBJECTS.items():
            server.answered_at()
            began = time.monotonic()
            there = _untold(make(server, server.stage(0)), some_of(count, HANGS))
            returned[name] = [(time.monotonic() - began) * 1e3]
            if there != _HUNDRED - count:
                raise SystemExit(f"{name}: {there} posts of {_HUNDRED - count}")
            served[name] = [(max(server.answered_at()) - began) * 1e3]
        what = f"{count} of {_HUNDRED} {'hangs' if count == 1 else 'hang'}, until"
        found += rows_of(SUITE, f"{what} the others are served", "ms", served)
        found += rows_of(SUITE, f"{what} it returns", "ms", returned)
    return found


def _untold(post: Post, to: Sequence[str]) -> int:
    """An operator would be told of those that fail."""
    logging.disable()
    try:
        with redirect_stdout(StringIO()):
            return post(to)
    finally:
        logging.disable(logging.NOTSET)


def rows(rounds: int) -> list[Row]:
    with aws_server() as server:
        return [*_timed(server, rounds), *_throttled(server), *_hanging(server)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, choices=range(1, 16), metavar="1..15")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        name, endpoint, pem = options.child
        _child(name, AwsServer(endpoint, pem))
        return
    print("\n".join(table(rows(options.rounds))))


if __name__ == "__main__":
    main()
