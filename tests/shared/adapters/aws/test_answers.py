"""What comes over a connection as an answer: however it is cut, however slowly it drips, and whatever it is."""

from __future__ import annotations

import itertools
import re
import socket
from collections.abc import Iterable, Iterator
from contextlib import closing
from http.client import HTTPResponse
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.aws import transport
from shared.adapters.aws.dialling import Connection
from shared.adapters.aws.transport import (
    MOST_BODY,
    MOST_FIELDS,
    MOST_HEAD,
    Answer,
    Exchange,
    Headers,
    Malformed,
    Pool,
    TransportError,
    header_lines,
)
from tests.shared.adapters.aws.certificates import tls_contexts
from tests.shared.adapters.aws.servers import Received, Reply, ScriptedServer, reply
from tests.shared.adapters.conftest import Serve

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


def fed(pieces: Iterable[bytes], *, is_bodiless: bool = False) -> Answer:
    """The answer that these are, together; the connection ends behind them."""
    answer = Answer(is_bodiless=is_bodiless)
    for piece in (*pieces, b""):
        if answer.feed(piece):
            return answer
    raise AssertionError("it neither ended nor failed")


def read(data: bytes, *, is_bodiless: bool = False) -> tuple[int, bytes, bool]:
    answer = fed([data], is_bodiless=is_bodiless)
    return answer.response.status, answer.response.body, answer.is_last


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (OK + b"Content-Length: 2\r\n\r\n{}", (200, b"{}", False)),
        (OK + b"content-length:2 \r\n\r\n{}", (200, b"{}", False)),
        (OK + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}", (200, b"{}", False)),
        (OK + b"Content-Length: 2, 2\r\n\r\n{}", (200, b"{}", False)),
        (OK + b"Content-Length: 002\r\n\r\n{}", (200, b"{}", False)),
        (b"HTTP/1.1 500\r\nContent-Length: 0\r\n\r\n", (500, b"", False)),
        (b"HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n", (404, b"", False)),
        (b"HTTP/1.1 404 N\xe4 so was\r\nContent-Length: 0\r\n\r\n", (404, b"", False)),
        (OK + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}", (200, b"{}", True)),
        (OK + b"Connection: Keep-Alive, CLOSE\r\nContent-Length: 2\r\n\r\n{}", (200, b"{}", True)),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", (200, b"{}", True)),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}", (200, b"{}", True)),
        (OK + b"\r\nto the end", (200, b"to the end", True)),
        (OK + b"Content-Length: 2\r\n\r\n{}HTTP/1.1 200", (200, b"{}", True)),
        (b"HTTP/1.1 204 No\r\n\r\n", (204, b"", False)),
        (b"HTTP/1.1 204 No\r\nContent-Length: 9\r\n\r\n", (204, b"", False)),
        (b"HTTP/1.1 304 No\r\nContent-Length: 9\r\n\r\n", (304, b"", False)),
        (b"HTTP/1.1 304 No\r\nTransfer-Encoding: chunked\r\n\r\n", (304, b"", False)),
        (b"HTTP/1.1 204 No\r\n\r\nbody", (204, b"", True)),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 0\r\n\r\n", (200, b"", False)),
        (
            b"HTTP/1.1 103 Hints\r\nContent-Length: 5\r\n\r\n" * 3 + OK + b"Content-Length: 1\r\n\r\nx",
            (200, b"x", False),
        ),
        (CHUNKED + b"0\r\n\r\n", (200, b"", False)),
        (CHUNKED + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", (200, b"abc", False)),
        (CHUNKED + b"2;a=b\r\nab\r\n00A ;x\r\n0123456789\r\n000\r\nX-Sum: 1\r\n\r\n", (200, b"ab0123456789", False)),
        (CHUNKED + b"1\r\na\r\n0\r\n\r\nmore", (200, b"a", True)),
        (OK + b"Transfer-Encoding: CHUNKED\r\nConnection: close\r\n\r\n0\r\n\r\n", (200, b"", True)),
    ],
)
def test_an_answer_is_the_same_however_it_comes(data: bytes, found: tuple[int, bytes, bool]) -> None:
    assert read(data) == found
    for pieces in ([data[:at], data[at:]] for at in range(1, len(data))):
        assert fed(pieces).response.body == found[1]
    by_bytes = fed([data[at : at + 1] for at in range(len(data))])
    assert (by_bytes.response.status, by_bytes.response.body) == found[:2]


def test_an_answer_to_head_ends_with_its_head() -> None:
    assert read(OK + b"Content-Length: 5\r\n\r\n", is_bodiless=True) == (200, b"", False)
    assert read(CHUNKED, is_bodiless=True) == (200, b"", False)
    assert read(OK + b"Content-Length: 5\r\n\r\nagain", is_bodiless=True) == (200, b"", True)


def test_headers_are_found_by_lower_case_and_repeated_ones_stand_together() -> None:
    said = fed([OK + b"X-One: a\r\nx-one:\tb \r\nEmpty:\r\nContent-Length: 0\r\n\r\n"]).response.headers
    assert said == {"x-one": "a, b", "empty": "", "content-length": "0"}


MALFORMED = [
    b"HTTP/2 200 OK\r\n\r\n",
    b"HTTP/1.2 200 OK\r\n\r\n",
    b"http/1.1 200 OK\r\n\r\n",
    b"HTTP/1.1  200 OK\r\n\r\n",
    b"HTTP/1.1 20 OK\r\n\r\n",
    b"HTTP/1.1 2000 OK\r\n\r\n",
    b"HTTP/1.1 +20 OK\r\n\r\n",
    b"HTTP/1.1 099 OK\r\n\r\n",
    b"HTTP/1.1 101 Switching\r\n\r\n",
    b"\r\nHTTP/1.1 200 OK\r\n\r\n",
    b" HTTP/1.1 200 OK\r\n\r\n",
    OK + b"No colon\r\n\r\n",
    OK + b": no name\r\n\r\n",
    OK + b"Name : space\r\n\r\n",
    OK + b" Folded: name\r\n\r\n",
    OK + b"One: a\r\n folded\r\n\r\n",
    OK + b"One: a\nTwo: b\r\n\r\n",
    OK + b"One: a\rb\r\n\r\n",
    OK + b"One: a\x00b\r\n\r\n",
    OK + b"N\xe4me: a\r\n\r\n",
    OK + b"Content-Length: \r\n\r\n",
    OK + b"Content-Length: -1\r\n\r\n",
    OK + b"Content-Length: +1\r\n\r\n",
    OK + b"Content-Length: 1e1\r\n\r\n",
    OK + b"Content-Length: \xb2\r\n\r\n",
    OK + b"Content-Length: 1_0\r\n\r\n",
    OK + b"Content-Length: 0x1\r\n\r\n",
    OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
    OK + b"Content-Length: 1, 2\r\n\r\n",
    OK + b"Content-Length: 1,\r\n\r\n",
    OK + b"Content-Length: %d\r\n\r\n" % (MOST_BODY + 1),
    OK + b"Content-Length: " + b"9" * 5_000 + b"\r\n\r\n",
    OK + b"Transfer-Encoding: gzip\r\n\r\n",
    OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n",
    OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
    OK + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    CHUNKED + b"\r\n",
    CHUNKED + b"g\r\n",
    CHUNKED + b"-1\r\n",
    CHUNKED + b"0x1\r\na\r\n",
    CHUNKED + b" 1\r\na\r\n",
    CHUNKED + b"1\r\nab\r\n",
    CHUNKED + b"1\nab\r\n0\r\n\r\n",
    CHUNKED + b"123456789\r\n",
    CHUNKED + b"%x\r\n" % (MOST_BODY + 1),
    CHUNKED + b"1;" + b"x" * 5_000,
    CHUNKED + b"0\r\nno trailer\r\n\r\n",
    CHUNKED + b"0\r\n" + b"X-Trailer: 1\r\n" * 4_000 + b"\r\n",
    OK + b"x: y\r\n" * (MOST_FIELDS + 1) + b"\r\n",
    OK + b"x: " + b"y" * MOST_HEAD + b"\r\n\r\n",
    OK + b"x: " + b"y" * MOST_HEAD,
    b"HTTP/1.1 100 Continue\r\n\r\n" * 2_000,
]


@pytest.mark.parametrize("data", MALFORMED, ids=lambda data: repr(data[:60]))
def test_what_is_no_answer_is_refused_whole_and_in_pieces(data: bytes) -> None:
    with pytest.raises(Malformed):
        fed([data])
    size = 1 if len(data) < 2_000 else 997
    with pytest.raises(Malformed):
        fed([data[at : at + size] for at in range(0, len(data), size)])


@pytest.mark.parametrize(
    "data",
    [
        OK + b"Content-Length: 10\r\n\r\nshort",
        CHUNKED + b"5\r\nabcde\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"X-One: 1\r\nContent-Length: 2\r\n\r\n{}",
    ],
)
def test_an_answer_that_is_cut_off_anywhere_is_none(data: bytes) -> None:
    for at in range(len(data) - (0 if b"short" in data else 1)):
        with pytest.raises(ConnectionResetError):
            fed([data[:at]])


@st.composite
def answers(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """An answer as a server may well put it, and its body."""
    body = draw(st.binary(max_size=300))
    names = st.from_regex(re.compile(r"x-[a-z0-9!#$&.^_`|~-]{1,12}", re.ASCII), fullmatch=True)
    texts = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=20)
    fields = [f"{name}: {text}\r\n".encode() for name, text in draw(st.lists(st.tuples(names, texts), max_size=5))]
    if draw(st.booleans()):
        cuts = sorted({0, len(body), *draw(st.lists(st.integers(0, len(body)), max_size=4))})
        framed = (
            b"".join(b"%X\r\n%b\r\n" % (to - at, body[at:to]) for at, to in itertools.pairwise(cuts)) + b"0\r\n\r\n"
        )
        fields.append(b"Transfer-Encoding: chunked\r\n")
    else:
        framed = body
        fields.append(b"Content-Length: %d\r\n" % len(body))
    fields = draw(st.permutations(fields))
    return b"HTTP/1.1 %d Said\r\n" % draw(st.sampled_from([200, 400, 500])) + b"".join(fields) + b"\r\n" + framed, body


@given(answers(), st.lists(st.integers(1, 400), max_size=8))
@settings(max_examples=200, deadline=None)
def test_it_reads_what_the_standard_library_reads(made: tuple[bytes, bytes], cuts: list[int]) -> None:
    data, body = made
    at = sorted({0, *(cut for cut in cuts if cut < len(data)), len(data)})
    ours = fed([data[begin:end] for begin, end in itertools.pairwise(at)]).response

    class Heard:
        def makefile(self, _: str) -> BytesIO:
            return BytesIO(data)

    theirs = HTTPResponse(cast("Any", Heard()))
    theirs.begin()
    assert (ours.status, ours.body) == (theirs.status, theirs.read()) == (theirs.status, body)
    assert ours.headers.keys() == {name.lower() for name in theirs.headers}


@given(st.binary(max_size=200) | st.binary(max_size=80).map(OK.__add__) | st.binary(max_size=80).map(CHUNKED.__add__))
@settings(max_examples=300, deadline=None)
def test_bytes_are_an_answer_or_malformed_or_cut_off_and_the_same_in_pieces(data: bytes) -> None:
    def outcome(pieces: list[bytes]) -> object:
        try:
            response = fed(pieces).response
        except (Malformed, ConnectionResetError) as exc:
            return type(exc)
        return response.status, response.body

    assert outcome([data]) == outcome([data[at : at + 1] for at in range(len(data))])


# -- over sockets -----------------------------------------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("READ_TIMEOUT_S", "KEPT_TIMEOUT_S", "CONNECT_TIMEOUT_S"):
        monkeypatch.setattr(transport, name, 0.2)


def get(pool: Pool, path: str = "/", method: str = "GET") -> bytes:
    return pool.request(method, path, {"host": pool.host}, b"").body


def lost(pool: Pool, path: str = "/") -> BaseException | None:
    with pytest.raises(TransportError) as found:
        get(pool, path)
    assert not pool._idle
    return found.value.__cause__


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("is_kept", [False, True])
@pytest.mark.parametrize(
    "endless",
    [
        OK + b"x: y\r\n" * 5_000,
        OK + b"Content-Length: 30000\r\n\r\n" + b"x" * 30_000,
        CHUNKED + b"1\r\na\r\n" * 5_000,
        OK + b"\r\n" + b"x" * 30_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000,
    ],
    ids=["head", "body", "chunks", "to the end", "interim"],
)
def test_whoever_drips_is_not_listened_to_for_longer_than_anybody_else(
    serve: Serve, endless: bytes, is_kept: bool
) -> None:
    """Each byte comes in time, and all of them would take minutes."""
    server = serve(lambda request: Reply(endless, slowly=1) if request.path == "/drip" else reply())
    pool = Pool(server.url)
    if is_kept:
        get(pool)
    assert isinstance(lost(pool, "/drip"), TimeoutError)
    assert len([one for one in server.received if one.path == "/drip"]) == (2 if is_kept else 1)


@pytest.mark.usefixtures("impatient")
def test_a_peer_that_does_not_read_what_it_is_sent_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pool = Pool(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(TransportError) as found:
            pool.request("POST", "/", {}, b"x" * 50_000_000)
    assert isinstance(found.value.__cause__, TimeoutError)


@pytest.mark.usefixtures("impatient")
def test_a_peer_that_never_shakes_hands_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        assert isinstance(lost(Pool(f"https://localhost:{listener.getsockname()[1]}")), TimeoutError)


def test_a_large_request_and_a_large_answer_come_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for_server, for_client = tls_contexts(tmp_path)
    monkeypatch.setattr(transport, "tls_context", lambda _: for_client)
    large = bytes(range(256)) * 8_000
    for tls in (None, for_server):
        with ScriptedServer(lambda request: reply(body=request.body), tls=tls) as server:
            pool = Pool(server.url)
            for _ in range(2):
                assert pool.request("POST", "/", {}, large).body == large
            assert server.accepted == 1
            pool._drop_idle()


def test_a_body_that_ends_with_its_connection_but_without_tls_goodbye_may_be_cut_and_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for_server, for_client = tls_contexts(tmp_path)
    monkeypatch.setattr(transport, "tls_context", lambda _: for_client)
    with ScriptedServer(lambda _: Reply(OK + b"\r\nhalf of it", then="close"), tls=for_server) as server:
        assert isinstance(lost(Pool(server.url)), OSError)


def test_head_is_answered_without_a_body_and_keeps_its_connection(serve: Serve) -> None:
    def script(request: Received) -> Reply:
        whole = reply(body=b"the body")
        return Reply(whole.data.removesuffix(b"the body")) if request.method == "HEAD" else whole

    server = serve(script)
    pool = Pool(server.url)
    assert [get(pool, method="HEAD"), get(pool), get(pool, method="HEAD")] == [b"", b"the body", b""]
    assert server.accepted == 1


def refused_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port: int = listener.getsockname()[1]
    return port


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Where nobody answers a handshake of TCP: the queue of those who wait is full."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for one in waiting:
            one.close()


@pytest.mark.parametrize("first", ["refused", "silent", "unknown"])
def test_the_next_address_is_tried_where_one_does_not_answer(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, first: str, silent_port: int
) -> None:
    monkeypatch.setattr(transport, "CONNECT_TIMEOUT_S", 2.0)
    server = serve(lambda _: reply(body=b"here"))
    port = {"refused": refused_port(), "silent": silent_port, "unknown": 0}[first]
    family = 99 if first == "unknown" else socket.AF_INET
    addresses = [
        (family, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port)),
    ]
    monkeypatch.setattr(transport, "addresses_of", lambda *_: addresses)
    assert get(Pool(server.url)) == b"here"
    monkeypatch.setattr(transport, "addresses_of", lambda *_: addresses[:1] * 2)
    monkeypatch.setattr(transport, "CONNECT_TIMEOUT_S", 0.2)
    assert isinstance(lost(Pool(server.url)), OSError)


def test_a_name_that_stands_for_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    monkeypatch.setattr(transport, "addresses_of", nowhere)
    assert isinstance(lost(Pool("http://nowhere.example")), socket.gaierror)


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/a b", {}),
        ("GET", "/a\r\nx: y", {}),
        ("GET", "/\xe9", {}),
        ("GET /", "/", {}),
        ("get", "/", {}),
        ("GET", "/", {"x": "a\r\nhost: elsewhere"}),
        ("GET", "/", {"x": "a\x00"}),
        ("GET", "/", {"": "z"}),
        ("GET", "/", {"x": "\u20ac"}),
    ],
)
def test_what_would_pass_for_more_than_one_request_is_never_sent(
    serve: Serve, method: str, path: str, headers: dict[str, str]
) -> None:
    server = serve(lambda _: reply())
    with pytest.raises(ValueError, match="written as one"):
        Pool(server.url).request(method, path, headers, b"")
    assert server.accepted == 0


def test_a_request_goes_out_in_one_piece_and_without_delay(serve: Serve) -> None:
    """One record of TLS for head and body, and no packet that waits for the acknowledgement of another."""

    class Socket:
        def __init__(self) -> None:
            self.sent: list[bytes] = []

        def send(self, data: bytes) -> int:
            self.sent.append(data)
            return len(data)

    pool, noting = Pool(serve(lambda _: reply()).url), Socket()
    get(pool)
    (kept,) = pool._idle
    assert kept.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    connection = Connection((), "", None, dialled_by=0.0)
    connection.sock, connection.is_ready = cast("Any", noting), True
    assert not Exchange(connection, pool.written("POST", "/", {}, b"{}"), until=float("inf")).advance()
    (sent,) = noting.sent
    assert sent.startswith(b"POST / HTTP/1.1\r\n")
    assert sent.endswith(b"\r\n\r\n{}")


@pytest.mark.parametrize(
    "headers",
    [
        {"x": "a\r\nhost: elsewhere"},
        {"x": "a\r\n", "y\r\n": "b"},
        {"x\ny": "a"},
        {"x": "\r", "y": "\n"},
        {"x y": "a"},
        {"": "a"},
        {"x": "\u20ac"},
    ],
)
def test_headers_that_would_pass_for_others_are_never_written(headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="written as one"):
        Headers(headers)


def test_headers_are_written_once_for_all_requests_that_have_them() -> None:
    known = Headers({"host": "h", "x": "1"})
    assert known.lines == b"host: h\r\nx: 1\r\n"
    more = Headers({**known, "y": "2"}, known.lines + header_lines({"y": "2"}))
    assert more == {"host": "h", "x": "1", "y": "2"}
    written = Pool("http://elsewhere").written("GET", "/", more, b"")
    assert written == Pool("http://elsewhere").written("GET", "/", dict(more), b"")


def test_the_headers_of_an_answer_are_read_when_they_are_asked_for() -> None:
    lines = b"X-One: 1\r\nx-one:2 \r\nContent-Length: 2\r\n"
    answer = Answer()
    assert answer.feed(b"HTTP/1.1 200 OK\r\n" + lines + b"\r\n{}")
    assert dict(answer.response.headers) == {"x-one": "1, 2", "content-length": "2"}
