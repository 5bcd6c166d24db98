"""Notifications, devices and reminders by the Python client, on the deployed stack."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing

import pytest
from parley_client import Notification, ParleyClient, ParleyError

from local.stack import Stack
from local.tokens import mint
from tests.e2e.raw_client import new_users
from tests.e2e.test_python_client import PATIENCE_S, client

YEAR_MS = 365 * 86_400_000


async def notified(of: ParleyClient, count: int) -> list[Notification]:
    found: list[Notification] = []
    async with asyncio.timeout(PATIENCE_S), aclosing(of.events()) as events:
        async for event in events:
            if isinstance(event, Notification):
                found.append(event)
                if len(found) == count:
                    break
    return found


async def test_a_server_notifies_who_is_there_and_who_comes_later_and_nobody_twice(stack: Stack) -> None:
    shop, there, later = new_users(3)
    token = mint(stack, shop, scope="notifications:send")
    server = ParleyClient(stack.ws_url, token=token, http_url=stack.http_url, receive=False)
    async with server, client(stack, there) as alice:
        await alice.connected()
        await alice.sync()
        for _ in range(2):
            sent = await server.notify([there, later], "Sent", "today", data={"order": "1"}, notification_id="o-1")
            assert (sent.notification_id, sent.users) == ("o-1", 2)
        await server.notify([there], "Another", notification_id="o-2")
        first, second = await notified(alice, 2)
        assert (first.id, first.kind, first.title, first.body, first.data) == (
            "o-1",
            "system",
            "Sent",
            "today",
            {"order": "1"},
        )
        assert second.id == "o-2"
        await alice.acknowledge("o-1")
        assert [each.id for each in await alice.notifications()] == ["o-2"]
        async with client(stack, later) as bob:
            (missed,) = await notified(bob, 1)
            assert missed == first
        with pytest.raises(ParleyError) as refused:
            await alice.notify([later], "no")
        assert (refused.value.code, refused.value.status) == ("forbidden", 403)


async def test_devices_and_reminders_are_made_listed_and_taken_back(stack: Stack) -> None:
    one, other = new_users(2)
    async with client(stack, one) as alice:
        phone = await alice.register_device("phone", platform="fcm", token=f"token-{one}")
        tablet = await alice.register_device(
            "tablet", platform="apns", token=one.encode().hex().ljust(64, "0"), app_id="org.example.app"
        )
        assert (phone.token, phone.environment, tablet.environment) == (f"token-{one}", None, "production")
        assert await alice.devices() == (tablet, phone)
        await alice.forget_device("tablet")
        assert await alice.devices() == (phone,)

        ack = await alice.send("hi", to=other)
        at = int(time.time() * 1_000) + 3_600_000
        reminder = await alice.remind(ack.conversation_id, ack.seq, at)
        assert await alice.remind(ack.conversation_id, ack.seq, at) == reminder
        sooner = await alice.remind(ack.conversation_id, ack.seq, at - 60_000)
        assert await alice.reminders() == (sooner, reminder)
        with pytest.raises(ParleyError) as refused:
            await alice.remind(ack.conversation_id, ack.seq, at + 2 * YEAR_MS)
        assert refused.value.code == "bad_request"
        await alice.cancel_reminder(sooner.id)
        assert await alice.reminders() == (reminder,)


async def test_a_reminder_comes_when_its_time_has_come(stack: Stack) -> None:
    one, other = new_users(2)
    async with client(stack, one) as alice:
        await alice.sync()
        ack = await alice.send("hi", to=other)
        reminder = await alice.remind(ack.conversation_id, ack.seq, int(time.time() * 1_000) + 2_000)
        (event,) = await notified(alice, 1)
        assert (event.id, event.kind) == (reminder.id, "reminder")
        assert (event.conversation_id, event.seq) == (ack.conversation_id, ack.seq)
        await alice.acknowledge(event.id)
        assert (await alice.reminders(), await alice.notifications()) == ((), ())
