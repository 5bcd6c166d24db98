"""What the proxy does to a connection, between a plain WebSocket client and a server that echoes."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosedError, InvalidMessage

from local.stack import Stack, Tables
from tests.chaos.proxy import Proxy, proxy_before
from tests.chaos.storm import Plan, Storm, Trouble

PATIENCE_S = 20


@dataclass
class Gateway:
    """An echoing server, and what it has seen."""

    received: list[str] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def serve(self, socket: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosedError):
            async for text in socket:
                self.received.append(str(text))
                await socket.send(text)
        self.ended.set()


@dataclass(frozen=True)
class Planned:
    plans: list[Plan]

    def plan(self) -> Plan:
        return self.plans.pop(0)


@contextlib.asynccontextmanager
async def between(plan: Plan, **options: object) -> AsyncIterator[tuple[Proxy, Gateway]]:
    """The proxy before a gateway; the first connection goes as planned."""
    gateway = Gateway()
    async with serve(gateway.serve, "127.0.0.1", 0, compression=None) as server:
        port = server.sockets[0].getsockname()[1]
        address = f"127.0.0.1:{port}"
        tables = Tables("log", "members", "sessions", "tickets")
        stack = Stack(f"ws://{address}/stage", f"http://{address}", "region", f"http://{address}", tables, "bucket")
        async with proxy_before(stack, rng=random.Random(1), **options) as proxy:  # type: ignore[arg-type]
            proxy.fault_model = Planned([plan])
            yield proxy, gateway


def dial(proxy: Proxy) -> connect:
    return connect(f"{proxy.url}?device_id=phone", compression=None, proxy=None, ping_interval=None)


def run(plan: Plan, act: Callable[[ClientConnection, Gateway, Proxy], Awaitable[None]]) -> Proxy:
    """One connection that goes as planned."""

    async def go() -> Proxy:
        async with asyncio.timeout(PATIENCE_S), between(plan) as (proxy, gateway):
            async with dial(proxy) as socket:
                await act(socket, gateway, proxy)
            return proxy

    return asyncio.run(go())


async def say(socket: ClientConnection, count: int) -> list[str]:
    """Send as many texts, and hear their echoes in the order in which they come."""
    for number in range(count):
        await socket.send(f"text {number}")
    return [str(await socket.recv()) for _ in range(count)]


async def say_until_it_ends(socket: ClientConnection) -> int:
    """How many echoes came."""
    for count in range(100):
        try:
            await socket.send(f"text {count}")
            await socket.recv()
        except ConnectionClosedError:
            return count
    raise AssertionError("the connection does not end")


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what the other tasks of this loop bring about."""
    while not condition():  # noqa: ASYNC110  # what is waited for has no event of its own
        await asyncio.sleep(0)


def test_without_a_plan_everything_passes_in_its_order() -> None:
    async def act(socket: ClientConnection, _: Gateway, __: Proxy) -> None:
        assert await say(socket, 20) == [f"text {number}" for number in range(20)]

    assert not run(Plan(), act).struck


def test_what_the_server_sends_is_shown_to_the_tap_with_the_target_of_its_connection() -> None:
    async def go() -> list[tuple[str, bytes]]:
        shown: list[tuple[str, bytes]] = []
        options = {"tap": lambda *told: shown.append(told)}
        async with asyncio.timeout(PATIENCE_S), between(Plan(), **options) as (proxy, _), dial(proxy) as socket:
            await say(socket, 1)
        return shown

    assert asyncio.run(go()) == [("/stage?device_id=phone", b"text 0")]


def test_a_refused_connection_ends_before_its_handshake_and_never_reaches_the_server() -> None:
    async def go() -> tuple[Proxy, Gateway]:
        async with between(Plan(Trouble.REFUSED)) as (proxy, gateway):
            with pytest.raises((ConnectionResetError, InvalidMessage)):
                await dial(proxy)
            return proxy, gateway

    proxy, gateway = asyncio.run(go())
    assert proxy.struck == {Trouble.REFUSED: 1}
    assert gateway.received == []


def test_a_lost_answer_to_the_handshake_leaves_the_server_with_a_connection_that_ends() -> None:
    async def go() -> Proxy:
        async with asyncio.timeout(PATIENCE_S), between(Plan(Trouble.HANDSHAKE_LOST)) as (proxy, gateway):
            with pytest.raises((ConnectionResetError, InvalidMessage)):
                await dial(proxy)
            await gateway.ended.wait()
            return proxy

    assert asyncio.run(go()).struck == {Trouble.HANDSHAKE_LOST: 1}


@pytest.mark.parametrize("end", [Trouble.HALVED_UP, Trouble.HALVED_DOWN])
def test_a_frame_that_is_halved_never_arrives_and_ends_the_connection_on_both_sides(end: Trouble) -> None:
    counts: list[int] = []

    async def act(socket: ClientConnection, gateway: Gateway, _: Proxy) -> None:
        counts.append(await say_until_it_ends(socket))
        await gateway.ended.wait()
        counts.append(len(gateway.received))

    assert run(Plan(end, after=7), act).struck == {end: 1}
    assert counts == ([3, 3] if end is Trouble.HALVED_UP else [3, 4])


def test_a_connection_is_dropped_in_the_frame_in_which_its_bytes_are_used_up() -> None:
    async def act(socket: ClientConnection, gateway: Gateway, _: Proxy) -> None:
        assert await say_until_it_ends(socket) == 2
        await gateway.ended.wait()

    # A masked frame with "text 0" has 12 bytes, its echo 8.
    assert run(Plan(Trouble.DROPPED, after=50), act).struck == {Trouble.DROPPED: 1}


@pytest.mark.parametrize("end", [Trouble.STALLED, Trouble.STALLED_UP, Trouble.STALLED_DOWN])
def test_a_stalled_connection_swallows_what_is_sent_until_it_is_healed_which_ends_it(end: Trouble) -> None:
    async def act(socket: ClientConnection, gateway: Gateway, proxy: Proxy) -> None:
        await say(socket, 2)
        await socket.send("this, or its echo")
        await until(lambda: bool(proxy.struck) and (end is not Trouble.STALLED_DOWN or len(gateway.received) == 3))
        assert not gateway.ended.is_set()
        proxy.heal()
        with pytest.raises(ConnectionClosedError):
            await socket.recv()
        await gateway.ended.wait()
        assert len(gateway.received) == (3 if end is Trouble.STALLED_DOWN else 2)

    assert run(Plan(end, after=5), act).struck == {end: 1}


async def test_the_server_does_not_hear_of_the_end_of_a_connection_that_is_stalled_on_its_way_up() -> None:
    async with asyncio.timeout(PATIENCE_S), between(Plan()) as (proxy, gateway):
        proxy.fault_model = Planned([Plan(Trouble.STALLED_UP, after=1), Plan()])
        async with dial(proxy) as socket:
            await socket.send("swallowed")
            socket.transport.abort()
        async with dial(proxy) as another:
            await say(another, 1)
            assert not gateway.ended.is_set()
            proxy.cut()
            await gateway.ended.wait()
        assert gateway.received == ["text 0"]


def test_late_frames_are_overtaken_and_none_is_lost_or_doubled() -> None:
    async def act(socket: ClientConnection, gateway: Gateway, _: Proxy) -> None:
        texts = [f"text {number}" for number in range(40)]
        echoes = await say(socket, 40)
        assert sorted(echoes) == sorted(gateway.received) == sorted(texts)
        assert gateway.received != texts
        assert echoes != gateway.received

    struck = run(Plan(delay_s=0.02, late=0.3), act).struck
    assert struck[Trouble.OVERTAKEN] > 0
    assert struck[Trouble.DELAYED] >= 80


def test_delayed_frames_that_are_not_late_keep_their_order() -> None:
    async def act(socket: ClientConnection, _: Gateway, __: Proxy) -> None:
        assert await say(socket, 20) == [f"text {number}" for number in range(20)]

    assert run(Plan(delay_s=0.02), act).struck[Trouble.OVERTAKEN] == 0


def test_in_a_storm_each_kind_of_end_comes_before_any_comes_again() -> None:
    storm = Storm(random.Random(3))
    ends = [storm.plan().end for _ in range(16)]
    kinds = set(Trouble) - {Trouble.HTTP_CUT, Trouble.DELAYED, Trouble.OVERTAKEN}
    assert set(ends[:8]) == set(ends[8:]) == kinds
