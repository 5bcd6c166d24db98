"""Posts reach public addresses alone, follow nothing, wait for nobody, and read little of what is answered."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from functions.events_out.poster import HttpPoster, is_public
from shared.domain.webhooks import Accepted, Declined, PostResult

NOW = 1_795_431_200_000
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def answering(answer: bytes) -> Callable[[socket.socket], None]:
    def serve(peer: socket.socket) -> None:
        while _request(peer):
            peer.sendall(answer)

    return serve


def _request(peer: socket.socket) -> bytes:
    """One whole request; nothing where there is none any more."""
    data = b""
    while b"\r\n\r\n" not in data:
        got = peer.recv(65_536)
        if not got:
            return b""
        data += got
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-len"))
    while len(body) < length:
        body += peer.recv(65_536)
    return head + b"\r\n\r\n" + body


@contextmanager
def receiver(serve: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[int]]]:
    """A server on this machine, and how many connections it has had."""
    accepted: list[int] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def run() -> None:
            while True:
                try:
                    peer, _ = listener.accept()
                except OSError:
                    return
                accepted.append(1)
                with peer:
                    try:
                        serve(peer)
                    except OSError:
                        continue

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{port}/hooks?a=b", accepted
        listener.shutdown(socket.SHUT_RDWR)


def post(url: str, *, times: int = 1, **options: Any) -> list[PostResult]:
    """What comes of posting the same so often, by one instance."""
    with closing(HttpPoster(**{"is_local": True, "now": lambda: NOW, **options})) as poster:
        return [poster.post(url, HEADERS, b'{"a":1}') for _ in range(times)]


HEADERS = {"webhook-id": "dm:alice:bob/1"}


def test_what_is_taken_is_accepted_over_one_connection_with_its_headers() -> None:
    got: list[bytes] = []

    def serve(peer: socket.socket) -> None:
        while request := _request(peer):
            got.append(request)
            peer.sendall(OK)

    with receiver(serve) as (url, accepted):
        assert post(url, times=3) == [Accepted()] * 3
        assert len(accepted) == 1
    assert got[0].startswith(b"POST /hooks?a=b HTTP/1.1\r\n")
    assert b"webhook-id: dm:alice:bob/1\r\n" in got[0]
    assert b"content-type: application/json\r\n" in got[0]
    assert got[0].endswith(b'\r\n\r\n{"a":1}')


def test_a_connection_that_was_closed_meanwhile_is_opened_anew() -> None:
    def serve(peer: socket.socket) -> None:
        if _request(peer):
            peer.sendall(OK)

    with receiver(serve) as (url, accepted):
        assert post(url, times=3) == [Accepted()] * 3
        assert len(accepted) == 3


@pytest.mark.parametrize(
    ("answer", "declined"),
    [
        (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", Declined("500")),
        (b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", Declined("410", is_gone=True)),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/x\r\nContent-Length: 0\r\n\r\n", Declined("302")),
        (b"HTTP/1.1 429 No\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", Declined("429", 7_000)),
        (b"HTTP/1.1 503 No\r\nRetry-After: 999999999999\r\nContent-Length: 0\r\n\r\n", Declined("503", 86_400_000)),
        (b"HTTP/1.1 503 No\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n", Declined("503")),
        (
            b"HTTP/1.1 503 No\r\nRetry-After: Thu, 01 Jan 1970 00:00:00 GMT\r\nContent-Length: 0\r\n\r\n",
            Declined("503"),
        ),
        (b"SMTP ready\r\n\r\n", Declined("no_answer")),
        (b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 200 + b"\r\n", Declined("no_answer")),
    ],
)
def test_what_is_not_taken_says_why_and_when_to_come_again(answer: bytes, declined: Declined) -> None:
    with receiver(answering(answer)) as (url, _):
        assert post(url) == [declined]


def test_an_endless_answer_is_not_read() -> None:
    def serve(peer: socket.socket) -> None:
        _request(peer)
        peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(1_000_000):
            peer.sendall(b"x" * 10_000)

    with receiver(serve) as (url, _):
        assert post(url) == [Accepted()]


def test_one_that_drips_or_is_silent_is_hung_up_on() -> None:
    ended = threading.Event()

    def drip(peer: socket.socket) -> None:
        _request(peer)
        peer.sendall(b"HTTP/1.1 200 OK\r\n")
        try:
            while not ended.is_set():
                peer.sendall(b"a: b\r\n")
                time.sleep(0.05)
        finally:
            ended.set()

    def say_nothing(peer: socket.socket) -> None:
        _request(peer)
        ended.wait(30)

    for serve in (drip, say_nothing):
        ended.clear()
        with receiver(serve) as (url, _):
            [result] = post(url, timeout_s=0.3)
            ended.set()
        assert isinstance(result, Declined)
        assert result.reason in {"timeout", "no_answer"}


def test_one_that_falls_silent_on_a_kept_connection_gets_it_once() -> None:
    got: list[bytes] = []

    def serve(peer: socket.socket) -> None:
        while request := _request(peer):
            got.append(request)
            if len(got) == 1:
                peer.sendall(OK)

    with receiver(serve) as (url, _):
        assert post(url, times=2, timeout_s=2.0) == [Accepted(), Declined("timeout")]
    assert len(got) == 2


def test_all_addresses_together_are_waited_for_no_longer_than_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    def silent(_address: object, timeout: float) -> socket.socket:
        waited.append(timeout)
        raise TimeoutError

    monkeypatch.setattr("functions.events_out.poster.time", SimpleNamespace(monotonic=lambda: sum(waited)))
    monkeypatch.setattr("functions.events_out.poster.socket.create_connection", silent)
    many = [f"127.0.0.{number}" for number in range(1, 9)]
    assert post("http://localhost/", resolve=lambda *_: many) == [Declined("timeout")]
    assert waited == [4.0, 4.0, 2.0]


@pytest.mark.parametrize(
    "address",
    [
        *(
            "127.0.0.1",
            "10.0.0.1",
            "172.16.3.4",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
        ),
        *("255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1"),
        *("::127.0.0.1", "::ffff:0:127.0.0.1", "fec0::1", "5f00::1", "::169.254.169.254"),
        *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:1::", "fe80::1%eth0"),
    ],
)
def test_no_address_that_is_not_everybodys_is_posted_to(address: str) -> None:
    assert not is_public(address)
    told = post("https://crm.example.com/", is_local=False, resolve=lambda *_: ["93.184.215.14", address])
    assert told == [Declined("private_address")]


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:4700::1111"])
def test_public_ones_are(address: str) -> None:
    assert is_public(address)


def test_on_a_laptop_plain_http_goes_to_the_machine_itself_alone() -> None:
    assert post("http://localhost/", resolve=lambda *_: ["93.184.215.14"]) == [Declined("private_address")]


def test_a_name_that_leads_nowhere_and_a_closed_port_have_words_of_their_own() -> None:
    def unknown(*_: object) -> list[str]:
        raise socket.gaierror

    assert post("http://localhost/", resolve=unknown) == [Declined("dns")]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert post(f"http://127.0.0.1:{port}/") == [Declined("refused")]


def test_one_without_a_good_certificate_is_not_posted_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with receiver(lambda peer: peer.sendall(OK)) as (url, _):
        port = url.split(":")[2].split("/")[0]
        # A name that is public, and leads here: nobody but a test can have that.
        monkeypatch.setattr("functions.events_out.poster.is_public", lambda _: True)
        assert post(f"https://crm.example.com:{port}/", resolve=lambda *_: ["127.0.0.1"]) == [Declined("tls")]


def test_a_name_whose_addresses_never_come_is_waited_for_no_longer_than_for_anything_else() -> None:
    never = threading.Event()

    def hangs(_host: str, _port: int) -> list[str]:
        never.wait()
        return []

    try:
        poster = HttpPoster(is_local=False, now=lambda: NOW, timeout_s=0.05, resolve=hangs)
        assert poster.post("https://crm.example.com/", {}, b"{}") == Declined("dns")
    finally:
        never.set()
