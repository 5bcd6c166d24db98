"""The chat page in a real browser, as people use it: each scenario of `tests/web` on the deployed stack."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from local import tokens
from local.stack import Stack
from shared.domain.text import private_conversation_id
from tests.e2e.raw_client import http, new_users
from tests.web.player import play

MANY = 10_000
# The emulator takes most of a second for a page of so long a log: all of it would take minutes.
SCROLLED = 1_500
_BATCH = 25


@pytest.fixture
def url(stack: Stack) -> str:
    """Where the stack serves the page."""
    return f"{stack.endpoint_url}/ui/"


@pytest.mark.parametrize(
    "scenario",
    [
        "two_windows",
        "offline",
        "reload",
        "files",
        "group",
        "ways",
        "two_tabs",
        "around",
        "edges",
        "looks",
        "access",
        "drafts",
        "uploads",
        "touch",
    ],
)
def test_people_chat(scenario: str, stack: Stack, url: str, tmp_path: Path) -> None:
    a, b, c = new_users(3)
    server = tokens.mint(stack, "shop", scope="notifications:send")
    play(scenario, url, tmp_path, a=a, b=b, c=c, pictures=str(tmp_path), server=server, http_url=stack.http_url)


def test_who_reads_a_channel_writes_nothing(stack: Stack, url: str, tmp_path: Path) -> None:
    a, b = new_users(2)
    house = {"type": "channel", "name": "The house", "join": "open"}
    _, made = http(stack, "POST", "/v1/conversations", user_id=a, body=house)
    status, _ = http(stack, "PUT", f"/v1/conversations/{made['id']}/members/{b}", user_id=b)
    assert status in {200, 201}
    play("channel", url, tmp_path, a=a, b=b, channel=made["id"], pictures=str(tmp_path))


def test_what_the_teams_server_says_is_shown(stack: Stack, url: str, tmp_path: Path) -> None:
    a, b, c = new_users(3)
    admin = tokens.mint(stack, "ops", scope="admin")
    play("team", url, tmp_path, a=a, b=b, c=c, admin=admin, http_url=stack.http_url, pictures=str(tmp_path))


def test_users_that_change_and_guests(stack: Stack, url: str, tmp_path: Path) -> None:
    a, b, g = new_users(3)
    admin, guest = tokens.mint(stack, "ops", scope="admin"), tokens.mint(stack, g, scope="guest")
    given = {"admin": admin, "guest": guest, "http_url": stack.http_url, "pictures": str(tmp_path)}
    play("users", url, tmp_path, a=a, b=b, g=g, **given)


@pytest.mark.usefixtures("short_lives")
def test_connections_that_do_not_last_lose_nothing(stack: Stack, url: str, tmp_path: Path) -> None:
    a, b = new_users(2)
    play("lives", url, tmp_path, a=a, b=b)


def test_a_token_that_ends_is_signed_in_again_or_replaced(stack: Stack, url: str, tmp_path: Path) -> None:
    a, b = new_users(2)
    given = {
        "token": tokens.mint(stack, a, ttl=16),
        "short": tokens.mint(stack, b, ttl=8),
        "fresh": tokens.mint(stack, b),
    }
    play("tokens", url, tmp_path, a=a, b=b, **given)


def test_ten_thousand_messages_are_scrolled(stack: Stack, url: str, tmp_path: Path) -> None:
    a, b = new_users(2)
    conversation_id = private_conversation_id(a, b)
    body = {"content": "message 1", "client_message_id": "1", "after": 0}
    http(stack, "POST", "/v1/conversations", user_id=a, body={"type": "private", "with": b})
    assert http(stack, "POST", f"/v1/conversations/{conversation_id}/messages", user_id=a, body=body)[0] == 201
    _repeat(stack, conversation_id, a)
    play("long", url, tmp_path, a=a, conversation=conversation_id, count=MANY, back=MANY - SCROLLED)


def _repeat(stack: Stack, conversation_id: str, author: str) -> None:
    """Copies of the conversation's first message, up to MANY: sending them would take as long as limits ask for."""
    table = boto3.resource(
        "dynamodb",
        endpoint_url=stack.endpoint_url.replace("localhost", "127.0.0.1"),
        region_name=stack.region,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # the emulator takes any
    ).Table(stack.tables.log)
    first = table.get_item(Key={"conversation_id": conversation_id, "seq": 1})["Item"]
    with table.batch_writer() as batch:
        for seq in range(2, MANY + 1):
            copy = {"seq": seq, "number": seq, "authors": {author: seq}, "content": f"message {seq}"}
            batch.put_item(first | copy | {"client_message_id": str(seq)})
