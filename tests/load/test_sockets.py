"""Open files and threads after thousands of requests to peers that hang up all the time: as many as before."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from functions.offline_push.apns.gateway import ApnsGateway
from functions.offline_push.fcm.gateway import FcmGateway
from functions.offline_push.providers import Timeouts
from local.processes import wait_until
from local.providers.serving import Providers
from shared.adapters.aws.transport import Pool, TransportError
from shared.domain.pushes import Push, Sent
from tests.functions.offline_push.pushes import apns_push, fcm_push
from tests.shared.adapters.aws.servers import Received, Reply, ScriptedServer, reply

FILES = Path("/proc/self/fd")
WIDTH = 8
PATIENT = Timeouts(connect_s=30, read_s=30)
pytestmark = [
    pytest.mark.skipif(not FILES.is_dir(), reason="only Linux tells which files a process has open"),
    pytest.mark.xdist_group("memory"),
]


def sockets() -> int:
    """Open sockets alone: whatever else the suite has open is none of this."""
    found = 0
    for each in FILES.iterdir():
        with suppress(OSError):  # it was the listing itself
            found += str(each.readlink()).startswith("socket:")
    return found


def settled(most: int) -> bool:
    """The other end closes its side a moment later."""
    return wait_until(lambda: sockets() <= most, 30)


def moody(request: Received) -> Reply:
    """Answers, mostly; every third answer is a connection's last, and now and then it is none at all."""
    number = int(request.path.removeprefix("/"))
    if number % 7 == 0:
        return Reply(then="reset")
    return reply(
        then="close" if number % 3 == 0 else "keep", headers="Connection: close\r\n" if number % 6 == 0 else ""
    )


def test_a_pool_whose_peer_hangs_up_all_the_time_holds_a_connection_for_each_thread_and_no_more() -> None:
    before, outcomes = sockets(), []

    def ask(number: int) -> None:
        try:
            outcomes.append(pool.request("POST", f"/{number}", {}, b"{}").status)
        except TransportError:
            outcomes.append(0)

    with ScriptedServer(moody) as server, ThreadPoolExecutor(WIDTH) as threads:
        pool = Pool(server.url)
        list(threads.map(ask, range(1, 2_001)))
        assert server.accepted > 500
        assert settled(before + 1 + 2 * WIDTH)  # the listener, and both ends of each
        assert len(pool._idle) <= WIDTH
    while pool._idle:
        pool._idle.pop().close()
    assert settled(before)
    assert len(outcomes) == 2_000
    assert outcomes.count(200) > 1_500


def test_the_count_of_sockets_shows_one_that_is_forgotten() -> None:
    before = sockets()
    with ScriptedServer(lambda _: reply()) as server:
        forgotten = Pool(server.url)
        forgotten.request("GET", "/", {}, b"")
        assert sockets() > before
        forgotten._idle.pop().close()


@pytest.fixture
def providers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Providers]:
    with Providers(tmp_path_factory.mktemp("providers")) as running:
        yield running


def gateway_of(providers: Providers, platform: str) -> tuple[Any, Push]:
    kind, push = (FcmGateway, fcm_push()) if platform == "fcm" else (ApnsGateway, apns_push())
    secret = providers.fcm_secret if platform == "fcm" else providers.apns_secret
    endpoint = providers.fcm_endpoint if platform == "fcm" else providers.apns_endpoint
    return kind(lambda: secret, endpoint=endpoint, ca_file=str(providers.ca_file), timeouts=PATIENT), push


@pytest.mark.parametrize("platform", ["fcm", "apns"])
def test_a_push_gateway_whose_provider_hangs_up_again_and_again_holds_no_more_than_before(
    providers: Providers, platform: str
) -> None:
    gateway, push = gateway_of(providers, platform)

    def round_of_pushes(threads: ThreadPoolExecutor) -> None:
        providers.behave(platform, do="drop", times=3)  # type: ignore[arg-type]  # it is one of them
        providers.behave(platform, status=503, times=3)  # type: ignore[arg-type]  # as above
        list(threads.map(gateway.push, [push] * 4 * WIDTH))
        providers.clear()

    with ThreadPoolExecutor(WIDTH) as threads:
        for _ in range(5):
            round_of_pushes(threads)
        held, running = sockets(), threading.active_count()
        for _ in range(20):
            round_of_pushes(threads)
        assert gateway.push(push) == Sent()
        assert settled(max(held, 2 * WIDTH) + 2 * WIDTH)
        assert threading.active_count() <= running + WIDTH
    gateway.close()
