"""Contacts, blocks, presence and the life of tokens on the deployed stack."""

from __future__ import annotations

import asyncio
import time

from local.stack import Stack
from local.tokens import mint
from tests.e2e.raw_client import connected, http, new_users
from tests.e2e.test_groups import seen


async def test_a_blocked_user_is_refused_and_not_seen(stack: Stack) -> None:
    alice, bob = new_users(2)
    async with connected(stack, alice) as a, connected(stack, bob) as b:
        await a.send(bob, "hello")
        await b.send(alice, "hi", after=1)  # writing alone makes no user visible
        assert (await a.ask("presence", users=[bob]))["users"][0]["status"] == "online"
        assert http(stack, "PUT", f"/v1/blocks/{alice}", user_id=bob)[0] == 204
        refused = await a.call("message", to=bob, content="again", client_message_id="2", after=2)
        assert (refused["code"], refused["retryable"]) == ("blocked", False)
        unknown = {"user_id": "nobody", "status": "offline", "last_seen": None}
        assert (await a.ask("presence", users=[bob, "nobody"]))["users"] == [{**unknown, "user_id": bob}, unknown]
        conversation_id = "dm:" + ":".join(sorted((alice, bob)))
        await a.ask("typing", conversation_id=conversation_id)
        body = {"type": "group", "name": "trap", "members": [bob]}
        assert http(stack, "POST", "/v1/conversations", user_id=alice, body=body)[1]["members"] == [alice]
        assert http(stack, "DELETE", f"/v1/blocks/{alice}", user_id=bob)[0] == 204
        await a.send(bob, "friends again", after=2)
        await b.messages(2)
        # Of a, nothing but messages; and what b did, since that was done over HTTP.
        assert {event["type"] for event in b.events} == {"new_message", "user_changed"}


def test_contacts_are_asked_and_accept(stack: Stack) -> None:
    alice, bob = new_users(2)
    status, asked = http(stack, "POST", "/v1/contacts", user_id=alice, body={"user_id": bob})
    assert (status, asked["status"]) == (201, "requested")
    assert http(stack, "GET", "/v1/contacts", user_id=bob)[1]["contacts"][0]["status"] == "incoming"
    status, accepted = http(stack, "PATCH", f"/v1/contacts/{alice}", user_id=bob, body={"status": "accepted"})
    assert (status, accepted["status"]) == (200, "accepted")
    assert http(stack, "GET", "/v1/contacts", user_id=alice)[1]["contacts"][0]["status"] == "accepted"
    assert http(stack, "DELETE", f"/v1/contacts/{bob}", user_id=alice)[0] == 204
    assert http(stack, "GET", "/v1/contacts", user_id=bob)[1]["contacts"] == []


async def test_a_fresh_token_keeps_a_connection_alive_beyond_its_first(stack: Stack) -> None:
    (alice,) = new_users(1)
    ends = time.time() + 3
    header = {"Authorization": f"Bearer {mint(stack, alice, ttl=3)}"}
    async with connected(stack, alice, additional_headers=header) as a:
        answer = await a.ask("auth", token=mint(stack, alice))
        assert answer["expires_at"] > ends * 1_000
        while time.time() <= ends + 1:
            assert (await a.ask("ping"))["type"] == "pong"
            await asyncio.sleep(0.1)  # what is waited for is the time of day itself
        assert (await a.ask("ping"))["type"] == "pong"


async def test_a_users_connections_can_be_closed_by_an_admin_only(stack: Stack) -> None:
    alice, bob = new_users(2)
    async with connected(stack, alice) as phone, connected(stack, alice) as laptop, connected(stack, bob) as b:
        await b.send(alice, "hi")
        await phone.send(bob, "hello", after=1)
        await b.ask("presence", users=[alice])
        path = f"/v1/users/{alice}/connections"
        assert http(stack, "DELETE", path, user_id=bob)[1]["code"] == "forbidden"
        assert http(stack, "GET", path, user_id=alice)[1]["code"] == "forbidden"
        admin = mint(stack, bob, scope="admin")
        before = http(stack, "GET", path, token=admin)[1]["connections"]
        assert (await laptop.ask("ping"))["type"] == "pong"
        after = http(stack, "GET", path, token=admin)[1]["connections"]
        assert [one["connection_id"] for one in after] == [one["connection_id"] for one in before]
        assert [one["last_heard_at"] for one in before] == [one["connected_at"] for one in before]
        assert sum(one["last_heard_at"] > one["connected_at"] for one in after) == 1
        assert http(stack, "DELETE", path, token=admin) == (200, {"closed": 2})
        for device in (phone, laptop):
            (closing,) = await seen(device, "disconnect")
            assert (closing["code"], closing["reconnect"]) == ("revoked", False)
            await device.closed()
        (gone,) = await seen(b, "presence")
        assert gone["status"] == "offline"
        assert http(stack, "GET", path, token=admin) == (200, {"connections": []})


async def test_a_flood_is_slowed_down_then_closed_and_nobody_else_notices(stack: Stack) -> None:
    alice, bob, carol = new_users(3)
    async with connected(stack, alice) as a, connected(stack, bob) as b, connected(stack, carol) as c:
        refused = []
        for _ in range(40):
            # Of these one a second is let through, which the slowest machine exceeds.
            replies = await asyncio.gather(
                *(a.call("presence", users=[bob]) for _ in range(50)), return_exceptions=True
            )
            refused += [one for one in replies if isinstance(one, dict) and not one["success"]]
            assert (await c.send(bob, "unharmed", after=None))["seq"] > 0
            if a.of_type("disconnect"):
                break
        assert {(one["code"], one["retryable"], one["retry_after_ms"] > 0) for one in refused} == {
            ("rate_limited", True, True)
        }
        # Several frames at once may be the one too many: each says so.
        assert {(one["code"], one["reconnect"]) for one in a.of_type("disconnect")} == {("rate_limited", False)}
        assert any(event["message"]["sender_id"] == carol for event in b.of_type("new_message"))
