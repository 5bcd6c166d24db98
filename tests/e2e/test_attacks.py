"""Attacks on the deployed stack: what holds in the code's own tests holds behind a gateway, too."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from hashlib import sha256

import pytest
from websockets.exceptions import InvalidStatus

from local.stack import Stack
from local.tokens import mint
from tests.e2e.raw_client import PATIENCE_S, connected, http, new_users
from tests.e2e.test_edges import bearer, refused, signed
from tests.shared.auth.minting import segment

AT_ONCE = 10
CLOSED = {401, 403}


def ticket_of(stack: Stack, user_id: str) -> str:
    status, body = http(stack, "POST", "/v1/tickets", user_id=user_id)
    assert status == 200
    return str(body["ticket"])


async def try_ticket(stack: Stack, ticket: str) -> int:
    """The status of a handshake."""
    try:
        async with connected(stack, "-", ticket=ticket, open_timeout=PATIENCE_S) as client:
            await client.ask("ping")
            return 101
    except InvalidStatus as refusal:
        return refusal.response.status_code


async def test_of_ten_handshakes_at_once_with_one_ticket_exactly_one_gets_in(stack: Stack) -> None:
    (user_id,) = new_users(1)
    ticket = ticket_of(stack, user_id)
    statuses = Counter(await asyncio.gather(*(try_ticket(stack, ticket) for _ in range(AT_ONCE))))
    assert statuses.pop(101) == 1
    assert statuses.keys() <= CLOSED
    assert statuses.total() == AT_ONCE - 1


async def test_a_ticket_is_long_random_and_good_for_nothing_but_the_url(stack: Stack) -> None:
    (user_id,) = new_users(1)
    tickets = [ticket_of(stack, user_id) for _ in range(3)]
    assert len({*tickets}) == 3
    assert min(map(len, tickets)) >= 43
    first = tickets[0]
    for headers in (
        bearer(first),
        {"Authorization": f"Ticket {first}"},
        {"X-Ticket": first},
        {"Cookie": f"ticket={first}"},
    ):
        assert await refused(stack, additional_headers=headers) in CLOSED
    for guess in (
        sha256(first.encode()).hexdigest(),
        first[:-1],
        first.swapcase(),
        f"{first}\u0000",
        mint(stack, user_id),
    ):
        assert await refused(stack, ticket=guess) in CLOSED
    assert http(stack, "GET", "/v1/me", token=first)[0] == 401
    async with connected(stack, "-", ticket=first) as client:
        await client.ask("ping")


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_pages_of_other_origins_are_kept_out_with_a_good_ticket(stack: Stack, scheme: str) -> None:
    ticket = http(stack, "POST", "/v1/tickets", user_id="alice")[1]["ticket"]
    hosts = [
        "evil.example",
        "localhost.evil.example:80",
        "localhost:80@evil.example",
        "evillocalhost:80",
        "localhost.:80",
    ]
    for origin in [*(f"{scheme}://{host}" for host in hosts), "null", "https://localhost:5173"]:
        assert await refused(stack, ticket=ticket, origin=origin) in CLOSED, origin


def forgeries(stack: Stack) -> list[str]:
    now = int(time.time())
    good = signed(stack.jwt_secret)
    head, payload, signature = good.split(".")
    claims = segment({"sub": "alice", "iat": now, "exp": now + 60})
    unsigned = [f"{segment({'alg': alg})}.{claims}." for alg in ("none", "None", "NONE", "nOnE", "")]
    return [
        *unsigned,
        f"{segment({'alg': 'none'})}.{payload}.{signature}",
        f"{head}.{claims}.{signature}x",
        f"{head}.{payload}.",
        f"{good}.x",
        signed("x" * 64),
        signed(stack.jwt_secret, exp=now - 1),
        signed(stack.jwt_secret, iat=now + 600),
        signed(stack.jwt_secret, nbf=now + 600),
        signed(stack.jwt_secret, user_id=["alice"]),
        signed(stack.jwt_secret, user_id="alice#bob"),
        signed(stack.jwt_secret, filler="x" * 8_192),
    ]


async def test_forged_tokens_open_neither_the_socket_nor_the_http_api_nor_prolong_a_connection(stack: Stack) -> None:
    tokens = forgeries(stack)
    for token in tokens:
        assert http(stack, "GET", "/v1/me", token=token)[0] == 401
    for token in tokens[::4]:
        assert await refused(stack, additional_headers=bearer(token)) in CLOSED
    async with connected(stack, "alice") as client:
        # As many as the frame's own limit lets through at once.
        replies = [await client.call("auth", token=token) for token in tokens[:8]]
    for reply in replies:
        assert (reply["success"], reply["code"]) == (False, "unauthenticated"), json.dumps(reply)


def test_an_outsider_on_the_deployed_stack_learns_and_changes_nothing(stack: Stack) -> None:
    alice, bob, mallory = new_users(3)
    made = http(
        stack, "POST", "/v1/conversations", user_id=alice, body={"type": "group", "name": "Ours", "members": [bob]}
    )
    group = made[1]["id"]
    path = f"/v1/conversations/{group}"
    assert http(stack, "POST", f"{path}/messages", user_id=alice, body={"content": "between us"})[0] == 201
    unknown = "/v1/conversations/group:zzzzzzzzzzzzzzzz"
    asked = [
        *(("GET", part, None) for part in ("", "/members", "/messages", "/messages/2")),
        *(
            ("POST", "/messages", {"content": "hi"}),
            ("POST", "/members", {"users": [mallory]}),
            ("POST", "/read", {"seq": 1}),
        ),
        *(
            ("PATCH", "", {"name": "Mine"}),
            ("DELETE", "", None),
            ("DELETE", "/messages/2", None),
            ("DELETE", f"/members/{bob}", None),
        ),
    ]
    for method, part, body in asked:
        status, answer = http(stack, method, path + part, user_id=mallory, body=body)
        same = http(stack, method, unknown + part, user_id=mallory, body=body)
        assert (status, answer["code"]) == (404, "not_a_member")
        assert (status, {**answer, "request_id": ""}) == (same[0], {**same[1], "request_id": ""})
    status, after = http(stack, "GET", f"{path}/messages", user_id=bob)
    assert [message["content"] for message in after["messages"]] == ["between us"]
    assert len(http(stack, "GET", f"{path}/members", user_id=bob)[1]["members"]) == 2
