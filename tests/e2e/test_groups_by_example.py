"""What groups can do, on the deployed stack, by the commands of docs/groups.md: the users there are this test's own."""

from __future__ import annotations

import re
from typing import Any

import pytest

from local.stack import Stack
from local.tokens import mint
from tests.e2e.examples import commands, run
from tests.e2e.raw_client import http, new_users

PAGE = "docs/groups.md"
NAMES = ("alice", "bob", "carol", "dave", "erin", "frank", "grace")
GROUP = "group:3q2eHk0T9bZxVd7a"
LINK = "pD0Zk7bqvWm2c5yT"


class Team:
    """The users of the page, and their group."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.users = dict(zip(NAMES, new_users(len(NAMES)), strict=True))
        (made,) = self.run("Making one")
        self.made, self.group = made, made["id"]

    def run(self, heading: str, block: int = 0, **replaced: str) -> list[Any]:
        """What the commands under a heading print, about this group and its users."""
        script = commands(PAGE, heading)[block]
        for name, own in self.users.items():
            script = re.sub(rf"(?<=[/\"]){name}\b", own, script)
        if heading != "Making one":
            script = script.replace(GROUP, self.group)
        for written, own in replaced.items():
            script = script.replace(written, own)
        tokens = {name.upper(): mint(self.stack, user) for name, user in self.users.items()}
        return run(script, HTTP_URL=self.stack.http_url, **tokens)

    def say(self, name: str, content: str) -> int:
        path = f"/v1/conversations/{self.group}/messages"
        status, sent = http(self.stack, "POST", path, user_id=self.users[name], body={"content": content})
        assert status == 201, sent
        return int(sent["seq"])

    def members(self) -> dict[str, Any]:
        path = f"/v1/conversations/{self.group}/members"
        _, found = http(self.stack, "GET", path, user_id=self.users["alice"])
        names = {user: name for name, user in self.users.items()}
        return {names[one["user_id"]]: one for one in found["members"]}


@pytest.fixture
def team(stack: Stack) -> Team:
    return Team(stack)


def test_a_group_is_made_as_it_is_to_be(team: Team) -> None:
    said = {name: team.made[name] for name in ("name", "topic", "avatar", "data", "role")}
    assert said == {
        "name": "Team A",
        "topic": "Release on Friday",
        "avatar": "https://example.com/team.png",
        "data": {"project": 7},
        "role": "owner",
    }
    assert team.members().keys() == {"alice", "bob"}


def test_topic_avatar_and_data_change_and_a_members_own(team: Team) -> None:
    changed, own, seen = team.run("Topic, avatar, data")
    for one in (changed, seen):
        assert (one["topic"], one["avatar"], one["data"]) == ("Release on Monday", None, {"project": 8})
    assert own["data"] == team.members()["bob"]["data"] == {"shift": "late"}


def test_an_open_group_takes_who_comes(team: Team) -> None:
    opened, joined = team.run("An open group")
    assert (opened["join"], joined["role"]) == ("open", "member")
    assert team.members().keys() == {"alice", "bob", "carol"}


def test_who_asks_waits_and_is_let_in(team: Team) -> None:
    changed, asked, waiting, accepted = team.run("On request")
    assert (changed["join"], asked["status"], accepted["status"]) == ("request", "requested", "accepted")
    assert [one["user_id"] for one in waiting["requests"]] == [team.users["dave"]]
    assert "dave" in team.members()


def test_a_link_for_one_lets_in_one(team: Team) -> None:
    (link,) = team.run("By a link")
    seen, joined, refused, left = team.run("By a link", 1, **{LINK: link["token"]})
    assert (link["max_uses"], seen["conversation_id"], joined["id"]) == (1, team.group, team.group)
    assert (refused["code"], left["invites"]) == ("not_found", [])
    assert team.members().keys() == {"alice", "bob", "erin"}


def test_a_pin_is_seen_until_it_is_taken_off(team: Team) -> None:
    assert team.say("bob", "the date") == 2
    pinned, seen, taken_off = team.run("Pins")
    assert (pinned["removed"], taken_off["removed"]) == (False, True)
    assert [(one["seq"], one["message"]["content"]) for one in seen["pins"]] == [(2, "the date")]
    assert team.run("Pins")[1]["pins"][0]["pinned_by"] == team.users["alice"]


def test_who_comes_later_sees_nothing_of_before(team: Team) -> None:
    team.say("alice", "between us")
    changed, added, history = team.run("What newcomers see")
    assert changed["history"] == "from_joining"
    assert added["added"] == [team.users["grace"]]
    assert history["messages"] == []
    assert team.members()["grace"]["visible_from"] > 2


def test_everybody_is_mentioned_by_whom_roles_allow_it(team: Team) -> None:
    sent, refused = team.run("Everybody at once")
    assert sent["seq"] > 1
    assert refused["code"] == "forbidden"
