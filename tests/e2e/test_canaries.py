"""Secrets sent through the whole deployed stack, and everything that it has written about it searched for them."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local.stack import Stack
from local.tokens import mint
from tests.e2e.conftest import OwnStack
from tests.e2e.pushes import android, behave, iphone, misbehave, pushed, until
from tests.e2e.raw_client import connected, http, new_users
from tests.e2e.test_attacks import ticket_of
from tests.e2e.test_edges import bearer, refused, signed
from tests.e2e.test_failures import outage, private, queues, said, set_aside
from tests.e2e.test_push import previews
from tests.local.emulated import client

# Where the stack keeps what it is for: the tables, the bucket, and the secret that scripts are told to read. And what
# the functions ask of AWS, since it is told to record that.
KEPT = {"state", "objects", "jwt-secret", "chats", "providers", "calls.jsonl"}


@dataclass
class Canaries:
    """One of each kind, unlike anything else there is."""

    run: str = field(default_factory=lambda: uuid.uuid4().hex)
    secrets: dict[str, str] = field(default_factory=dict)

    def new(self, kind: str) -> str:
        return self.add(kind, f"canary-{kind}-{self.run}")

    def add(self, kind: str, secret: str) -> str:
        self.secrets[kind] = secret
        return secret

    def found_in(self, data: bytes) -> set[str]:
        return {kind for kind, secret in self.secrets.items() if secret.encode() in data}


def written(own_stack: OwnStack) -> Iterator[Path]:
    """Everything in the stack's folder that is no data: logs, templates, bundles, and what it notes about itself."""
    home = own_stack.settings.home
    for path in home.rglob("*"):
        if path.is_file() and path.relative_to(home).parts[0] not in KEPT:
            yield path


async def talk(stack: Stack, canaries: Canaries, alice: str, bob: str) -> None:
    """What goes well, and what goes wrong: by frames."""
    async with connected(stack, alice, additional_headers=bearer(canaries.secrets["token"])) as one:
        await one.send(bob, canaries.new("text"))
        await one.ask("edit", conversation_id=private(alice, bob), seq=1, content=canaries.new("edit"))
        answers = [
            await one.call("message", to=bob, content=canaries.new("misplaced") * 200),
            await one.call("message", to=bob, content=[canaries.secrets["misplaced"]]),
            await one.call("message", conversation_id=canaries.secrets["misplaced"], content="x"),
            await one.call(canaries.secrets["misplaced"]),
            await one.call("auth", token=canaries.add("forged token", signed("x" * 64, note=canaries.run))),
            await one.call("auth", token=canaries.secrets["push token"]),
            await one.raw(f'{{"type": "message", "content": "{canaries.secrets["misplaced"]}'),
        ]
    for answer in answers:
        assert canaries.found_in(json.dumps(answer).encode()) == set()
    async with connected(stack, "-", ticket=canaries.secrets["ticket"]) as two:
        await two.ask("ping")


async def ask_wrongly(stack: Stack, canaries: Canaries, alice: str) -> None:
    """What goes wrong: by HTTP, and at the door."""
    wrong = canaries.secrets["misplaced"]
    asked: list[tuple[str, str, Any]] = [
        ("POST", "/v1/conversations", {"type": wrong}),
        ("POST", f"/v1/conversations/{wrong}/messages", {"content": wrong}),
        ("PUT", "/v1/devices/phone", {"platform": wrong, "token": canaries.secrets["push token"]}),
        ("PUT", "/v1/me", {"display_name": [wrong]}),
        ("GET", f"/v1/presence?users={wrong}%20", None),
        ("GET", f"/v1/{wrong}", None),
    ]
    for method, path, body in asked:
        status, answer = http(stack, method, path, user_id=alice, body=body)
        assert 400 <= status < 500
        assert canaries.found_in(json.dumps(answer).encode()) == set()
    expired = canaries.add("expired token", signed(stack.jwt_secret, exp=1, note=canaries.run))
    assert http(stack, "GET", "/v1/me", token=expired)[0] == 401
    for headers in (bearer(expired), bearer(wrong)):
        assert await refused(stack, additional_headers=headers) in {401, 403}
    assert await refused(stack, ticket=canaries.new("made-up ticket")) in {401, 403}
    assert await refused(stack, ticket=canaries.secrets["ticket"]) in {401, 403}


def bodies(own_stack: OwnStack) -> list[str]:
    """What lies in the failure queues."""
    sqs = client(own_stack.settings, "sqs")
    found = []
    for url in queues(own_stack).values():
        answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        found += [message["Body"] for message in answer.get("Messages", ())]
    return found


@pytest.fixture(autouse=True)
def clean(own_stack: OwnStack, stack: Stack) -> Iterator[None]:
    yield
    behave(stack)
    for url in queues(own_stack).values():
        client(own_stack.settings, "sqs").purge_queue(QueueUrl=url)


def test_no_secret_is_in_a_log_a_template_a_bundle_a_queue_an_error_or_a_push(
    own_stack: OwnStack, stack: Stack
) -> None:
    canaries, (alice, bob, carol) = Canaries(), new_users(3)
    canaries.add("signing secret", stack.jwt_secret)
    canaries.add("token", mint(stack, alice))
    canaries.add("ticket", ticket_of(stack, alice))
    tokens = [canaries.add("push token", android(stack, bob)), canaries.add("apns token", iphone(stack, bob))]
    to_carol = canaries.add("third push token", android(stack, carol))
    for user, on in ((bob, False), (carol, True)):
        previews(stack, user, on=on)

    asyncio.run(talk(stack, canaries, alice, bob))
    asyncio.run(ask_wrongly(stack, canaries, alice))
    asyncio.run(pushes_without_text(stack, canaries, alice, (bob, tokens), (carol, to_carol)))
    asyncio.run(a_push_that_is_refused(own_stack, stack, canaries, alice, bob))
    with outage(own_stack, "OfflinePush", FCM_QUEUE_URL=f"{stack.endpoint_url}/000000000000/nowhere"):
        send(stack, alice, bob, canaries.secrets["text"])
        asyncio.run(until(lambda: set_aside(own_stack, "stream-records")))
    for body in bodies(own_stack):
        assert canaries.found_in(body.encode()) == set()

    searched = 0
    for path in written(own_stack):
        assert canaries.found_in(path.read_bytes()) == set(), path.relative_to(own_stack.settings.home)
        searched += 1
    assert searched > 100  # templates, bundles and logs
    log = own_stack.settings.log("functions").read_text(encoding="utf-8")
    assert "handshake refused" in log  # and there was something to write about
    assert "push not taken" in log


def send(stack: Stack, sender: str, to: str, text: str) -> None:
    body = {"type": "private", "with": to}
    assert http(stack, "POST", "/v1/conversations", user_id=sender, body=body)[0] in {200, 201}
    path = f"/v1/conversations/{private(sender, to)}/messages"
    assert http(stack, "POST", path, user_id=sender, body={"content": text})[0] == 201


async def pushes_without_text(
    stack: Stack, canaries: Canaries, sender: str, plain: tuple[str, list[str]], open_: tuple[str, str]
) -> None:
    """A push says what was written to users who asked for that, and to no others."""
    (bob, tokens), (carol, to_carol) = plain, open_
    text = canaries.secrets["text"]
    await asyncio.to_thread(send, stack, sender, bob, text)
    for token in tokens:
        for push in await pushed(stack, token):
            assert canaries.found_in(json.dumps(push["payload"]).encode()) <= {"push token", "apns token"}
    await asyncio.to_thread(send, stack, sender, carol, text)
    [push] = await pushed(stack, to_carol)
    assert text in json.dumps(push["payload"])


async def a_push_that_is_refused(own_stack: OwnStack, stack: Stack, canaries: Canaries, sender: str, to: str) -> None:
    """The provider's words go into the log, and quote what they are about."""
    token = canaries.secrets["push token"]
    before = said(own_stack, "push not taken")
    misbehave(stack, provider="fcm", token=token, do="answer", status=400, reason="INVALID_ARGUMENT", field=token)
    await asyncio.to_thread(send, stack, sender, to, canaries.secrets["text"])
    await until(lambda: said(own_stack, "push not taken") > before)
