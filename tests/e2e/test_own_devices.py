"""A user's own devices on the deployed stack, and a browser that is pushed to: by the commands of the pages."""

from __future__ import annotations

import asyncio
import time
import uuid

from local.stack import Stack
from local.tokens import mint
from tests.e2e.examples import commands, run
from tests.e2e.pushes import asked, pushed
from tests.e2e.raw_client import connected, http, new_users


async def test_what_is_changed_over_http_comes_live_and_by_sync(stack: Stack) -> None:
    (script,) = commands("docs/notifications.md", "What a user's own devices tell each other")
    until = str(int(time.time() * 1_000) + 86_400_000)
    async with connected(stack, "alice") as client:
        before = await client.ask("sync", user=0)
        given = {"HTTP_URL": stack.http_url, "TOKEN": mint(stack, "alice"), "UNTIL": until}
        _, settings, profile = await asyncio.to_thread(run, script, **given)
        await client.until(lambda: len(client.of_type("user_changed")) >= 2)
        events = client.of_type("user_changed")
        head = before["user"]["head"]
        synced = await client.ask("sync", user=head)
    assert (settings["muted_until"], profile["display_name"]) == (int(until), f"Alice {until}")
    assert [event["what"] for event in events] == ["settings", "profile"]
    assert events[0]["value"] == {"conversation_id": "dm:alice:dave", "settings": settings}
    assert events[1]["value"] == {"display_name": f"Alice {until}"}
    assert [event["seq"] for event in events] == [head + 1, head + 2]
    assert synced["user"] == {"head": head + 2, "entries": events, "has_more": False}


async def test_every_kind_of_change_is_written_and_told_with_the_roles_that_there_are(stack: Stack) -> None:
    user, other = new_users(2)
    async with connected(stack, user) as client, connected(stack, other) as theirs:
        for method, path, body in (
            ("POST", "/v1/contacts", {"user_id": other}),
            ("PUT", f"/v1/blocks/{other}", None),
            ("DELETE", f"/v1/blocks/{other}", None),
            ("PUT", "/v1/devices/phone", {"platform": "fcm", "token": uuid.uuid4().hex}),
            ("DELETE", "/v1/devices/phone", None),
            ("PUT", "/v1/me", {"hide_presence": True}),
        ):
            assert http(stack, method, path, user_id=user, body=body)[0] < 300
        await client.until(lambda: len(client.of_type("user_changed")) >= 6)
        await theirs.until(lambda: bool(theirs.of_type("user_changed")))
        told, heard = client.of_type("user_changed"), theirs.of_type("user_changed")
    assert [event["what"] for event in told] == ["contact", "block", "block", "device", "device", "profile"]
    assert [event["value"]["contact"]["status"] for event in heard] == ["incoming"]


async def test_a_browser_is_pushed_to(stack: Stack) -> None:
    (script,) = commands("docs/push.md", "Browsers")
    user, other = new_users(2)
    name = uuid.uuid4().hex
    given = {"HTTP_URL": stack.http_url, "PUSHES_URL": stack.pushes_url or "", "TOKEN": mint(stack, user), "NAME": name}
    key, device = await asyncio.to_thread(run, script, **given)
    subscription = asked(stack, "GET", f"/web/subscriptions/{name}")
    assert len(key["public_key"]) == 87
    assert (device["platform"], device["endpoint"], "keys" in device) == ("web", subscription["endpoint"], False)
    body = {"type": "private", "with": user}
    assert http(stack, "POST", "/v1/conversations", user_id=other, body=body)[0] == 201
    place = "dm:" + ":".join(sorted((user, other)))
    sent = http(stack, "POST", f"/v1/conversations/{place}/messages", user_id=other, body={"content": "hi, browser"})
    assert sent[0] == 201
    (push,) = await pushed(stack, subscription["endpoint"])
    assert (push["payload"]["body"], push["payload"]["data"]["conversation_id"]) == ("hi, browser", place)
