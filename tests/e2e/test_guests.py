"""Guests on the deployed stack: the commands of docs/operations.md, and a connection by a guest's ticket."""

from __future__ import annotations

import asyncio

import pytest
from parley_client import ParleyClient, ParleyError

from local.stack import Stack
from local.tokens import mint
from tests.e2e.examples import commands, run


async def test_the_commands_of_the_page_let_a_guest_answer_and_begin_nothing(stack: Stack) -> None:
    (script,) = commands("docs/operations.md", "Guests")
    guest = mint(stack, "visitor-7", scope="guest")
    asked = {
        "HTTP_URL": stack.http_url,
        "ADMIN_TOKEN": mint(stack, "backend", scope="admin"),
        "GUEST_TOKEN": guest,
    }
    made, first, answer, refused = await asyncio.to_thread(run, script, **asked)
    assert made["id"] == first["conversation_id"] == answer["conversation_id"] == "dm:support:visitor-7"
    assert answer["seq"] > first["seq"]
    assert refused["code"] == "forbidden"
    async with ParleyClient(stack.ws_url, token=guest, http_url=stack.http_url) as client:
        await client.connected()
        await client.sync()
        acknowledged = await client.send("Thank you", to="support")
        assert acknowledged.seq > answer["seq"]
        with pytest.raises(ParleyError) as why:
            await client.send("Hello", to="alice")
        assert why.value.code == "forbidden"
