"""Mails of what was missed on the deployed stack, by the commands of docs/mail.md, to the laptop's SES."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from local.stack import Stack
from local.tokens import mint
from tests.e2e.conftest import OwnStack
from tests.e2e.examples import commands, run
from tests.e2e.pushes import asked, until
from tests.e2e.raw_client import http, new_users
from tests.e2e.test_push import private, say
from tests.local.emulated import client

HOUR_S = 3_600


class Mailed:
    """Alice, who writes, and bob, who is away."""

    def __init__(self, own_stack: OwnStack, stack: Stack) -> None:
        self.own, self.stack = own_stack, stack
        self.alice, self.bob, self.admin = new_users(3)
        self.address = f"{self.bob}@example.com"
        self.scripts = [
            text.replace("bob@example.com", self.address)
            .replace("dm:alice:bob", private(self.alice, self.bob))
            .replace("users/bob", f"users/{self.bob}")
            .replace('"with": "bob"', f'"with": "{self.bob}"')
            for heading in ("On a laptop", "When mails come back")
            for text in commands("docs/mail.md", heading)
        ]

    async def run(self, number: int, **more: str) -> list[Any]:
        given = {
            "HTTP_URL": self.stack.http_url,
            "PUSHES_URL": self.stack.pushes_url or "",
            "TOKEN": mint(self.stack, self.alice),
            "BOBS_TOKEN": mint(self.stack, self.bob),
            "ADMIN_TOKEN": mint(self.stack, self.admin, scope="admin"),
        }
        return await asyncio.to_thread(run, self.scripts[number], **given, **more)

    def ask(self, method: str, path: str, body: Any = None, *, user: str = "", scope: str = "admin") -> Any:
        token = mint(self.stack, user or self.admin, scope="" if user else scope)
        status, answer = http(self.stack, method, path, body=body, token=token)
        assert status < 300, (path, answer)
        return answer

    def mails(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = asked(self.stack, "GET", f"/mails?to={self.address}")
        return found

    def look(self) -> None:
        """Have who is due looked at, as the rule does every minute."""
        sqs = client(self.own.settings, "sqs")
        (url,) = [url for url in sqs.list_queues()["QueueUrls"] if "LooksQueue" in url]
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"kind": "mail"}))

    def mailed(self) -> list[dict[str, Any]]:
        self.look()
        return self.mails()

    def note(self) -> dict[str, Any]:
        """What is stored of mails to bob."""
        key = {"pk": {"S": f"user#{self.bob}"}, "sk": {"S": "mail"}}
        row = client(self.own.settings, "dynamodb").get_item(
            TableName=self.stack.tables.members, Key=key, ConsistentRead=True
        )
        return {name: value.get("N") for name, value in row["Item"].items()}


async def test_the_example_of_the_page_one_mail_and_none_of_what_is_not_for_its_reader(
    own_stack: OwnStack, stack: Stack
) -> None:
    all_of = Mailed(own_stack, stack)
    blocked, shadowed, sorry = new_users(3)
    say(stack, blocked, all_of.bob, "from the blocked one")
    all_of.ask("PUT", f"/v1/blocks/{blocked}", user=all_of.bob)
    say(stack, shadowed, all_of.bob, "from before the ban")
    seq = say(stack, sorry, all_of.bob, "the deleted one")["seq"]
    all_of.ask("DELETE", f"/v1/conversations/{private(sorry, all_of.bob)}/messages/{seq}", user=sorry)
    all_of.ask("PUT", f"/v1/users/{shadowed}/shadow-ban", {})
    say(stack, shadowed, all_of.bob, "from the hidden one")

    set_up = await all_of.run(0)
    assert (set_up[0]["email"], set_up[1]["mail"]) == (all_of.address, "all")
    (mail,) = await until(all_of.mailed)
    ((shown,),) = await all_of.run(1)
    assert shown == mail
    assert (mail["from"], mail["to"]) == ("chat@example.com", [all_of.address])
    assert "2 conversations" in mail["subject"]
    for text in (mail["text"], mail["html"]):
        assert "Lunch at noon?" in text
        assert "from before the ban" in text
        assert not [word for word in ("blocked", "deleted", "hidden") if word in text]

    say(stack, all_of.alice, all_of.bob, "Or at one?")

    def is_put_off() -> bool:
        all_of.look()
        return int(all_of.note()["due_at"]) >= int(all_of.note()["mailed_at"]) + 24 * HOUR_S * 1_000

    await until(is_put_off)
    assert all_of.mails() == [mail]

    status, profile = await all_of.run(2, UNSUBSCRIBE=mail["unsubscribe"])
    assert (status, profile["mail"]) == (200, "off")


async def test_what_is_held_is_not_mailed(own_stack: OwnStack, stack: Stack) -> None:
    all_of = Mailed(own_stack, stack)
    (sender,) = new_users(1)
    word = f"wait{sender.rpartition('-')[2]}"
    all_of.ask("PUT", f"/v1/word-lists/{word}", {"action": "hold", "words": [word]})
    all_of.ask("POST", "/v1/conversations", {"type": "private", "with": all_of.bob}, user=sender)
    path = f"/v1/conversations/{private(sender, all_of.bob)}/messages"
    answers: list[Any] = []

    def is_held() -> bool:  # each function goes by the lists of the last ten seconds
        answers.append(all_of.ask("POST", path, {"content": f"the {word}, number {len(answers)}."}, user=sender))
        return "held_id" in answers[-1]

    await until(is_held)
    await all_of.run(0)
    (mail,) = await until(all_of.mailed)
    through = len(answers) - 1
    if through:  # of more than 25 in a conversation it says that there are more
        counted = f"{min(through, 25) + 1}{'+' if through >= 25 else ''}"
        assert mail["subject"] == f"{counted} unread messages in 2 conversations"
    assert f"number {through}." not in mail["text"] + mail["html"]
    all_of.ask("DELETE", f"/v1/word-lists/{word}")


async def test_who_does_not_get_mails_is_sent_no_more_and_sees_why(own_stack: OwnStack, stack: Stack) -> None:
    all_of = Mailed(own_stack, stack)
    await all_of.run(0)
    (mail,) = await until(all_of.mailed)
    for outcome in ("soft_bounce", "not_spam"):
        asked(stack, "POST", "/mails/outcome", {"to": all_of.address, "outcome": outcome})
    assert await all_of.run(3) == [204]

    def stopped() -> Any:
        return all_of.ask("GET", "/v1/me", user=all_of.bob)["mail_stopped"]

    assert await until(stopped) == "bounce"
    (profile,) = await all_of.run(4)
    assert profile["mail_stopped"] == "bounce"
    user = all_of.ask("GET", f"/v1/users/{all_of.bob}")
    assert (user["email"], user["mail_stopped"]) == (all_of.address, "bounce")
    changed = all_of.ask("PUT", f"/v1/users/{all_of.bob}", {"email": f"other-{all_of.address}"})
    assert changed["mail_stopped"] is None
    assert stopped() is None
    assert all_of.mails() == [mail]
