"""What is read on one device leaves the others, on the deployed stack: by both streams, and the real protocols."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from local.stack import Stack
from local.tokens import mint
from tests.e2e.examples import commands, run
from tests.e2e.pushes import android, behave, iphone, pushed, received
from tests.e2e.raw_client import http, new_users
from tests.e2e.test_push import into, make_group, private, say, settings


def read(stack: Stack, user: str, conversation_id: str, seq: int) -> None:
    path = f"/v1/conversations/{conversation_id}/read"
    status, answer = http(stack, "POST", path, user_id=user, body={"seq": seq})
    assert status == 200, answer


def seqs(pushes: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """What came to an Android phone: of which kind, and up to where."""
    return [(push["payload"]["data"]["type"], push["payload"]["data"]["seq"]) for push in pushes]


async def test_what_is_read_is_taken_off_each_phone_without_a_word_and_the_icon_is_corrected(stack: Stack) -> None:
    alice, bob, carol = new_users(3)
    fcm, apns = android(stack, bob), iphone(stack, bob)
    say(stack, alice, bob)
    say(stack, carol, bob)
    assert len(await pushed(stack, fcm, 2)) == 2
    assert len(await pushed(stack, apns, 2)) == 2
    conversation_id = private(alice, bob)
    read(stack, bob, conversation_id, 1)
    taken = (await pushed(stack, fcm, 3))[-1]["payload"]
    assert taken["data"] == {
        "type": "withdrawn", "conversation_id": conversation_id, "seq": "1", "tag": conversation_id,
        "unread": "0", "badge": "1",
    }  # fmt: skip
    assert "notification" not in taken["android"]
    to_iphone = (await pushed(stack, apns, 3))[-1]
    assert to_iphone["payload"] == {"aps": {"badge": 1, "content-available": 1}, "parley": taken["data"]}
    assert to_iphone["headers"]["apns-collapse-id"] == conversation_id
    assert to_iphone["headers"]["apns-priority"] == "5"
    behave(stack)


@pytest.mark.parametrize("how", ["muted", "left", "deleted"])
async def test_what_is_not_to_be_shown_any_more_is_taken_off(stack: Stack, how: str) -> None:
    alice, bob = new_users(2)
    fcm = android(stack, bob)
    group = make_group(stack, alice, bob)
    sent = into(stack, alice, group, content="hi")
    assert len(await pushed(stack, fcm)) == 1
    seq = sent["seq"]
    match how:
        case "muted":
            settings(stack, bob, group, notify="none")
        case "left":
            status, _ = http(stack, "DELETE", f"/v1/conversations/{group}/members/{bob}", user_id=bob)
            assert status in {200, 204}
        case "deleted":
            status, _ = http(stack, "DELETE", f"/v1/conversations/{group}/messages/{seq}", user_id=alice)
            assert status in {200, 204}
    assert seqs(await pushed(stack, fcm, 2)) == [("message", str(seq)), ("withdrawn", str(seq))]


async def test_the_example_of_the_page(stack: Stack) -> None:
    (script,) = commands("docs/push.md", "Withdrawals")
    user, other = new_users(2)
    fcm = android(stack, user)
    say(stack, other, user)
    await pushed(stack, fcm)
    place = private(user, other)
    given = {"HTTP_URL": stack.http_url, "TOKEN": mint(stack, user), "CONVERSATION": place, "SEQ": "1"}
    await asyncio.to_thread(run, script, **given)
    assert seqs(await pushed(stack, fcm, 2))[-1] == ("withdrawn", "1")


async def test_what_is_newer_stays(stack: Stack) -> None:
    alice, bob, sentinel = new_users(3)
    fcm, other = android(stack, bob), android(stack, sentinel)
    say(stack, alice, bob)
    await pushed(stack, fcm)
    say(stack, alice, bob)
    await pushed(stack, fcm, 2)
    read(stack, bob, private(alice, bob), 1)
    say(stack, alice, sentinel)
    await pushed(stack, other)
    read(stack, sentinel, private(alice, sentinel), 1)
    await pushed(stack, other, 2)  # whatever the reading before it led to is there by now
    assert [kind for kind, _ in seqs(received(stack, fcm))] == ["message", "message"]
