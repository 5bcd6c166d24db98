from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from urllib.parse import unquote

import pytest

from shared.adapters.aws import transport as http
from shared.adapters.aws.calls import ApiGatewayConnections
from shared.clock import Deadline
from shared.config import AwsEnvironment
from shared.domain.connections import Posted, PostOutcome
from tests.calls import Unslept
from tests.shared.adapters.aws.servers import Received, Reply, ScriptedServer, reply
from tests.shared.adapters.aws.test_sigv4 import ACCESS_KEY, SECRET_KEY, signed_by_botocore
from tests.shared.adapters.conftest import Serve

SENT, GONE, FAILED = PostOutcome.SENT, PostOutcome.GONE, PostOutcome.FAILED


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests where a server hangs; the others have this long to answer, however busy the machine is."""
    monkeypatch.setattr(http, "READ_TIMEOUT_S", 0.4)
    monkeypatch.setattr(http, "KEPT_TIMEOUT_S", 0.4)


def _gateway(
    server: ScriptedServer, *, base: str = "/prod", token: str = "", deadline: Deadline | None = None
) -> ApiGatewayConnections:
    environment = AwsEnvironment("eu-west-1", ACCESS_KEY, SECRET_KEY, token, "")
    return ApiGatewayConnections(server.url + base, environment, deadline=deadline or Unslept())


def _id(request: Received) -> str:
    return unquote(request.path.rpartition("/")[2])


class Statuses:
    """Answers each connection id by its own statuses, in turn; the last one stays, and other ids get 200.

    "hang" and "drop" are no answers.
    """

    def __init__(self, **by_id: int | str | Sequence[int | str]) -> None:
        self._steps = {
            name: iter([steps]) if isinstance(steps, int | str) else iter(steps) for name, steps in by_id.items()
        }
        self._last: dict[str, int | str] = {}
        self._lock = threading.Lock()

    def __call__(self, request: Received) -> Reply:
        name = _id(request)
        with self._lock:
            status = self._last[name] = next(self._steps.get(name, iter(())), self._last.get(name, 200))
        if isinstance(status, str):
            return Reply(then="hang" if status == "hang" else "close")
        return reply(status)


def _outcomes(posted: Iterable[Posted]) -> dict[str, PostOutcome]:
    return {one.connection_id: one.outcome for one in posted}


@pytest.mark.parametrize(
    ("statuses", "outcome", "requests"),
    [
        ([200], SENT, 1),
        ([410], GONE, 1),
        ([400], FAILED, 1),
        ([403], FAILED, 1),
        ([404], FAILED, 1),
        ([413], FAILED, 1),
        ([429, 200], SENT, 2),
        ([500, 200], SENT, 2),
        ([502, 503, 200], SENT, 3),
        ([504, 410], GONE, 2),
        ([429, 403], FAILED, 2),
        ([429], FAILED, 3),
        ([500], FAILED, 3),
        (["drop"], FAILED, 1),
    ],
)
@pytest.mark.parametrize("others", [0, 3], ids=["alone", "among others"])
def test_what_becomes_of_a_post(
    serve: Serve, statuses: list[int | str], outcome: PostOutcome, requests: int, others: int
) -> None:
    server = serve(Statuses(abc=statuses))
    ids = ["abc", *(f"other{n}" for n in range(others))]
    assert list(_gateway(server).post(ids, b"hi")) == [Posted("abc", outcome), *(Posted(one, SENT) for one in ids[1:])]
    assert len(server.received) == requests + others


@pytest.mark.usefixtures("impatient")
def test_a_post_that_gets_no_answer_in_time_fails_and_is_tried_again_only_where_its_connection_was_kept(
    serve: Serve,
) -> None:
    server = serve(Statuses(abc="hang", kept=[500, "hang"]))
    for name, requests in (("abc", 1), ("kept", 3)):
        before = len(server.received)
        assert list(_gateway(server).post([name], b"hi")) == [Posted(name, FAILED)]
        assert len(server.received) - before == requests


def test_nobody_to_post_to_is_no_call(serve: Serve) -> None:
    server = serve(Statuses())
    assert list(_gateway(server).post([], b"hi")) == []
    assert server.accepted == 0


def test_a_refused_endpoint_fails_every_post_and_raises_nothing(serve: Serve) -> None:
    server = serve(Statuses())
    server.close()
    assert _outcomes(_gateway(server).post(["a", "b"], b"hi")) == {"a": FAILED, "b": FAILED}


@pytest.mark.usefixtures("impatient")
def test_dead_hanging_and_throttled_connections_fail_alone_and_the_order_stays(serve: Serve) -> None:
    server = serve(Statuses(a=200, gone=410, b=200, hangs="hang", c=[429, 200], drops="drop", bad=400, d=200))
    ids = ["a", "gone", "b", "hangs", "c", "drops", "bad", "d"]
    posted = _gateway(server).post(ids, b"hi")
    assert [one.connection_id for one in posted] == ids
    assert [one.outcome for one in posted] == [SENT, GONE, SENT, FAILED, SENT, FAILED, FAILED, SENT]


def test_a_hanging_connection_does_not_hold_up_the_others(serve: Serve) -> None:
    delivered = threading.Semaphore(0)

    def script(request: Received) -> Reply:
        if _id(request) == "hangs":  # answers only once all others have been served
            for _ in range(3):
                assert delivered.acquire(timeout=10)
        delivered.release()
        return reply()

    server = serve(script)
    assert set(_outcomes(_gateway(server).post(["hangs", "a", "b", "c"], b"hi")).values()) == {SENT}


def test_more_recipients_than_connections_are_all_served(serve: Serve) -> None:
    server = serve(lambda _: reply())
    ids = [f"c{n}" for n in range(200)]
    posted = _gateway(server).post(ids, b"hi")
    assert list(posted) == [Posted(one, SENT) for one in ids]
    assert server.accepted <= 64


@pytest.mark.parametrize("token", ["", "session/token=="])
@pytest.mark.parametrize("base", ["/prod", "/_aws/execute-api/a1b2/local", "/$default"])
@pytest.mark.parametrize("connection_id", ["abc=", "L0SM9cOFvHcCIhw=", "a/b", "é ü", "%3D", "a-b_c.d~e"])
def test_a_post_is_signed_as_botocore_would_sign_it(serve: Serve, connection_id: str, base: str, token: str) -> None:
    server = serve(lambda _: reply())
    _gateway(server, base=base, token=token).post([connection_id], b'{"type":"ping"}')
    (request,) = server.received
    assert (request.method, request.body) == ("POST", b'{"type":"ping"}')
    assert request.path.startswith(f"{base}/%40connections/")
    assert _id(request) == connection_id
    signed = signed_by_botocore(
        "POST",
        request.path,
        {"host": f"localhost:{server.port}"},
        request.body,
        timestamp=request.headers["x-amz-date"],
        session_token=token,
    )
    assert signed.items() <= request.headers.items()


def test_an_id_of_the_gateway_is_escaped_once(serve: Serve) -> None:
    server = serve(lambda _: reply())
    _gateway(server).post(["abc="], b"")
    assert server.received[0].path == "/prod/%40connections/abc%3D"


@pytest.mark.parametrize("status", [204, 200, 410, 400, 403, 404, 429, 500, "drop"])
def test_closing_is_one_delete_and_never_an_error(serve: Serve, status: int | str) -> None:
    server = serve(Statuses(**{"abc=": status}))
    _gateway(server).close("abc=")
    (request,) = server.received
    assert (request.method, request.path, request.body) == ("DELETE", "/prod/%40connections/abc%3D", b"")
    signed = signed_by_botocore(
        "DELETE", request.path, {"host": f"localhost:{server.port}"}, b"", timestamp=request.headers["x-amz-date"]
    )
    assert signed["authorization"] == request.headers["authorization"]


@pytest.mark.usefixtures("impatient")
def test_closing_what_hangs_is_given_up_without_an_error(serve: Serve) -> None:
    server = serve(Statuses(abc="hang"))
    _gateway(server).close("abc")
    assert len(server.received) == 1


def test_closing_twice_is_as_good_as_once(serve: Serve) -> None:
    server = serve(Statuses(abc=[204, 410]))
    gateway = _gateway(server)
    gateway.close("abc")
    gateway.close("abc")
    assert len(server.received) == 2


def test_closing_at_a_refused_endpoint_is_no_error(serve: Serve) -> None:
    server = serve(Statuses())
    server.close()
    _gateway(server).close("abc")


@pytest.mark.parametrize("ids", [["abc"], ["abc", "other"]])
def test_retries_pause_a_little_longer_each_time(serve: Serve, ids: list[str]) -> None:
    deadline = Unslept()
    _gateway(serve(Statuses(abc=500)), deadline=deadline).post(ids, b"hi")
    assert deadline.pauses == [1, 2]
