"""Posts to many connections from one thread: whoever hangs, drips or is throttled holds up nobody, and not for long."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

import pytest

from shared.adapters.aws import calls, transport
from shared.adapters.aws.calls import ApiGatewayConnections, Post, SideBySide
from shared.adapters.aws.transport import KEPT_TIMEOUT_S
from shared.clock import Deadline
from shared.config import AwsEnvironment
from shared.domain.connections import PostOutcome
from tests.calls import Unslept
from tests.shared.adapters.aws.servers import Received, Reply, ScriptedServer, reply
from tests.shared.adapters.conftest import Serve

SENT, GONE, FAILED = PostOutcome.SENT, PostOutcome.GONE, PostOutcome.FAILED
NOWHERE = AwsEnvironment("eu-west-1", "key", "secret", "", "")


def gateway(
    server: ScriptedServer, *, fan_out_ms: float = 10_000, deadline: Deadline | None = None
) -> ApiGatewayConnections:
    return ApiGatewayConnections(server.url, NOWHERE, deadline=deadline or Unslept(), fan_out_ms=fan_out_ms)


def name_of(request: Received) -> str:
    return unquote(request.path.rpartition("/")[2])


def outcomes(posting: ApiGatewayConnections, ids: Sequence[str]) -> dict[str, PostOutcome]:
    posted = posting.post(ids, b"hi")
    assert [one.connection_id for one in posted] == list(ids)
    return {one.connection_id: one.outcome for one in posted}


def of_kind(kind: str, count: int, *, of: int) -> list[str]:
    """Ids of so many, spread among the others."""
    step = of // count
    return [f"{kind}{n}" if n % step == 0 and n // step < count else f"healthy{n}" for n in range(of)]


def trouble(request: Received) -> Reply:
    """By what an id begins with."""
    name = name_of(request)
    if name.startswith("hangs"):
        return Reply(then="hang")
    if name.startswith("drips"):
        return Reply(reply(body=b"x" * 100_000).data, slowly=1)
    if name.startswith("drops"):
        return Reply(then="reset")
    return reply(410 if name.startswith("gone") else 429 if name.startswith("busy") else 200)


@pytest.mark.parametrize("ids", [["hangs"], ["hangs", "healthy"]])
def test_a_post_ends_with_its_time_whoever_hangs(serve: Serve, ids: list[str]) -> None:
    found = outcomes(gateway(serve(trouble), fan_out_ms=150), ids)
    assert found == {one: FAILED if one == "hangs" else SENT for one in ids}


@dataclass
class Patient:
    """Answers those that hang once all the others are served."""

    others: int
    served: set[str] = field(default_factory=set)
    all_served: threading.Event = field(default_factory=threading.Event)

    def __call__(self, request: Received) -> Reply:
        name = name_of(request)
        if name.startswith("hangs"):
            assert self.all_served.wait(timeout=20)
            return reply()
        self.served.add(name)
        if len(self.served) == self.others:
            self.all_served.set()
        return trouble(request)


@pytest.mark.parametrize(("count", "of"), [(1, 30), (20, 100), (60, 100)])
def test_whoever_hangs_holds_up_nobody(serve: Serve, count: int, of: int) -> None:
    """They are answered after the others: else none would come to an end."""
    ids = of_kind("hangs", count, of=of)
    assert set(outcomes(gateway(serve(Patient(of - count)), fan_out_ms=20_000), ids).values()) == {SENT}


def test_whoever_drips_holds_up_nobody(serve: Serve) -> None:
    ids = of_kind("drips", 50, of=100)
    found = outcomes(gateway(serve(trouble), fan_out_ms=3_000), ids)
    assert found == {one: FAILED if one.startswith("drips") else SENT for one in ids}


def test_where_more_hang_than_there_may_be_connections_some_are_given_up_for_the_others(serve: Serve) -> None:
    script = Patient(40)
    posted = gateway(serve(script), fan_out_ms=20_000).post(
        [*(f"hangs{n}" for n in range(80)), *(f"healthy{n}" for n in range(40))], b"hi"
    )
    assert script.all_served.wait(timeout=20)
    assert {one.outcome for one in posted[:32]} == {FAILED}


def test_every_kind_of_trouble_at_once(serve: Serve) -> None:
    kinds = {"healthy": SENT, "gone": GONE, "busy": FAILED, "drops": FAILED, "hangs": FAILED, "drips": FAILED}
    ids = [f"{kind}{n}" for n in range(10) for kind in kinds]
    found = outcomes(gateway(serve(trouble), fan_out_ms=2_500), ids)
    assert found == {one: kinds[one.rstrip("0123456789")] for one in ids}


@pytest.fixture
def widths(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many posts are under way, each time that one begins."""
    noted: list[int] = []
    send = SideBySide._send

    def noting(side_by_side: SideBySide[Post], *arguments: object, **keywords: object) -> None:
        send(side_by_side, *arguments, **keywords)  # type: ignore[arg-type,misc]
        noted.append(len(side_by_side._asked))

    monkeypatch.setattr(SideBySide, "_send", noting)
    return noted


def test_it_begins_with_32_connections_and_takes_64_at_most(serve: Serve, widths: list[int]) -> None:
    found = outcomes(gateway(serve(trouble), fan_out_ms=500), [f"hangs{n}" for n in range(200)])
    assert set(found.values()) == {FAILED}
    assert max(widths) == 64
    assert widths[31] == 32


def test_as_long_as_answers_come_there_are_no_more_connections(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "_IDLE_S", 5.0)
    server = serve(trouble)
    assert set(outcomes(gateway(server), [f"healthy{n}" for n in range(300)]).values()) == {SENT}
    assert server.accepted == 32


def test_posts_begin_in_their_order(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "_FIRST_WIDTH", 1)
    monkeypatch.setattr(calls, "_MOST_WIDTH", 1)
    server = serve(trouble)
    ids = [f"healthy{n}" for n in range(20)]
    outcomes(gateway(server), ids)
    assert [name_of(one) for one in server.received] == ids
    assert server.accepted == 1


def test_events_reach_each_recipient_in_the_order_of_their_posts(serve: Serve) -> None:
    """Also where a post hangs: it is over before the next one begins."""
    server = serve(lambda request: trouble(request) if request.body == b"1" else reply())
    posting = gateway(server, fan_out_ms=200)
    ids = ["hangs", "a", "b"]
    for number in range(4):
        posting.post(ids, str(number).encode())
    for one in ids:
        assert [got.body for got in server.received if name_of(got) == one] == [b"0", b"1", b"2", b"3"]


def test_a_throttled_post_waits_for_its_next_attempt_and_the_others_do_not(serve: Serve) -> None:
    """Its pause lasts until all others are served."""
    others, is_served = 50, threading.Event()

    class Waiting(Unslept):
        def delay_s(self, attempt: int) -> float:
            return 0.0 if is_served.is_set() else 0.05

    def script(request: Received) -> Reply:
        if name_of(request) != "busy":
            if len({name_of(one) for one in server.received} - {"busy"}) == others:
                is_served.set()
            return reply()
        return reply() if is_served.is_set() else reply(429)

    server = serve(script)
    ids = ["busy", *(f"healthy{n}" for n in range(others))]
    assert set(outcomes(gateway(server, deadline=Waiting()), ids).values()) <= {SENT, FAILED}
    assert is_served.is_set()


def test_where_the_invocation_has_no_time_for_another_attempt_there_is_none(serve: Serve) -> None:
    deadline = Deadline(0.1, backoff_s=lambda _: 0.0)
    deadline.begin()
    server = serve(trouble)
    assert outcomes(gateway(server, deadline=deadline), ["busy", "healthy"]) == {"busy": FAILED, "healthy": SENT}
    assert len(server.received) == 2


# -- after a sleep ----------------------------------------------------------------------------------------------------


@dataclass
class Sleepy:
    """Each of the first connections answers one request, and is as good as dead then."""

    first: int
    fate: str = "hang"
    served: set[int] = field(default_factory=set)

    def __call__(self, request: Received) -> Reply:
        if request.connection >= self.first:
            return reply()
        if request.connection in self.served:
            return Reply(then=self.fate)  # type: ignore[arg-type]
        self.served.add(request.connection)
        return reply()


@pytest.fixture
def awake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport._Sleep, "noticed_at", float("-inf"))
    monkeypatch.setattr(transport, "KEPT_TIMEOUT_S", 0.1)


@pytest.mark.usefixtures("awake")
@pytest.mark.parametrize("fate", ["hang", "close", "reset"])
@pytest.mark.parametrize("count", [2, 32, 100])
def test_kept_connections_that_are_dead_cost_no_post(serve: Serve, fate: str, count: int) -> None:
    script = Sleepy(0, fate)
    server = serve(script)
    posting = gateway(server)
    ids = [f"healthy{n}" for n in range(count)]
    for _ in range(2):  # the second time over connections that were kept
        assert set(outcomes(posting, ids).values()) == {SENT}
    script.first, script.served = server.accepted, set(range(server.accepted))
    assert set(outcomes(posting, ids).values()) == {SENT}


@pytest.mark.usefixtures("awake")
def test_one_that_hangs_takes_no_connection_from_those_that_have_answered_since(serve: Serve) -> None:
    """Else each event to a group with a recipient that hangs would cost as many handshakes as the group has members."""
    server = serve(trouble)
    posting = gateway(server, fan_out_ms=500)
    ids = ["hangs", *(f"healthy{n}" for n in range(20))]
    posting.post([one for one in ids if one != "hangs"], b"hi")
    for _ in range(3):
        outcomes(posting, ids)
    before = server.accepted
    outcomes(posting, ids[1:])
    assert server.accepted == before
    assert KEPT_TIMEOUT_S < 1
