"""The Python client against the deployed stack: once and in order, over connections that come and go."""

from __future__ import annotations

import asyncio
from typing import Any

from parley_client import Message, ParleyClient, ReadReceipt

from local.stack import Stack
from local.tokens import mint
from shared.domain.text import private_conversation_id
from tests.chaos.proxy import proxy_before
from tests.e2e.raw_client import http, new_users

PATIENCE_S = 120


def client(stack: Stack, user_id: str, *, url: str | None = None, **options: Any) -> ParleyClient:
    return ParleyClient(
        url or stack.ws_url, token=lambda: mint(stack, user_id), http_url=stack.http_url, user_id=user_id, **options
    )


async def messages(of: ParleyClient, count: int) -> list[Message]:
    """The next `count` messages of its event stream."""
    found: list[Message] = []
    async with asyncio.timeout(PATIENCE_S):
        async for event in of.events():
            if isinstance(event, Message):
                found.append(event)
                if len(found) == count:
                    break
    return found


async def test_two_clients_chat_and_see_what_the_other_has_read(stack: Stack) -> None:
    one, other = new_users(2)
    async with client(stack, one) as alice, client(stack, other, by_ticket=True, history="all") as bob:
        await bob.connected()
        ack = await alice.send("hello", to=other)
        (message,) = await messages(bob, 1)
        assert (message.content, message.sender_id, message.seq) == ("hello", one, ack.seq)
        await bob.mark_read(message.conversation_id, message.seq)
        async with asyncio.timeout(PATIENCE_S):
            async for event in alice.events():
                if isinstance(event, ReadReceipt):
                    assert (event.user_id, event.seq) == (other, 1)
                    break


async def test_a_hundred_messages_over_connections_that_are_cut_again_and_again(stack: Stack) -> None:
    one, other = new_users(2)
    texts = [f"text {number}" for number in range(100)]
    async with proxy_before(stack) as proxy:
        fast = {"backoff_first": 0.05, "backoff_limit": 0.2}
        async with (
            client(stack, one, url=proxy.url, **fast) as alice,
            client(stack, other, url=proxy.url, history="all", **fast) as bob,
        ):
            sends = [asyncio.create_task(alice.send(text, to=other)) for text in texts]
            received: list[Message] = []
            while len(received) < len(texts):
                received += await messages(bob, 10)
                proxy.cut()
            acks = await asyncio.gather(*sends)
    assert proxy.connections >= 12
    assert [message.content for message in received] == texts
    assert [message.seq for message in received] == [ack.seq for ack in acks] == list(range(1, 101))
    path = f"/v1/conversations/{private_conversation_id(one, other)}/messages?after=0&limit=100"
    _, history = http(stack, "GET", path, user_id=one)
    assert [message["content"] for message in history["messages"]] == texts


async def test_a_client_that_was_killed_goes_on_from_its_saved_state(stack: Stack) -> None:
    one, other = new_users(2)
    async with client(stack, one) as alice:
        # What comes before the answer to the first sync is history to who does not want all.
        async with client(stack, other, history="all") as bob:
            await bob.connected()
            await alice.send("before", to=other)
            await messages(bob, 1)
            saved = bob.state()
        for number in range(50):
            await alice.send(f"missed {number}", to=other)
        async with client(stack, other, state=saved) as again:
            found = await messages(again, 50)
            inbox = await again.inbox()
    assert [message.content for message in found] == [f"missed {number}" for number in range(50)]
    assert [message.seq for message in found] == list(range(2, 52))
    assert inbox.conversations[0].unread == 51
