"""A client that was away for thousands of entries ends up equal to one that never left, by syncing alone."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from contextlib import AsyncExitStack
from typing import Any

from parley_client import MembershipLost, ParleyClient
from parley_client.events import Entry
from parley_client.view import ConversationView

from local.stack import Stack
from local.tokens import mint
from tests.e2e.raw_client import RawClient, connected, http, new_users
from tests.e2e.test_groups import make_group
from tests.soak.user import as_compared

CONVERSATIONS = 40
ENTRIES = 2_000
WRITERS = 8
PATIENCE_S = 240


def client(stack: Stack, user_id: str, state: dict[str, Any] | None = None) -> ParleyClient:
    return ParleyClient(
        stack.ws_url,
        token=lambda: mint(stack, user_id),
        http_url=stack.http_url,
        user_id=user_id,
        history="all",
        state=state,
    )


async def follow(of: ParleyClient, views: dict[str, ConversationView], until: dict[str, int]) -> None:
    """Apply what comes until everything in `until` is held."""
    async with asyncio.timeout(PATIENCE_S):
        async for event in of.events():
            assert not isinstance(event, MembershipLost)
            if isinstance(event, Entry):
                views[event.conversation_id].apply(event)
            if all(views[each].held >= seq for each, seq in until.items()):
                return


async def traffic(writers: list[RawClient], conversations: list[str], rng: random.Random) -> dict[str, int]:
    """Messages, edits, deletes and reactions at random; each writer owns some conversations. Returns the heads."""
    heads = dict.fromkeys(conversations, 1)

    async def write(writer: RawClient, mine: list[str]) -> None:
        own: dict[str, list[int]] = defaultdict(list)
        while sum(heads[each] for each in mine) < ENTRIES // len(writers):
            place = rng.choice(mine)
            kind = rng.choice(["message"] * 6 + ["edit", "delete", "react", "react"]) if own[place] else "message"
            if kind == "message":
                ack = await writer.ask("message", conversation_id=place, content=f"{rng.getrandbits(40):x}")
                own[place].append(ack["seq"])
                heads[place] = ack["seq"]
                continue
            fields = {"edit": {"content": f"edited {rng.getrandbits(40):x}"}, "delete": {}, "react": {"emoji": "👍"}}
            seq = own[place].pop() if kind == "delete" else rng.choice(own[place])
            ack = await writer.ask(kind, conversation_id=place, seq=seq, **fields[kind])
            heads[place] = max(heads[place], ack["entry_seq"] or 0)

    shares = [conversations[number :: len(writers)] for number in range(len(writers))]
    await asyncio.gather(*(write(*pair) for pair in zip(writers, shares, strict=True)))
    return heads


async def test_a_client_cut_off_for_two_thousand_entries_equals_one_that_never_left(stack: Stack) -> None:
    reader, *names = new_users(WRITERS + 1)
    groups = [
        await asyncio.to_thread(make_group, stack, names[number % WRITERS], [reader]) for number in range(CONVERSATIONS)
    ]
    stayed: dict[str, ConversationView] = {each: ConversationView(each) for each in groups}
    left: dict[str, ConversationView] = {each: ConversationView(each) for each in groups}
    started = dict.fromkeys(groups, 1)
    async with client(stack, reader) as staying:
        async with client(stack, reader) as leaving:
            await asyncio.gather(follow(staying, stayed, started), follow(leaving, left, started))
            saved = leaving.state()
        async with AsyncExitStack() as opened:
            writers = [await opened.enter_async_context(connected(stack, name)) for name in names]
            heads = await traffic(writers, groups, random.Random(7))
        await follow(staying, stayed, heads)
    async with client(stack, reader, saved) as back:
        await follow(back, left, heads)
    assert sum(heads.values()) >= ENTRIES
    _, inbox = http(stack, "GET", "/v1/conversations?limit=100", user_id=reader)
    unread = {one["id"]: one["unread"] for one in inbox["conversations"]}
    for each in groups:
        one, other = (views[each] for views in (stayed, left))
        assert [as_compared(m) for m in other.messages.values()] == [as_compared(m) for m in one.messages.values()]
        assert (one.members, one.name, one.unread(reader)) == (other.members, other.name, unread[each])
        assert other.unread(reader) == unread[each]
