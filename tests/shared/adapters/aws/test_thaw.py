"""A Lambda that slept: its kept sockets are dropped, silent, reset or closed, and the next call costs next to nothing.

What a call costs is counted: one silent socket is waited for once, for `KEPT_TIMEOUT_S`, whatever else was kept.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from shared.adapters.aws import transport
from shared.adapters.aws.calls import ApiGatewayConnections
from shared.adapters.aws.s3 import S3Objects, s3
from shared.adapters.aws.scheduler import scheduler
from shared.adapters.aws.secrets_manager import secrets_manager
from shared.adapters.aws.sqs import sqs
from shared.adapters.aws.transport import KEPT_TIMEOUT_S, MOST_IDLE_S, Pool, TransportError
from shared.adapters.dynamodb.client import dynamodb
from shared.clock import HANDSHAKE_S, Deadline
from shared.config import AwsEnvironment
from shared.domain.connections import PostOutcome
from shared.errors import Unavailable
from tests.calls import Unslept
from tests.shared.adapters.aws.servers import Received, Reply, ScriptedServer, Then, reply
from tests.shared.adapters.conftest import Serve

KEPT = 4
FATES: list[Then] = ["hang", "reset", "close"]
_FATE = pytest.mark.parametrize("fate", FATES)


@pytest.fixture(autouse=True)
def _awake_and_impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport._Sleep, "noticed_at", float("-inf"))
    monkeypatch.setattr(transport, "KEPT_TIMEOUT_S", 0.1)


@dataclass
class Sleeper:
    """A server whose first `KEPT` connections answer once, all at the same time, and then are as good as dead."""

    fate: Then
    together: threading.Barrier = field(default_factory=lambda: threading.Barrier(KEPT))
    served: set[int] = field(default_factory=set)

    def __call__(self, request: Received) -> Reply:
        if request.connection >= KEPT:
            return reply()
        if request.connection in self.served:
            return Reply(then=self.fate)
        self.served.add(request.connection)
        self.together.wait(timeout=10)
        return reply()


def environment(server: ScriptedServer) -> AwsEnvironment:
    return AwsEnvironment("eu-west-1", "AKID", "secret", "", server.url)


def gateway(server: ScriptedServer) -> tuple[Pool, Callable[[], object]]:
    connections = ApiGatewayConnections(server.url, environment(server))

    def post() -> None:
        assert [posted.outcome for posted in connections.post(["a"], b"")] == [PostOutcome.SENT]

    return connections._pool, post


def service(make: Callable[..., Any], operation: str) -> Callable[[ScriptedServer], tuple[Pool, Callable[[], object]]]:
    def made(server: ScriptedServer) -> tuple[Pool, Callable[[], object]]:
        one = make(environment(server))
        return one._pool, lambda: one.call(operation, {})

    return made


POOLS = {
    "dynamodb": service(dynamodb, "GetItem"),
    "sqs": service(sqs, "SendMessage"),
    "secrets manager": service(secrets_manager, "GetSecretValue"),
    "gateway": gateway,
}
_POOL = pytest.mark.parametrize("pool", POOLS)


def filled(call: Callable[[], object]) -> None:
    """As many connections as calls at a time, all of them kept."""
    with ThreadPoolExecutor(KEPT) as threads:
        for done in [threads.submit(call) for _ in range(KEPT)]:
            done.result()


@_POOL
@_FATE
def test_the_next_call_meets_at_most_one_dead_socket_and_connects_anew(serve: Serve, pool: str, fate: Then) -> None:
    server = serve(Sleeper(fate))
    kept, call = POOLS[pool](server)
    filled(call)
    assert len(kept._idle) == KEPT
    call()
    assert len(server.received) == KEPT + 2  # one that was lost, and the same once more
    assert server.accepted == KEPT + 1
    assert transport.READ_TIMEOUT_S > 1 > KEPT_TIMEOUT_S
    if fate == "hang":
        assert len(kept._idle) == 1  # the silent ones' companions are not tried one after the other


@_POOL
def test_a_socket_that_the_peer_has_closed_meanwhile_costs_not_even_a_request(serve: Serve, pool: str) -> None:
    together = threading.Barrier(KEPT)

    def script(request: Received) -> Reply:
        if request.connection >= KEPT:
            return reply()
        together.wait(timeout=10)
        return reply(then="close")

    server = serve(script)
    _, call = POOLS[pool](server)
    filled(call)
    server.wait_ended(KEPT)
    call()
    assert (len(server.received), server.accepted) == (KEPT + 1, KEPT + 1)


@dataclass
class Clocks:
    wall: float = 1_795_431_200.0
    monotonic: float = 50.0

    def __call__(self) -> tuple[float, float]:
        return self.wall, self.monotonic

    def pass_by(self, wall: float, monotonic: float) -> None:
        self.wall += wall
        self.monotonic += monotonic


def get(pool: Pool) -> None:
    assert pool.request("GET", "/", {"host": pool.host}, b"").status == 200


SLEPT = MOST_IDLE_S + 0.1


@pytest.mark.parametrize(
    ("wall", "monotonic", "is_used"),
    [
        (0.0, 0.0, True),
        (MOST_IDLE_S, MOST_IDLE_S, True),
        (SLEPT, 0.0, False),  # frozen: the monotonic clock stood still
        (0.0, SLEPT, False),  # the wall clock was set back meanwhile
        (SLEPT, SLEPT, False),
        (-SLEPT, 0.0, False),
    ],
)
def test_what_was_idle_for_long_by_either_clock_is_closed_unused(
    serve: Serve, wall: float, monotonic: float, is_used: bool
) -> None:
    server = serve(lambda _: reply())
    clocks = Clocks()
    pool = Pool(server.url, clocks=clocks)
    get(pool)
    clocks.pass_by(wall, monotonic)
    get(pool)
    assert server.accepted == (1 if is_used else 2)
    assert len(pool._idle) == 1


def test_all_below_one_that_is_too_old_go_with_it(serve: Serve) -> None:
    server = serve(Sleeper("hang"))
    clocks = Clocks()
    pool = Pool(server.url, clocks=clocks)
    filled(lambda: get(pool))
    clocks.pass_by(SLEPT, 0.0)
    get(pool)
    assert len(server.received) == KEPT + 1
    assert len(pool._idle) == 1


def test_one_silent_socket_tells_of_those_that_were_idle_beside_it_in_every_pool(serve: Serve) -> None:
    """A handshake calls three services: it waits for one of them, not for each in turn."""
    servers = {name: serve(Sleeper("hang")) for name in POOLS}
    made = {name: POOLS[name](server) for name, server in servers.items()}
    for _, call in made.values():
        filled(call)
    for _, call in made.values():
        call()
    silent = {name: len(server.received) - KEPT - 1 for name, server in servers.items()}
    assert silent == {"dynamodb": 1, "sqs": 0, "secrets manager": 0, "gateway": 0}


def test_what_was_used_since_a_silence_is_used_again(serve: Serve) -> None:
    server = serve(Sleeper("hang"))
    pool, call = POOLS["dynamodb"](server)
    filled(call)
    for _ in range(5):
        call()
    assert server.accepted == KEPT + 1
    assert len(pool._idle) == 1


def test_a_new_connection_has_all_the_time_there_is_and_so_has_the_rest_of_an_answer_that_began(serve: Serve) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
    waited = threading.Event()

    def script(request: Received) -> Reply:
        if request.path == "/late":
            waited.wait(timeout=0.3)
        return Reply(head + b"{}", slowly=len(head) if request.path == "/slow" else 0, pause_s=0.3)

    server = serve(script)
    pool = Pool(server.url)
    for path in ("/late", "/slow", "/"):
        assert pool.request("GET", path, {"host": pool.host}, b"").body == b"{}"
    assert (len(server.received), server.accepted) == (3, 1)


def test_where_the_callers_time_is_over_a_silent_socket_is_not_replaced(serve: Serve) -> None:
    now = [0.0]
    deadline = Deadline(HANDSHAKE_S, grace_s=0, monotonic=lambda: now[0], sleep=lambda _: None)
    server = serve(Sleeper("hang"))
    one = dynamodb(environment(server), deadline)
    filled(lambda: one.call("GetItem", {}))
    deadline.begin()
    response = one._pool.response

    def slow(*arguments: Any) -> Any:
        try:
            return response(*arguments)
        except TransportError:
            now[0] += HANDSHAKE_S + 0.1
            raise

    one._pool.response = slow  # type: ignore[method-assign,assignment]
    with pytest.raises(Unavailable):
        one.call("GetItem", {})
    assert (len(server.received), server.accepted) == (KEPT + 1, KEPT)


@pytest.fixture(params=["s3", "scheduler"])
def cold(request: pytest.FixtureRequest, serve: Serve) -> Iterator[tuple[ScriptedServer, Callable[[], object]]]:
    """A cold service whose connections answer once and are silent then, and a call of it."""
    served: set[int] = set()

    def script(received: Received) -> Reply:
        if received.connection in served:
            return Reply(then="hang")
        served.add(received.connection)
        return reply(headers="ETag: 1\r\n")

    server = serve(script)
    if request.param == "s3":
        objects = S3Objects(s3(environment(server), Unslept()), bucket="files")
        yield server, lambda: objects.look_at_upload("one")
    else:
        schedules = scheduler(environment(server), Unslept())
        yield server, lambda: schedules.call(lambda client: client.get_schedule(Name="one"))


def test_boto3_keeps_no_socket_from_one_call_to_the_next(
    cold: tuple[ScriptedServer, Callable[[], object]],
) -> None:
    server, call = cold
    for _ in range(3):
        call()
    assert (len(server.received), server.accepted) == (3, 3)


def test_a_call_beside_another_one_is_not_cut_off_by_its_end(serve: Serve) -> None:
    first_is_done = threading.Event()

    def script(received: Received) -> Reply:
        if "slow" in received.path:
            first_is_done.wait(timeout=10)
        return reply()

    server = serve(script)
    schedules = scheduler(environment(server), Unslept())
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(schedules.call, lambda client: cast("Any", client).get_schedule(Name="slow"))
        schedules.call(lambda client: client.get_schedule(Name="quick"))
        first_is_done.set()
        slow.result()
    assert len(server.received) == 2
