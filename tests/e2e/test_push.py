"""Offline push on the deployed stack: the real providers' protocols, spoken by the real libraries, to local servers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from typing import Any

import pytest

from local.stack import Stack
from local.tokens import mint
from tests.e2e.conftest import OwnStack
from tests.e2e.pushes import android, asked, behave, iphone, misbehave, pushed, received, until
from tests.e2e.raw_client import connected, http, new_users

CANARY = "the canary sings of push"


@pytest.fixture(autouse=True)
def well_behaved(stack: Stack) -> Iterator[None]:
    yield
    behave(stack)


def private(one: str, other: str) -> str:
    return "dm:" + ":".join(sorted((one, other)))


def say(stack: Stack, sender: str, to: str, text: str = CANARY) -> dict[str, Any]:
    """Send a private message by HTTP; the conversation is made where it is not there."""
    body = {"type": "private", "with": to}
    assert http(stack, "POST", "/v1/conversations", user_id=sender, body=body)[0] in {200, 201}
    path = f"/v1/conversations/{private(sender, to)}/messages"
    status, sent = http(stack, "POST", path, user_id=sender, body={"content": text})
    assert status == 201, sent
    return dict(sent)


def previews(stack: Stack, user_id: str, *, on: bool) -> None:
    assert http(stack, "PUT", "/v1/me", user_id=user_id, body={"push": {"previews": on}})[0] == 200


def settings(stack: Stack, user_id: str, conversation_id: str, **preferences: Any) -> None:
    path = f"/v1/conversations/{conversation_id}/settings"
    assert http(stack, "PATCH", path, user_id=user_id, body=preferences)[0] == 200


def make_group(stack: Stack, owner: str, *members: str) -> str:
    body = {"type": "group", "name": "Crew", "members": list(members)}
    status, made = http(stack, "POST", "/v1/conversations", user_id=owner, body=body)
    assert status == 201
    return str(made["id"])


def into(stack: Stack, sender: str, conversation_id: str, **body: Any) -> dict[str, Any]:
    status, sent = http(stack, "POST", f"/v1/conversations/{conversation_id}/messages", user_id=sender, body=body)
    assert status == 201, sent
    return dict(sent)


async def test_somebody_offline_gets_exactly_one_push_on_each_device_and_no_content_without_previews(
    stack: Stack,
) -> None:
    alice, bob, carol = new_users(3)
    fcm, apns, sentinel = android(stack, bob), iphone(stack, bob), android(stack, carol)
    previews(stack, bob, on=False)
    say(stack, alice, bob)
    ((to_android,), (to_iphone,)) = await asyncio.gather(pushed(stack, fcm), pushed(stack, apns))
    conversation_id = private(alice, bob)
    shown = to_android["payload"]["android"]
    assert shown["collapse_key"] == conversation_id
    assert shown["notification"]["tag"] == conversation_id
    assert shown["notification"]["title_loc_key"] == "PARLEY_MESSAGE"
    assert shown["notification"]["title_loc_args"] == [alice]
    assert shown["notification"]["body_loc_key"] == "PARLEY_TEXT"
    assert to_android["payload"]["data"] == {"type": "message", "conversation_id": conversation_id, "seq": "1"}
    aps = to_iphone["payload"]["aps"]
    assert to_iphone["headers"]["apns-collapse-id"] == conversation_id
    assert to_iphone["headers"]["apns-topic"] == "com.example.chat"
    assert (aps["badge"], aps["thread-id"]) == (1, conversation_id)
    assert aps["alert"]["title-loc-key"] == "PARLEY_MESSAGE"
    assert CANARY not in str((to_android, to_iphone))
    say(stack, alice, carol)
    await pushed(stack, sentinel)
    assert (len(received(stack, fcm)), len(received(stack, apns))) == (1, 1)


async def test_with_previews_the_push_says_what_was_said_and_the_badge_counts_all_conversations(stack: Stack) -> None:
    alice, bob, carol = new_users(3)
    apns = iphone(stack, bob)
    say(stack, carol, bob)
    await pushed(stack, apns)
    say(stack, alice, bob, "hello 👋")
    first, second = await pushed(stack, apns, 2)
    assert first["payload"]["aps"]["alert"]["body"] == CANARY
    assert second["payload"]["aps"]["alert"]["body"] == "hello 👋"
    assert [push["payload"]["aps"]["badge"] for push in (first, second)] == [1, 2]


async def test_who_acknowledges_gets_no_push_and_a_half_open_connection_gets_the_message_again_and_one_push(
    stack: Stack,
) -> None:
    alice, bob, carol, dave = new_users(4)
    tokens = {user: android(stack, user) for user in (bob, carol, dave)}
    async with connected(stack, bob) as b, connected(stack, carol) as c, connected(stack, dave) as d:
        for user in (bob, dave, carol):
            say(stack, alice, user)
        await asyncio.gather(b.messages(1), c.messages(1), d.messages(1))
        await b.ask("delivered", conversation_id=private(alice, bob), seq=1)
        # Dave has read it on another device, which has no connection of its own.
        path = f"/v1/conversations/{private(alice, dave)}/read"
        assert http(stack, "POST", path, user_id=dave, body={"seq": 1})[0] == 200
        await pushed(stack, tokens[carol])
        await c.until(lambda: len(c.of_type("new_message")) == 2)
        assert len(received(stack, tokens[carol])) == 1
        assert [len(received(stack, tokens[user])) for user in (bob, dave)] == [0, 0]
        assert [len(one.of_type("new_message")) for one in (b, d)] == [1, 1]


async def test_muted_quiet_blocked_and_mention_only_are_as_set(stack: Stack) -> None:
    alice, muted, quiet, nothing, mentions, control = users = new_users(6)
    tokens = {user: android(stack, user) for user in users}
    group = make_group(stack, alice, *users[1:])
    settings(stack, muted, group, muted_until=int(time.time() * 1_000) + 3_600_000)
    settings(stack, nothing, group, notify="none")
    settings(stack, mentions, group, notify="mentions")
    hours = {"start": "00:00", "end": "23:59", "time_zone": "Pacific/Kiritimati"}
    assert http(stack, "PUT", "/v1/me", user_id=quiet, body={"push": {"quiet_hours": hours}})[0] == 200
    into(stack, alice, group, content="to all")
    await pushed(stack, tokens[control])
    into(stack, alice, group, content="to some", mentions=[mentions, muted, nothing, quiet])
    (to_mentioned,) = await pushed(stack, tokens[mentions])
    assert to_mentioned["payload"]["android"]["notification"]["title_loc_key"] == "PARLEY_GROUP_MENTION"
    assert to_mentioned["payload"]["android"]["notification"]["title_loc_args"] == [alice, "Crew"]
    into(stack, control, group, content="an answer", reply_to=2)
    (answer,) = await pushed(stack, tokens[alice])
    assert answer["payload"]["android"]["notification"]["title_loc_key"] == "PARLEY_GROUP_REPLY"
    assert [len(received(stack, tokens[user])) for user in (muted, quiet, nothing, mentions)] == [0, 0, 0, 1]


def devices(stack: Stack, user_id: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = http(stack, "GET", "/v1/devices", user_id=user_id)[1]["devices"]
    return found


async def test_a_target_that_is_no_more_is_forgotten_and_one_of_the_other_environment_is_corrected(
    stack: Stack,
) -> None:
    alice, bob, carol = new_users(3)
    gone, moved = android(stack, bob), iphone(stack, carol)
    misbehave(stack, provider="fcm", token=gone, do="answer", status=404, reason="UNREGISTERED")
    asked(stack, "PUT", f"/apns/tokens/{moved}", {"environment": "sandbox"})
    say(stack, alice, bob)
    say(stack, alice, carol)
    (push,) = await pushed(stack, moved)
    assert push["environment"] == "sandbox"
    await until(lambda: devices(stack, carol)[0]["environment"] == "sandbox")
    await until(lambda: devices(stack, bob) == [])
    assert received(stack, gone) == []


async def test_a_token_that_somebody_else_registers_moves_and_one_that_signs_out_is_forgotten(stack: Stack) -> None:
    alice, bob, carol = new_users(3)
    token, other = android(stack, bob), android(stack, carol, "tablet")
    body = {"platform": "fcm", "token": token}
    assert http(stack, "PUT", "/v1/devices/android", user_id=carol, body=body)[0] == 200
    assert devices(stack, bob) == []
    assert http(stack, "DELETE", "/v1/devices/tablet", user_id=carol)[0] == 204
    say(stack, alice, bob)
    say(stack, alice, carol)
    (push,) = await pushed(stack, token)
    assert push["payload"]["data"]["conversation_id"] == private(alice, carol)
    assert received(stack, other) == []


async def test_a_busy_provider_is_asked_again_later_and_the_push_arrives_once(stack: Stack) -> None:
    alice, bob = new_users(2)
    fcm, apns = android(stack, bob), iphone(stack, bob)
    # Of this target alone, so that other tests' pushes do not wait.
    misbehave(stack, provider="fcm", token=fcm, times=1, do="answer", status=500, reason="INTERNAL")
    misbehave(stack, provider="apns", token=apns, times=1, do="answer", status=429, reason="TooManyRequests")
    say(stack, alice, bob)
    await asyncio.gather(pushed(stack, fcm), pushed(stack, apns))
    assert [len(received(stack, token)) for token in (fcm, apns)] == [1, 1]


async def test_a_connection_that_is_lost_after_the_push_was_taken_is_tried_once_more_with_the_same_id(
    stack: Stack,
) -> None:
    alice, bob = new_users(2)
    apns = iphone(stack, bob)
    misbehave(stack, provider="apns", token=apns, times=1, do="drop", after=True)
    say(stack, alice, bob)
    first, second = await pushed(stack, apns, 2)
    assert first["headers"]["apns-id"] == second["headers"]["apns-id"]
    assert first["headers"]["apns-collapse-id"] == second["headers"]["apns-collapse-id"]


async def test_a_provider_that_hangs_holds_up_neither_sending_nor_the_other_provider_nor_the_stream(
    stack: Stack,
) -> None:
    alice, bob, carol = new_users(3)
    stalled, apns = [android(stack, bob, f"a{number}") for number in range(3)], iphone(stack, carol)
    for token in stalled:
        misbehave(stack, provider="fcm", token=token, do="stall")
    async with connected(stack, alice) as a:
        for number in range(3):
            await a.send(bob, CANARY, after=number)
        await a.send(carol, CANARY)
        await pushed(stack, apns)
    # It never answers, and so would hold up for good whatever waited for it.
    assert all(received(stack, token) == [] for token in stalled)


async def test_a_system_notification_comes_live_or_as_a_push_and_stays_until_it_is_acknowledged(stack: Stack) -> None:
    admin, bob, carol = new_users(3)
    token = android(stack, carol)
    body = {"users": [bob, carol], "title": "Down at noon", "body": "for an hour", "data": {"level": "2"}}
    assert http(stack, "POST", "/v1/notifications", user_id=admin, body=body)[1]["code"] == "forbidden"
    scoped = mint(stack, admin, scope="notifications:send")
    async with connected(stack, bob) as b:
        status, sent = http(stack, "POST", "/v1/notifications", token=scoped, body=body)
        assert (status, sent["users"]) == (201, 2)
        await b.until(lambda: b.of_type("notification") != [])
        notification = b.of_type("notification")[0]["notification"]
        assert (notification["title"], notification["kind"], notification["data"]) == (
            "Down at noon",
            "system",
            {"level": "2"},
        )
        path = f"/v1/notifications/{notification['id']}"
        assert http(stack, "DELETE", path, user_id=bob)[0] == 204
    (push,) = await pushed(stack, token)
    assert push["payload"]["android"]["notification"]["title"] == "Down at noon"
    kept = http(stack, "GET", "/v1/notifications", user_id=carol)[1]["notifications"]
    assert [one["id"] for one in kept] == [sent["notification_id"]]
    assert http(stack, "GET", "/v1/notifications", user_id=bob)[1]["notifications"] == []


async def test_a_reminder_comes_at_its_time_and_a_cancelled_one_never(stack: Stack) -> None:
    alice, bob = new_users(2)
    say(stack, alice, bob)
    path = f"/v1/conversations/{private(alice, bob)}/messages/1/reminders"
    soon = int(time.time() * 1_000) + 1_000
    async with connected(stack, bob) as b:
        made = [http(stack, "POST", path, user_id=bob, body={"at": at}) for at in (soon, soon + 1, soon + 86_400_000)]
        assert [status for status, _ in made] == [201, 201, 201]
        cancelled = made[1][1]["reminder_id"]
        assert http(stack, "DELETE", f"/v1/reminders/{cancelled}", user_id=bob)[0] == 204
        await b.until(lambda: b.of_type("notification") != [])
        (event,) = b.of_type("notification")
        notification = event["notification"]
        assert (notification["id"], notification["kind"], notification["seq"]) == (
            made[0][1]["reminder_id"],
            "reminder",
            1,
        )
        waiting = http(stack, "GET", "/v1/reminders", user_id=bob)[1]["reminders"]
        assert [one["reminder_id"] for one in waiting] == [made[2][1]["reminder_id"]]


async def test_nothing_that_was_said_is_in_any_log(stack: Stack, own_stack: OwnStack) -> None:
    alice, bob = new_users(2)
    token = android(stack, bob)
    misbehave(stack, provider="fcm", token=token, do="answer", status=403, reason="SENDER_ID_MISMATCH")
    say(stack, alice, bob)
    functions = own_stack.settings.log("functions")
    await until(lambda: "SENDER_ID_MISMATCH" in functions.read_text(encoding="utf-8"))
    for log in functions.parent.iterdir():
        text = log.read_text(encoding="utf-8", errors="replace")
        assert CANARY not in text, log
        assert token not in text, log
