"""Broadcasts on the deployed stack, by the commands of docs/notifications.md."""

from __future__ import annotations

import asyncio
from typing import Any

from local.stack import Stack
from local.tokens import mint
from tests.e2e.examples import commands, run
from tests.e2e.raw_client import new_users
from tests.e2e.test_python_client import client
from tests.e2e.test_python_notifications import notified


async def done(script: str, asked: dict[str, str]) -> Any:
    """What the second of the commands prints when the broadcast is done: they may be repeated."""
    for _ in range(300):
        _, found = await asyncio.to_thread(run, script, **asked)
        if found["state"] == "done":
            return found
        await asyncio.sleep(0.1)
    raise AssertionError(found)


async def test_the_commands_of_the_page_tell_who_is_there_and_keep_it_for_who_comes_later(stack: Stack) -> None:
    shop, there, later = new_users(3)
    asked = {"HTTP_URL": stack.http_url, "SERVER_TOKEN": mint(stack, shop, scope="broadcasts:send")}
    begin, hold = commands("docs/notifications.md", "Broadcasts")
    async with client(stack, later) as bob:
        await bob.sync()
    async with client(stack, there) as alice:
        await alice.connected()
        await alice.sync()
        begun, _ = await asyncio.to_thread(run, begin, **asked)
        assert begun["state"] == "running"
        (event,) = await notified(alice, 1)
        assert (event.id, event.title, event.data) == ("maintenance-7", "Maintenance", {"url": "/status"})
        found = await done(begin, asked)
        assert found["posted"] >= 1
        assert found["stored"] >= 2
        await alice.acknowledge("maintenance-7")
        assert await alice.notifications() == ()
        again, _ = await asyncio.to_thread(run, begin, **asked)
        assert again == found, "the same request is the same broadcast"
    async with client(stack, later) as bob:
        (kept,) = await notified(bob, 1)
        assert kept == event
    *refused, listed = await asyncio.to_thread(run, hold, **asked)
    assert [one["code"] for one in refused] == ["conflict"] * 3, "it is done"
    assert found in listed["broadcasts"]
