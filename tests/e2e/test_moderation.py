"""Moderation on the deployed stack, by the commands of docs/moderation.md."""

from __future__ import annotations

import asyncio
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from local.ports import free_port
from local.stack import Stack
from local.tokens import mint
from shared.domain.text import private_conversation_id
from tests.e2e.conftest import OwnStack
from tests.e2e.examples import commands, example, run
from tests.e2e.raw_client import connected, http, new_users
from tests.e2e.test_events_out import running, until
from tests.e2e.test_failures import outage
from tests.local.emulated import client

PAGE = "docs/moderation.md"


def scripts(heading: str, **replaced: str) -> str:
    """The commands under a heading, about somebody of this test."""
    text = "".join(commands(PAGE, heading))
    for written, own in replaced.items():
        text = text.replace(written, own)
    return text


class Moderated:
    """Two users who talk, and who moderates."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.alice, self.bob, self.mod = new_users(3)
        self.place = private_conversation_id(self.alice, self.bob)

    def run(self, script: str, user: str = "") -> list[Any]:
        tokens = {
            "HTTP_URL": self.stack.http_url,
            "TOKEN": mint(self.stack, user or self.alice),
            "MODERATOR": mint(self.stack, self.mod, scope="moderation"),
            "ADMIN": mint(self.stack, self.mod, scope="admin"),
            "OWNER": mint(self.stack, self.alice),
        }
        return run(script, **tokens)

    def history(self, user: str) -> list[str | None]:
        status, body = http(self.stack, "GET", f"/v1/conversations/{self.place}/messages", user_id=user)
        assert status == 200, body
        return [one["content"] for one in body["messages"]]


async def test_a_reported_message_is_deleted_by_the_commands_of_the_page(stack: Stack) -> None:
    all_of = Moderated(stack)
    async with connected(stack, all_of.bob) as bob:
        sent = await bob.send(all_of.alice, "buy canaries")
    report, listing, decision = scripts("Reports").strip().splitlines()
    report = report.replace('"seq": 42', f'"seq": {sent["seq"]}').replace("dm:alice:bob", all_of.place)
    (made,) = await asyncio.to_thread(all_of.run, report)
    (queue,) = await asyncio.to_thread(all_of.run, listing)
    assert any(one["id"] == made["id"] and one["message"]["content"] == "buy canaries" for one in queue["reports"])
    decision = decision.replace("6f1e0b7a9d3e4f62a8b1c0d9e7f61234", made["id"])
    (decided,) = await asyncio.to_thread(all_of.run, decision)
    assert (decided["status"], decided["decision"]["by"]) == ("decided", all_of.mod)
    assert all_of.history(all_of.alice) == [None]


async def test_words_are_masked_and_held_messages_approved(stack: Stack) -> None:
    all_of = Moderated(stack)
    await asyncio.to_thread(all_of.run, scripts("Words"))
    hold = scripts("Words", mask="hold", insults="waiting", **{"scoundrel*": f"wait{all_of.mod}"})
    await asyncio.to_thread(all_of.run, hold)
    async with connected(stack, all_of.bob) as bob:
        for _ in range(300):  # each function goes by the lists of the last ten seconds
            await bob.send(all_of.alice, "you scoundrels", after=None)
            if all_of.history(all_of.bob)[0] == "you **********":
                break
            await asyncio.sleep(0.1)
        assert all_of.history(all_of.alice)[0] == "you **********"
        for _ in range(300):
            held = await bob.send(all_of.alice, f"wait{all_of.mod}", after=None)
            if "held_id" in held:
                break
            await asyncio.sleep(0.1)
        assert (held["status"], "seq" in held) == ("held", False)
        listing, decision = scripts("Held messages").strip().splitlines()
        (queue,) = await asyncio.to_thread(all_of.run, listing)
        assert held["held_id"] in [one["id"] for one in queue["held"]]
        decision = decision.replace("6f1e0b7a9d3e4f62a8b1c0d9e7f61234", held["held_id"])
        (decided,) = await asyncio.to_thread(all_of.run, decision)
        await bob.until(lambda: any(one.get("seq") == decided["seq"] for one in bob.events))
    assert all_of.history(all_of.alice)[0] == f"wait{all_of.mod}"


async def test_a_shadow_banned_user_talks_to_themselves(stack: Stack) -> None:
    all_of = Moderated(stack)
    ban, lift = scripts("Shadow bans").strip().splitlines()
    async with connected(stack, all_of.alice) as alice, connected(stack, all_of.bob) as bob:
        await bob.send(all_of.alice, "hello")
        await asyncio.to_thread(all_of.run, ban.replace("/bob/", f"/{all_of.bob}/"))
        hidden = await bob.send(all_of.alice, "buy canaries", after=1)
        await alice.until(lambda: any(one["type"] == "withheld" for one in alice.events))
        assert "canaries" not in str(alice.events)
        synced = await alice.ask("sync", conversations={all_of.place: 0})
        (one,) = synced["conversations"]
        assert [(entry["seq"], entry["type"]) for entry in one["entries"]] == [
            (1, "new_message"),
            (hidden["seq"], "withheld"),
        ]
    assert all_of.history(all_of.bob) == ["buy canaries", "hello"]
    assert all_of.history(all_of.alice) == ["hello"]
    await asyncio.to_thread(all_of.run, lift.replace("/bob/", f"/{all_of.bob}/"))


async def test_all_messages_of_a_user_are_taken_away(stack: Stack) -> None:
    all_of = Moderated(stack)
    async with connected(stack, all_of.bob) as bob, connected(stack, all_of.alice) as alice:
        await bob.send(all_of.alice, "one")
        await alice.send(all_of.bob, "mine", after=1)
        await bob.send(all_of.alice, "two", after=2)
    begin, look = scripts("All messages of a user").replace("/bob/", f"/{all_of.bob}/").strip().splitlines()
    await asyncio.to_thread(all_of.run, begin)
    for _ in range(300):
        (job,) = await asyncio.to_thread(all_of.run, look)
        if job["status"] == "done":
            break
        await asyncio.sleep(0.1)
    assert job["progress"]["messages"] == 2
    assert all_of.history(all_of.alice) == [None, "mine", None]


def test_the_hook_of_the_page_decides(own_stack: OwnStack, stack: Stack, tmp_path: Path) -> None:
    """It is told to the two functions that store messages as they run, as if they had been deployed with it."""
    all_of, port, hook = Moderated(stack), free_port(), tmp_path / "hook.py"
    hook.write_text(example(PAGE, "python", "def decide("), encoding="utf-8")
    secrets = client(own_stack.settings, "secretsmanager")
    secret = all_of.mod * 3
    arn = secrets.create_secret(Name=f"other-{all_of.mod}", SecretString=secret)["ARN"]  # one that is planted
    asked = {"MESSAGE_HOOK": f"http://localhost:{port}", "MESSAGE_HOOK_SECRET_ARN": arn, "MESSAGE_HOOK_FAILS": "closed"}
    script = scripts("The hook").replace("dm:alice:bob", all_of.place)
    http(stack, "POST", "/v1/conversations", user_id=all_of.alice, body={"type": "private", "with": all_of.bob})
    with ExitStack() as planted:
        planted.enter_context(running(sys.executable, str(hook), PORT=str(port), HOOK_SECRET=secret))
        for function in ("Message", "Rest"):
            planted.enter_context(outage(own_stack, function, **asked))
        path = f"/v1/conversations/{all_of.place}/messages"
        until(lambda: http(stack, "POST", path, user_id=all_of.alice, body={"content": "hello"})[0] == 201)
        refused, rewritten, held = all_of.run(script)
        again = all_of.run(script)
    assert (refused["code"], refused["reason"], refused["error"]) == ("rejected", "no_links", "No links, please")
    assert held["status"] == "held"
    assert [one.get("reason") for one in again] == ["no_links", None, None]
    assert (again[1]["seq"], again[2]["held_id"]) == (rewritten["seq"], held["held_id"])
    assert all_of.history(all_of.bob)[0] == "d*rn it"


def test_slow_mode_and_freezing_keep_plain_members_and_not_the_owner(stack: Stack) -> None:
    all_of = Moderated(stack)
    body = {"type": "group", "name": "team", "members": [all_of.bob]}
    _, group = http(stack, "POST", "/v1/conversations", user_id=all_of.alice, body=body)
    path = f"/v1/conversations/{group['id']}/messages"

    def write(user: str) -> tuple[int, Any]:
        return http(stack, "POST", path, user_id=user, body={"content": "hello"})

    slow, freeze = scripts("Slow mode and freezing").replace("group:3q2eHk0T9bZxVd7a", group["id"]).strip().splitlines()
    assert all_of.run(slow)[0]["slow_mode"] == 30
    assert write(all_of.bob)[0] == 201
    status, refused = write(all_of.bob)
    assert (status, refused["code"]) == (429, "rate_limited")
    assert 0 < refused["retry_after_ms"] <= 30_000
    assert all_of.run(freeze)[0]["frozen"] is True
    status, refused = write(all_of.bob)
    assert (status, refused["code"]) == (403, "forbidden")
    assert [write(all_of.alice)[0] for _ in range(2)] == [201, 201]
