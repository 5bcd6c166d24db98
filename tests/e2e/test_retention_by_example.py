"""How long a conversation is kept, on the deployed stack, by the commands of docs/retention.md, of users of its own."""

from __future__ import annotations

import asyncio
import shutil
from typing import Any

import pytest

from local.stack import Stack
from local.tokens import mint
from shared.domain.text import private_conversation_id
from tests.e2e.examples import commands, run
from tests.e2e.raw_client import new_users
from tests.e2e.test_rights import over

PAGE = "docs/retention.md"


class Two:
    """The two of the page, and the team's server."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.alice, self.bob = new_users(2)
        self.place = private_conversation_id(self.alice, self.bob)

    async def run(self, heading: str, block: int = 0) -> list[Any]:
        script = commands(PAGE, heading)[block].replace("dm:alice:bob", self.place)
        script = script.replace("users/bob/", f"users/{self.bob}/").replace(
            "Parley-As: alice", f"Parley-As: {self.alice}"
        )
        script = script.replace('"sender_id": "bob"', f'"sender_id": "{self.bob}"')
        tokens = {"ALICE": mint(self.stack, self.alice), "BOB": mint(self.stack, self.bob)}
        given = {"HTTP_URL": self.stack.http_url, "TOKEN": mint(self.stack, "backend", scope="admin"), **tokens}
        return await asyncio.to_thread(lambda: run(script, **given))


def shown(page: Any) -> tuple[list[str], int]:
    return [message["content"] for message in page["messages"]], page.get("trimmed_below", 0)


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
async def test_what_is_old_ends_by_a_rule_is_held_and_does_not_come_back(stack: Stack) -> None:
    two = Two(stack)
    (imported,) = await two.run("History with its own times")
    assert (imported["imported"], imported["duplicates"]) == (4, 0)
    (again,) = await two.run("History with its own times")
    assert again["imported"] == 0
    kept = ["from 10 days ago", "from 20 days ago"], 3
    changed, page = await two.run("A rule of its own")
    assert changed["retention_days"] == 30
    assert shown(page) == kept
    held, begun = await two.run("A legal hold")
    assert (held["conversation_id"], held["reason"]) == (two.place, "case 4711")
    assert begun["status"] in {"running", "done"}
    assert (await over(stack, two.bob, "removal"))["status"] == "done"
    (removal,) = await two.run("A legal hold", 1)
    assert removal["progress"]["held"] == 2
    lifted, page = await two.run("And without both")
    assert lifted["retention_days"] is None
    assert shown(page) == kept
