"""The table of roles is another on a running stack, by the commands of docs/groups.md; and then the first one again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from local.stack import Stack
from tests.e2e.conftest import OwnStack
from tests.e2e.examples import example
from tests.e2e.test_groups_by_example import PAGE, Team

HEADING = "Another table of roles"


@pytest.fixture
def changed(own_stack: OwnStack, stack: Stack) -> Iterator[Stack]:
    """The suite's stack, with the page's table for as long as the test takes."""
    command = example(PAGE, "bash", "PARLEY_PERMISSIONS")
    written = re.fullmatch(r"PARLEY_PERMISSIONS='(.+)' make up\n", command)
    assert written is not None
    environment = own_stack.environment | {"PARLEY_PERMISSIONS": written[1]}
    try:
        replace(own_stack, environment=environment).run("up")
        yield stack
    finally:
        own_stack.run("up")


def test_members_pin_and_nobody_makes_links_until_the_first_table_is_back(changed: Stack, own_stack: OwnStack) -> None:
    team = Team(changed)
    team.say("alice", "the date")
    told, pinned, refused, risen, afterwards = team.run(HEADING)
    assert "pin" in told["permissions"]
    assert "create_invites" not in told["permissions"]
    assert (pinned["type"], pinned["seq"], pinned["removed"]) == ("pin", 2, False)
    assert (refused["code"], refused["error"]) == ("forbidden", "No members of the group can make links")
    assert risen["role"] == "admin"
    assert set(told["permissions"]) < set(afterwards["permissions"])
    assert "create_invites" not in afterwards["permissions"]

    own_stack.run("up")
    (link,) = team.run("By a link")
    assert link["token"]
    assert team.run("Pins")[1]["pins"][0]["pinned_by"] == team.users["bob"]
