"""How the local providers fail when they are told to, as their clients see it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from local.providers.serving import Providers
from tests.local.provider_clients import DEVICE, apple, google

OTHER_DEVICE = "cd" * 32


@dataclass
class Client:
    """A client of either provider: one good push to a device, over a connection that is kept."""

    http: httpx2.Client
    send: Callable[[str], httpx2.Response]

    def statuses(self, count: int, token: str = DEVICE) -> list[int]:
        return [self.send(token).status_code for _ in range(count)]


@pytest.fixture(params=["fcm", "apns"])
def provider(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def client(server: Providers, provider: str) -> Iterator[Client]:
    if provider == "fcm":
        with google(server) as fcm:
            fcm.sign_in()
            server.clear()
            yield Client(fcm.http, lambda token: fcm.send(token=token))
    else:
        with apple(server) as apns:
            yield Client(apns.http, apns.push)


def test_a_refusal_lasts_until_the_server_behaves_again(server: Providers, provider: Any, client: Client) -> None:
    server.behave(provider, status=503)
    assert client.statuses(3) == [503, 503, 503]
    server.behave_well()
    assert client.statuses(1) == [200]
    assert len(server.pushes()) == 1


def test_refusals_are_used_up_in_the_order_in_which_they_were_told(
    server: Providers, provider: Any, client: Client
) -> None:
    server.behave(provider, status=503, times=1)
    server.behave(provider, status=429, times=2)
    assert client.statuses(4) == [503, 429, 429, 200]


def test_a_refusal_for_one_token_leaves_the_others_alone_and_goes_first(
    server: Providers, provider: Any, client: Client
) -> None:
    server.behave(provider, status=503, times=1)
    server.behave(provider, status=429, token=DEVICE, times=1)
    assert client.statuses(1, OTHER_DEVICE) == [503]
    assert client.statuses(1, OTHER_DEVICE) == [200]
    assert client.statuses(2) == [429, 200]


def test_the_other_provider_goes_on(server: Providers, provider: Any, client: Client) -> None:
    server.behave("apns" if provider == "fcm" else "fcm", status=503)
    assert client.statuses(1) == [200]


def test_a_dropped_connection_has_taken_nothing(server: Providers, provider: Any, client: Client) -> None:
    before = server.connections(provider)
    server.behave(provider, "drop", times=1)
    with pytest.raises(httpx2.TransportError):
        client.send(DEVICE)
    assert server.pushes() == []
    assert client.statuses(1) == [200]
    assert server.connections(provider) > before


def test_a_connection_dropped_afterwards_has_taken_the_push(server: Providers, provider: Any, client: Client) -> None:
    server.behave(provider, "drop", times=1, after=True)
    with pytest.raises(httpx2.TransportError):
        client.send(DEVICE)
    assert [push.token for push in server.wait_for(1)] == [DEVICE]
    assert [(asked.status, asked.reason) for asked in server.requests()] == [(None, "drop")]


def test_a_stalled_request_is_never_answered_and_the_next_one_is(
    server: Providers, provider: Any, client: Client
) -> None:
    server.behave(provider, "stall", times=1)
    client.http.timeout = httpx2.Timeout(10, read=0.2)
    with pytest.raises(httpx2.ReadTimeout):
        client.send(DEVICE)
    client.http.timeout = httpx2.Timeout(10)
    assert client.statuses(1) == [200]
    assert [asked.status for asked in server.requests()] == [None, 200]
    assert len(server.pushes()) == 1


def test_a_slow_answer_comes_in_the_end(server: Providers, provider: Any, client: Client) -> None:
    server.behave(provider, "slow", seconds=0.2, times=1)
    started = time.monotonic()
    assert client.statuses(1) == [200]
    assert time.monotonic() - started >= 0.2


def test_servers_stop_also_with_connections_and_requests_open(tmp_path: Path) -> None:
    with ExitStack() as clients, Providers(tmp_path) as providers:
        apns, fcm = clients.enter_context(apple(providers)), clients.enter_context(google(providers))
        fcm.sign_in()
        providers.behave("apns", "stall")
        providers.behave("fcm", "slow", seconds=600)
        apns.http.timeout = fcm.http.timeout = httpx2.Timeout(10, read=0.1)
        with pytest.raises(httpx2.ReadTimeout):
            apns.push()
        with pytest.raises(httpx2.ReadTimeout):
            fcm.send(token="phone")


def test_what_makes_no_sense_is_refused(server: Providers) -> None:
    with pytest.raises(ValueError, match="do is one of"):
        server.behave("fcm", "dance")
    with pytest.raises(ValueError, match="needs a status, a reason or both"):
        server.behave("fcm")
    with pytest.raises(ValueError, match="status is from"):
        server.behave("fcm", status=200)


def test_waiting_for_pushes_that_do_not_come_says_what_came(
    server: Providers, provider: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.providers.record.WAIT_SECONDS", 0.01)
    server.behave(provider, status=503, times=1)
    client.send(DEVICE)
    with pytest.raises(TimeoutError, match=rf"0 pushes instead of 1; requests: \['{provider} 503"):
        server.wait_for(1)


def test_waiting_returns_when_enough_have_come(server: Providers, client: Client) -> None:
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(server.wait_for, 2)
        client.statuses(2)
        assert len(waiting.result(timeout=10)) == 2
