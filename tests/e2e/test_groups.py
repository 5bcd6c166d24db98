"""Groups on the deployed stack: made by HTTP, lived in over WebSockets."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from local.stack import Stack
from tests.e2e.raw_client import RawClient, connected, http, new_users


def make_group(stack: Stack, owner: str, members: list[str], name: str = "the group") -> str:
    body = {"type": "group", "name": name, "members": members}
    status, group = http(stack, "POST", "/v1/conversations", user_id=owner, body=body)
    assert status == 201, group
    conversation_id: str = group["id"]
    return conversation_id


async def say(client: RawClient, group: str, content: str, **fields: Any) -> dict[str, Any]:
    return await client.ask("message", conversation_id=group, content=content, **fields)


async def seen(client: RawClient, type_: str, count: int = 1) -> list[dict[str, Any]]:
    await client.until(lambda: len(client.of_type(type_)) >= count)
    return client.of_type(type_)


async def test_a_groups_life_as_every_member_sees_it(stack: Stack) -> None:
    alice, bob, carol, dave = new_users(4)
    async with connected(stack, alice) as a, connected(stack, bob) as b, connected(stack, carol) as c:
        group = make_group(stack, alice, [bob, carol], "first name")
        (created,) = await seen(b, "member_added")
        assert (created["seq"], created["users"], created["name"]) == (1, [alice, bob, carol], "first name")
        sent = await say(a, group, "hello @bob", mentions=[bob])
        (event,) = await seen(c, "new_message")
        assert event["message"]["mentions"] == [bob]
        await b.ask("react", conversation_id=group, seq=sent["seq"], emoji="👍")
        await a.ask("edit", conversation_id=group, seq=sent["seq"], content="hello all")
        await say(b, group, "a reply", reply_to=sent["seq"])
        await b.ask("delete", conversation_id=group, seq=sent["seq"] + 3)
        refused = await c.call("delete", conversation_id=group, seq=sent["seq"])
        assert (refused["success"], refused["code"]) == (False, "forbidden")
        path = f"/v1/conversations/{group}"
        assert http(stack, "PATCH", path, user_id=alice, body={"name": "second name"})[0] == 200
        assert http(stack, "POST", f"{path}/members", user_id=alice, body={"users": [dave]})[1]["added"] == [dave]
        assert http(stack, "PATCH", f"{path}/members/{bob}", user_id=alice, body={"role": "owner"})[0] == 200
        assert http(stack, "DELETE", path, user_id=alice)[0] == 204
        await seen(c, "member_removed")
        await seen(a, "member_removed")  # who leaves hears of it on their own devices
        kinds = [event["type"] for event in sorted(c.events, key=lambda event: event.get("seq", 0))]
        assert kinds == [
            "member_added",
            "new_message",
            "reaction",
            "message_edited",
            "new_message",
            "message_deleted",
            "conversation_updated",
            "member_added",
            "conversation_updated",
            "member_removed",
        ]
        _, history = http(stack, "GET", f"{path}/messages?after=0", user_id=dave)
        first, second = history["messages"]
        assert (first["content"], first["reactions"], "edited_at" in first) == ("hello all", {"👍": [bob]}, True)
        assert (second["content"], "deleted_at" in second) == (None, True)
        assert (await a.call("message", conversation_id=group, content="too late"))["code"] == "not_a_member"


async def test_whoever_is_removed_neither_hears_nor_says_anything_more(stack: Stack) -> None:
    alice, bob, carol = new_users(3)
    async with connected(stack, alice) as a, connected(stack, bob) as b, connected(stack, carol) as c:
        group = make_group(stack, alice, [bob, carol])
        writing = asyncio.gather(*(b.call("message", conversation_id=group, content=f"b{n}") for n in range(30)))
        talking = asyncio.gather(*(say(a, group, f"a{n}") for n in range(30)))
        status, _ = await asyncio.to_thread(
            http, stack, "DELETE", f"/v1/conversations/{group}/members/{bob}", user_id=alice
        )
        assert status == 204
        replies, _ = await writing, await talking
        assert {reply.get("code") for reply in replies} <= {None, "not_a_member"}
        removal = (await seen(c, "member_removed"))[0]["seq"]
        accepted = [reply["data"]["seq"] for reply in replies if reply["success"]]
        assert all(seq < removal for seq in accepted)
        assert all(event["seq"] <= removal for event in b.events)
        synced = await b.ask("sync", conversations={group: 0})
        assert (synced["conversations"], synced["refused"]) == ([], [group])


async def test_two_devices_of_one_user_are_one(stack: Stack) -> None:
    alice, bob = new_users(2)
    async with AsyncExitStack() as opened:
        phone, laptop = [await opened.enter_async_context(connected(stack, alice)) for _ in range(2)]
        b = await opened.enter_async_context(connected(stack, bob))
        group = make_group(stack, alice, [bob])
        await say(phone, group, "from the phone")
        await seen(laptop, "new_message")
        await say(b, group, "for both")
        for device in (phone, laptop):
            await seen(device, "new_message")
        assert phone.of_type("new_message")[0]["message"]["content"] == "for both"
        unread = [http(stack, "GET", f"/v1/conversations/{group}", user_id=alice)[1]["unread"]]
        await phone.ask("read", conversation_id=group, seq=3)
        (receipt,) = await seen(laptop, "read")
        unread.append(http(stack, "GET", f"/v1/conversations/{group}", user_id=alice)[1]["unread"])
        assert (unread, receipt["seq"], phone.of_type("read")) == ([1, 0], 3, [])
        states = await b.ask("presence", users=[alice])
        assert states["users"] == [{"user_id": alice, "status": "online", "last_seen": None}]
        await phone.close()
        await b.ask("ping")
        assert b.of_type("presence") == []
        await laptop.close()
        (gone,) = await seen(b, "presence")
        assert (gone["user_id"], gone["status"]) == (alice, "offline")
        async with connected(stack, alice):
            await seen(b, "presence", 2)
        assert b.of_type("presence")[1]["status"] == "online"


async def test_a_group_of_a_thousand_hears_a_message(stack: Stack) -> None:
    """Beyond the inline limit it is the stream side that posts, a hundred members at a time."""
    owner, *members = new_users(1_000)
    there = members[::250]
    async with AsyncExitStack() as opened:
        o = await opened.enter_async_context(connected(stack, owner))
        listening = [await opened.enter_async_context(connected(stack, user)) for user in there]
        group = await asyncio.to_thread(make_group, stack, owner, members)
        sent = await say(o, group, "to everyone")
        for client in listening:
            assert [message["seq"] for message in await client.messages(1)] == [sent["seq"]]
        _, listed = http(stack, "GET", f"/v1/conversations/{group}/members", user_id=there[0])
        assert len(listed["members"]) == 1_000
        assert http(stack, "GET", f"/v1/conversations/{group}", user_id=there[0])[1]["member_count"] == 1_000
        await listening[0].ask("read", conversation_id=group, seq=sent["seq"])
        _, message = http(stack, "GET", f"/v1/conversations/{group}/messages/{sent['seq']}", user_id=owner)
        assert message["receipts"] == {"members": 999, "delivered": 1, "read": 1}
        status, refused = http(
            stack, "POST", f"/v1/conversations/{group}/members", user_id=owner, body={"users": ["one-more"]}
        )
        assert (status, refused["code"]) == (409, "conflict")


async def test_who_is_there_in_a_large_group_and_who_comes_get_what_is_written(stack: Stack) -> None:
    """First by their sessions, which lists them; then as attendees; and one who was removed gets nothing any more."""
    alice, bob, carol, *others = new_users(210)

    async def hears(client: RawClient, content: str) -> None:
        await client.until(lambda: content in _contents(client))

    async with connected(stack, alice) as a, connected(stack, bob) as b:
        group = make_group(stack, alice, [bob, carol, *others])
        for content in ("to whom has a session", "to whom is listed"):
            await say(a, group, content)
            await hears(b, content)
        async with connected(stack, carol) as c:
            await say(a, group, "to who has come")
            await hears(c, "to who has come")
            assert http(stack, "DELETE", f"/v1/conversations/{group}/members/{carol}", user_id=alice)[0] == 204
            await seen(c, "member_removed")
            await say(a, group, "to who is left")
            await hears(b, "to who is left")
            assert _contents(c) == {"to who has come"}


def _contents(client: RawClient) -> set[str]:
    """What does not come once only: nothing is acknowledged here, and so it comes again some seconds later."""
    return {event["message"]["content"] for event in client.of_type("new_message")}
