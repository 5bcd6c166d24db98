"""The stack's edges: handshakes, tickets, bad frames, and who is woken."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import jwt
import pytest
from websockets.exceptions import InvalidStatus

from local.stack import Stack
from local.tokens import mint
from tests.e2e.raw_client import connected, http, new_users


async def refused(stack: Stack, **options: Any) -> int:
    """The status that a handshake is refused with."""
    with pytest.raises(InvalidStatus) as refusal:
        async with connected(stack, "nobody", **options):
            pass
    return refusal.value.response.status_code


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def signed(secret: str, **claims: Any) -> str:
    now = int(time.time())
    return jwt.encode({"sub": "alice", "iat": now, "exp": now + 60, **claims}, secret, algorithm="HS256")


async def test_bad_tokens_are_refused_at_the_handshake(stack: Stack) -> None:
    secret = stack.jwt_secret
    attempts: list[dict[str, str]] = [
        {},
        bearer("nonsense"),
        bearer(signed("another secret, just as long as it should be")),
        bearer(signed(secret, exp=int(time.time()) - 1)),
        bearer(signed(secret, sub="not a user id")),
        bearer(jwt.encode({"sub": "alice", "iat": 1, "exp": 9_999_999_999}, "", algorithm="none")),
    ]
    assert {await refused(stack, additional_headers=headers) for headers in attempts} <= {401, 403}


async def test_a_script_that_mints_its_own_token_from_the_documented_file_gets_in(stack: Stack) -> None:
    token = signed(stack.jwt_secret, sub=None, user_id=4711)
    async with connected(stack, "-", additional_headers=bearer(token)) as client:
        await client.ask("ping")


async def test_a_ticket_lets_a_browser_in_once(stack: Stack) -> None:
    (user_id,) = new_users(1)
    status, body = http(stack, "POST", "/v1/tickets", user_id=user_id)
    assert (status, body["expires_in"]) == (200, 30)
    async with connected(stack, user_id, ticket=body["ticket"], origin="http://localhost:5173") as client:
        await client.ask("sync")
    assert await refused(stack, ticket=body["ticket"]) in {401, 403}
    assert await refused(stack, ticket="made-up") in {401, 403}
    assert await refused(stack, ticket=mint(stack, user_id)) in {401, 403}


async def test_a_page_of_a_foreign_origin_is_refused(stack: Stack) -> None:
    ticket = http(stack, "POST", "/v1/tickets", user_id="alice")[1]["ticket"]
    assert await refused(stack, ticket=ticket, origin="https://evil.example") in {401, 403}


@pytest.mark.parametrize("origin", ["capacitor://localhost", "tauri://localhost", "null", "https://evil.example"])
async def test_an_app_with_a_token_is_let_in_whatever_origin_it_sends(stack: Stack, origin: str) -> None:
    headers = bearer(mint(stack, "alice"))
    async with connected(stack, "-", additional_headers=headers, origin=origin) as client:
        await client.ask("ping")


async def test_a_token_that_expires_meanwhile_stops_the_next_frame_and_not_the_connection(stack: Stack) -> None:
    token = signed(stack.jwt_secret, exp=int(time.time()) + 2)
    async with connected(stack, "-", additional_headers=bearer(token)) as client:
        reply = await client.call("ping")
        while reply["success"]:
            await asyncio.sleep(0.1)  # as fast as the stack answers, the limit of frames would come first
            reply = await client.call("ping")
        assert (reply["code"], reply["retryable"]) == ("token_expired", False)


async def test_bad_frames_get_one_reply_each_and_the_connection_stays(stack: Stack) -> None:
    one, other = new_users(2)
    cases = [
        ("hello", "bad_request"),
        ("", "bad_request"),
        ("[1, 2]", "bad_request"),
        ('"text"', "bad_request"),
        ("{}", "bad_request"),
        ('{"type": 5}', "bad_request"),
        ('{"type": "nonsense"}', "unknown_type"),
        ('{"type": "$connect"}', "unknown_type"),
        ('{"type": "$disconnect"}', "unknown_type"),
        ('{"type": "$default"}', "unknown_type"),
        ('{"type": "message", "to": 5, "content": "x"}', "bad_request"),
        (json.dumps({"type": "message", "to": other, "content": ["x"]}), "bad_request"),
        (json.dumps({"type": "message", "to": other, "content": " "}), "bad_request"),
        (json.dumps({"type": "message", "to": other, "content": "x" * 5_001}), "too_large"),
        (json.dumps({"type": "message", "to": other, "content": "x" * 40_000}), "too_large"),
        ('{"type": "message", "to": "x", "content": NaN}', "bad_request"),
        ('{"type": "message", "to": "x", "content": "\\ud800"}', "bad_request"),
        ('{"type": "message", "deep": ' + "[" * 500 + "]" * 500 + "}", "bad_request"),
        ('{"type": "message", "deep": ' + "[" * 14_000 + "]" * 14_000 + "}", "bad_request"),
        ('{"type": "read", "conversation_id": "dm:a:b", "seq": 1}', "not_a_member"),
    ]
    async with connected(stack, one) as client:
        for text, code in cases:
            reply = await client.raw(text)
            assert (reply["success"], reply["code"]) == (False, code), text[:80]
            assert isinstance(reply["error"], str)
            assert reply["retryable"] is False
        assert (await client.send(other, "still here"))["seq"] == 1


async def test_a_single_frame_of_more_than_32_kb_ends_the_connection(stack: Stack) -> None:
    (user_id,) = new_users(1)
    async with connected(stack, user_id) as client:
        await client.socket.send(json.dumps({"type": "ping", "extra": "x" * 32_768}))
        await client.closed()
        assert client.socket.close_code == 1009


async def test_what_is_changed_by_http_is_told_as_what_is_by_frames(stack: Stack) -> None:
    one, other = new_users(2)
    _, made = http(stack, "POST", "/v1/conversations", user_id=one, body={"type": "private", "with": other})
    place = f"/v1/conversations/{made['id']}/messages"
    async with connected(stack, other) as bob:
        assert http(stack, "POST", place, user_id=one, body={"content": "helo"})[0] == 201
        assert http(stack, "PATCH", f"{place}/1", user_id=one, body={"content": "hello"})[0] == 200
        assert http(stack, "PUT", f"{place}/1/reactions/x", user_id=other)[0] == 200
        assert http(stack, "DELETE", f"{place}/1", user_id=one)[0] == 200
        await bob.until(lambda: bool(bob.of_type("message_deleted")))
        await bob.until(lambda: bool(bob.of_type("message_edited")))
        (message,) = await bob.messages(1)
        (edited,), (deleted,) = bob.of_type("message_edited"), bob.of_type("message_deleted")
        assert (message["content"], edited["content"]) == ("helo", "hello")
        assert edited["message_seq"] == deleted["message_seq"] == 1


def test_the_http_api_answers_in_its_own_format(stack: Stack) -> None:
    one, other = new_users(2)
    body = {"type": "private", "with": other}
    created = http(stack, "POST", "/v1/conversations", user_id=one, body=body)
    again = http(stack, "POST", "/v1/conversations", user_id=other, body={"type": "private", "with": one})
    assert (created[0], again[0], created[1]["id"]) == (201, 201, again[1]["id"])
    for status, path, user_id in ((401, "/v1/conversations", None), (404, "/v1/nothing", one), (404, "/", one)):
        answer = http(stack, "GET", path, user_id=user_id)
        assert answer[0] == status
        assert {"error", "code", "retryable", "request_id"} <= set(answer[1])
