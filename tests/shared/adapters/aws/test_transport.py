from __future__ import annotations

import io
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.aws import transport as http
from shared.adapters.aws.transport import Malformed, Pool, Response, TransportError
from tests.shared.adapters.aws.certificates import tls_contexts
from tests.shared.adapters.aws.servers import Received, Reply, ScriptedServer, Then, reply
from tests.shared.adapters.conftest import Serve


def _echo(request: Received) -> Reply:
    return reply(body=request.path.encode())


def _get(pool: Pool, path: str = "/x") -> Response:
    return pool.request("GET", path, {"host": pool.host}, b"")


@pytest.fixture
def quick_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "READ_TIMEOUT_S", 0.05)
    monkeypatch.setattr(http, "CONNECT_TIMEOUT_S", 0.05)
    monkeypatch.setattr(http, "KEPT_TIMEOUT_S", 0.05)


def test_a_request_goes_out_as_given_and_its_answer_comes_back_whole(serve: Serve) -> None:
    server = serve(lambda _: reply(418, b"\x00body", headers="X-Amzn-RequestId: 7\r\n"))
    pool = Pool(server.url + "/base/")
    answer = pool.request("POST", "/base/%40x/a%3D?b=c", {"host": "signed.example:1", "x-one": "1"}, b"\xffdata")
    assert answer.status == 418
    assert answer.body == b"\x00body"
    assert answer.headers["x-amzn-requestid"] == "7"
    (request,) = server.received
    assert (request.method, request.path, request.body) == ("POST", "/base/%40x/a%3D?b=c", b"\xffdata")
    assert request.headers["host"] == "signed.example:1"
    assert request.headers["x-one"] == "1"
    assert request.headers["content-length"] == "5"


def test_the_endpoint_gives_host_and_base_path() -> None:
    pool = Pool("http://localhost:4577/_aws/execute-api/abc/local/")
    assert (pool.host, pool.base_path) == ("localhost:4577", "/_aws/execute-api/abc/local")
    assert Pool("https://dynamodb.eu-west-1.amazonaws.com").base_path == ""


@pytest.mark.parametrize(
    "url",
    ["", "localhost:4577", "//localhost", "ftp://localhost", "http://", "http:///path", "http://localhost:port", "x"],
)
def test_an_endpoint_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Pool(url)


def test_a_connection_is_kept_for_the_next_request(serve: Serve) -> None:
    server = serve(_echo)
    pool = Pool(server.url)
    assert [_get(pool, f"/{n}").body for n in range(5)] == [b"/0", b"/1", b"/2", b"/3", b"/4"]
    assert server.accepted == 1


def test_answers_without_a_body_and_in_chunks_keep_the_connection_too(serve: Serve) -> None:
    answers = {
        "/none": Reply(b"HTTP/1.1 204 No Content\r\n\r\n"),
        "/same": Reply(b"HTTP/1.1 304 Not Modified\r\n\r\n"),
        "/chunks": Reply(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"),
    }
    server = serve(lambda request: answers[request.path])
    pool = Pool(server.url)
    assert [(_get(pool, path).status, _get(pool, path).body) for path in answers] == [
        (204, b""),
        (304, b""),
        (200, b"abc"),
    ]
    assert server.accepted == 1


def test_tls_connections_are_kept_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for_server, for_client = tls_contexts(tmp_path)
    monkeypatch.setattr(http, "tls_context", lambda _: for_client)
    with ScriptedServer(_echo, tls=for_server) as server:
        pool = Pool(server.url)
        assert [_get(pool, f"/{n}").body for n in range(5)] == [b"/0", b"/1", b"/2", b"/3", b"/4"]
        assert server.accepted == 1


def test_a_peer_with_a_certificate_nobody_trusts_gets_no_request(tmp_path: Path) -> None:
    for_server, _ = tls_contexts(tmp_path)
    with ScriptedServer(_echo, tls=for_server) as server:
        with pytest.raises(TransportError):
            _get(Pool(server.url))
        assert server.received == []


def test_a_kept_connection_that_the_peer_has_closed_is_replaced_and_nothing_sent_twice(serve: Serve) -> None:
    server = serve(lambda request: reply(body=request.path.encode(), then="close"))
    pool = Pool(server.url)
    _get(pool, "/first")
    server.wait_ended(1)
    assert _get(pool, "/second").body == b"/second"
    assert [request.path for request in server.received] == ["/first", "/second"]


@pytest.mark.parametrize("then", ["close", "reset"])
def test_a_kept_connection_that_is_closed_under_a_request_is_replaced_once(serve: Serve, then: Then) -> None:
    def script(request: Received) -> Reply:
        is_last_of_first_connection = request.connection == 0 and request.path == "/second"
        return Reply(then=then) if is_last_of_first_connection else _echo(request)

    server = serve(script)
    pool = Pool(server.url)
    _get(pool, "/first")
    assert _get(pool, "/second").body == b"/second"
    assert [(request.connection, request.path) for request in server.received] == [
        (0, "/first"),
        (0, "/second"),
        (1, "/second"),
    ]


def test_a_replacement_that_is_closed_as_well_is_an_error(serve: Serve) -> None:
    server = serve(lambda request: _echo(request) if request.path == "/first" else Reply(then="close"))
    pool = Pool(server.url)
    _get(pool, "/first")
    with pytest.raises(TransportError):
        _get(pool, "/second")
    assert len(server.received) == 3
    assert not pool._idle


def test_a_new_connection_that_is_closed_under_its_request_is_an_error_at_once(serve: Serve) -> None:
    server = serve(lambda _: Reply(then="close"))
    with pytest.raises(TransportError):
        _get(Pool(server.url))
    assert len(server.received) == 1


def test_all_that_went_stale_while_the_function_was_frozen_are_dropped_by_the_next_request(serve: Serve) -> None:
    together = threading.Barrier(4)

    def script(request: Received) -> Reply:
        if request.path == "/again":
            return _echo(request)
        together.wait(timeout=10)
        return reply(then="close")

    server = serve(script)
    pool = Pool(server.url)
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: _get(pool, "/together"), range(4)))
    server.wait_ended(4)
    assert _get(pool, "/again").body == b"/again"
    assert server.accepted == 5
    assert len(pool._idle) == 1


@pytest.mark.parametrize(
    "answer",
    [
        reply(headers="Connection: close\r\n"),
        Reply(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"),
        Reply(b"HTTP/1.1 200 OK\r\n\r\n{}", then="close"),  # a body that ends where the connection does
    ],
)
def test_a_connection_that_the_peer_will_not_keep_is_not_kept(serve: Serve, answer: Reply) -> None:
    server = serve(lambda _: answer)
    pool = Pool(server.url)
    for _ in range(2):
        assert _get(pool).body == b"{}"
        assert not pool._idle
    assert server.accepted == 2


@pytest.mark.usefixtures("quick_timeouts")
@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n{}"]
)
def test_an_answer_that_does_not_come_or_does_not_end_is_an_error_after_the_timeout(serve: Serve, said: bytes) -> None:
    server = serve(lambda _: Reply(said, then="hang"))
    pool = Pool(server.url)
    with pytest.raises(TransportError) as lost:
        _get(pool)
    assert isinstance(lost.value.__cause__, TimeoutError)
    assert len(server.received) == 1
    assert not pool._idle


@pytest.mark.usefixtures("quick_timeouts")
def test_a_kept_connection_that_times_out_is_replaced_once(serve: Serve) -> None:
    server = serve(lambda request: _echo(request) if request.path == "/first" else Reply(then="hang"))
    pool = Pool(server.url)
    _get(pool, "/first")
    with pytest.raises(TransportError):
        _get(pool, "/second")
    assert [request.path for request in server.received] == ["/first", "/second", "/second"]
    assert not pool._idle


@pytest.fixture
def full_backlog() -> Iterator[int]:
    """A port without an accepting server, and where the kernel takes no further connections."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(3):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.mark.usefixtures("quick_timeouts")
def test_a_peer_that_does_not_accept_is_an_error_after_the_timeout(full_backlog: int) -> None:
    with pytest.raises(TransportError) as lost:
        _get(Pool(f"http://127.0.0.1:{full_backlog}"))
    assert isinstance(lost.value.__cause__, TimeoutError)


def test_the_timeouts_are_as_short_as_one_region_allows() -> None:
    assert http.CONNECT_TIMEOUT_S <= 1
    assert http.READ_TIMEOUT_S <= 5


def test_a_refused_connection_is_an_error(serve: Serve) -> None:
    server = serve(_echo)
    server.close()
    with pytest.raises(TransportError) as lost:
        _get(Pool(server.url))
    assert isinstance(lost.value.__cause__, ConnectionRefusedError)


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\r\n",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        b"HTTP/3 200 OK\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.0\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
    ],
    ids=lambda garbage: repr(garbage[:40]),
)
def test_what_is_no_whole_answer_is_an_error_and_its_connection_gone(serve: Serve, garbage: bytes) -> None:
    server = serve(lambda _: Reply(garbage, then="close"))
    pool = Pool(server.url)
    with pytest.raises(TransportError) as lost:
        _get(pool)
    assert isinstance(lost.value.__cause__, OSError | Malformed)
    assert not pool._idle


@given(answer=st.binary(max_size=60) | st.binary(max_size=60).map(lambda tail: b"HTTP/1.1 200 OK\r\n" + tail))
@settings(max_examples=60)
def test_whatever_a_peer_says_is_an_answer_or_a_transport_error(answer: bytes) -> None:
    with ScriptedServer(lambda _: Reply(answer, then="close")) as server:
        pool = Pool(server.url)
        try:
            _get(pool)
        except TransportError:
            assert not pool._idle
        while pool._idle:
            pool._idle.pop().close()


_NOT_ASKED_FOR = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong"


@pytest.mark.parametrize(
    "extra", [_NOT_ASKED_FOR, b"\r\n", b"x" * 20_000, b"HTTP/1.1 408 Too slow\r\n\r\n" + b"y" * 9_000]
)
def test_what_a_peer_says_unasked_never_passes_for_the_next_answer(serve: Serve, extra: bytes) -> None:
    server = serve(lambda request: Reply(_echo(request).data + extra))
    pool = Pool(server.url)
    assert [_get(pool, f"/{n}").body for n in range(4)] == [b"/0", b"/1", b"/2", b"/3"]


def test_what_a_peer_says_between_two_requests_never_passes_for_an_answer(serve: Serve) -> None:
    first, goodbye_said = threading.Event(), threading.Event()

    def script(request: Received) -> Reply:
        if request.path == "/first":
            first.set()
        return _echo(request)

    server = serve(script)
    pool = Pool(server.url)
    _get(pool, "/first")
    assert first.wait(timeout=10)
    server._sockets[0].sendall(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlate")
    goodbye_said.set()
    assert _get(pool, "/second").body == b"/second"
    assert server.accepted == 2


def test_unasked_input_is_seen_behind_tls_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for_server, for_client = tls_contexts(tmp_path)
    monkeypatch.setattr(http, "tls_context", lambda _: for_client)

    def script(request: Received) -> Reply:
        # The reader takes 8 KB of one TLS record; what is left of it is decrypted already, and the socket is silent.
        head = len(reply(body=b"x" * 8_000).data) - 8_000
        body = request.path.encode().ljust(io.DEFAULT_BUFFER_SIZE - head)
        return Reply(reply(body=body).data + _NOT_ASKED_FOR)

    with ScriptedServer(script, tls=for_server) as server:
        pool = Pool(server.url)
        assert [_get(pool, f"/{n}").body.strip() for n in range(3)] == [b"/0", b"/1", b"/2"]


def test_interim_answers_are_passed_over(serve: Serve) -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    server = serve(lambda request: Reply(interim + _echo(request).data))
    pool = Pool(server.url)
    assert [_get(pool, "/a").body, _get(pool, "/b").body] == [b"/a", b"/b"]
    assert server.accepted == 1


def test_threads_never_share_a_connection_and_each_gets_its_own_answer(serve: Serve) -> None:
    server = serve(_echo)
    pool = Pool(server.url)
    paths = [f"/{n}" for n in range(200)]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda path: _get(pool, path).body.decode(), paths))
    assert answers == paths
    assert server.accepted == len(pool._idle) <= 8
