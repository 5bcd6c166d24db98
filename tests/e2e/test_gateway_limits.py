"""What API Gateway does to connections sooner or later, sooner here: a client stands it."""

from __future__ import annotations

import asyncio

import pytest
from parley_client import Message

from local.stack import Stack
from tests.chaos.proxy import proxy_before
from tests.e2e.raw_client import RawClient, connected, new_users
from tests.e2e.test_python_client import client, messages

LIVES = 6  # connections of two clients

pytestmark = pytest.mark.usefixtures("short_lives")


async def ping(client: RawClient) -> None:
    while True:
        await client.ask("ping")
        await asyncio.sleep(0.2)


async def test_a_connection_is_ended_by_silence_and_by_age(stack: Stack) -> None:
    (user_id,) = new_users(1)
    async with connected(stack, user_id) as silent, connected(stack, user_id) as busy:
        pinging = asyncio.create_task(ping(busy))
        await silent.closed()
        await busy.closed()
        pinging.cancel()
        await asyncio.gather(pinging, return_exceptions=True)
        assert (silent.socket.close_code, busy.socket.close_code) == (1001, 1001)


async def test_the_python_client_misses_nothing(stack: Stack) -> None:
    one, other = new_users(2)
    fast = {"backoff_first": 0.05, "backoff_limit": 0.2}
    sent: list[str] = []
    received: list[Message] = []
    async with (
        proxy_before(stack) as proxy,
        client(stack, one, url=proxy.url, **fast) as alice,
        client(stack, other, url=proxy.url, history="all", **fast) as bob,
    ):
        while proxy.connections < LIVES:
            sent.append(f"text {len(sent)}")
            await alice.send(sent[-1], to=other)
            received += await messages(bob, 1)
    assert [message.content for message in received] == sent
    assert [message.seq for message in received] == list(range(1, len(sent) + 1))
