"""Conversations and their members: what happens, who is told, and how it looks afterwards."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from functions.rest.api import make_api
from shared.domain.limits import Limit
from shared.limits.invites import HOUR_S, InviteLimiter
from tests.fakes import FakeClock
from tests.functions.rest.harness import BLOCKED_DM, DM, GROUP, RestHarness, now, online, settled


def test_the_inbox_pages_by_a_cursor_that_only_its_user_can_use() -> None:
    harness = RestHarness()
    for number in range(3):
        harness.stores.write("u", "x", conversation_id=f"dm:alice:u{number}", at=number)
    first = harness.call("GET", "/v1/conversations", query={"limit": "2"}).body
    cursor = {"cursor": first["next_cursor"]}
    second = harness.call("GET", "/v1/conversations", query={"limit": "2", **cursor}).body
    seen = [one["id"] for one in (*first["conversations"], *second["conversations"])]
    assert seen == ["dm:alice:u2", "dm:alice:u1", "dm:alice:u0"]
    assert second["next_cursor"] is None
    assert harness.call("GET", "/v1/conversations", user="mallory", query=cursor).code == "bad_request"


def test_a_page_of_the_inbox_is_never_longer_than_the_deployment_has_it() -> None:
    harness = RestHarness(page_limit=2)
    for number in range(3):
        harness.stores.write("u", "x", conversation_id=f"dm:alice:u{number}", at=number)
    page = harness.call("GET", "/v1/conversations", query={"limit": "100"}).body
    assert len(page["conversations"]) == 2
    assert page["next_cursor"] is not None


def test_one_conversation_is_shown_as_the_inbox_shows_it_with_the_own_role(harness: RestHarness) -> None:
    inbox = {one["id"]: one for one in harness.call("GET", "/v1/conversations", user="bob").body["conversations"]}
    private = harness.call("GET", f"/v1/conversations/{DM}", user="bob").body
    assert (private.pop("permissions")[0], private) == ("send", inbox[DM])
    group = harness.call("GET", f"/v1/conversations/{GROUP}", user="bob").body
    assert "pin" in group.pop("permissions")
    assert group == {**inbox[GROUP], "role": "admin"}
    assert (group["name"], group["member_count"], group["members"], group["head"]) == ("Team", 3, None, 4)
    assert group["last_message"]["content"] == "five"


def test_a_group_tells_its_members_that_it_was_made(harness: RestHarness) -> None:
    online(harness, "bob", "dave")
    body = {"type": "group", "name": "New", "members": ["bob", "carol", "bob"]}
    made = harness.call("POST", "/v1/conversations", body=body).body
    assert (made["members"], made["role"], made["head"]) == (["alice", "bob", "carol"], "owner", 1)
    (event,) = harness.events("bob-1")
    assert (event["type"], event["name"], event["users"]) == ("member_added", "New", ["alice", "bob", "carol"])
    assert harness.events("dave-1") == []


def test_a_named_group_is_made_once_and_is_called_what_it_is_called_now(harness: RestHarness) -> None:
    body = {"type": "group", "name": "First", "members": ["bob"], "client_conversation_id": "k"}
    made = harness.call("POST", "/v1/conversations", body=body)
    harness.call("PATCH", f"/v1/conversations/{made.body['id']}", body={"name": "Second"})
    again = harness.call("POST", "/v1/conversations", body=body)
    assert (made.status, again.status) == (201, 200)
    assert again.body == {**made.body, "name": "Second", "head": 2}


def test_a_rename_is_told_and_shown(harness: RestHarness) -> None:
    online(harness, "carol")
    body = harness.call("PATCH", f"/v1/conversations/{GROUP}", user="bob", body={"name": "Team A"}).body
    assert (body["name"], body["head"], body["role"]) == ("Team A", 5, "admin")
    (event,) = harness.events("carol-1")
    assert event["changes"] == {"name": "Team A"}


def test_who_leaves_is_out_and_everyone_is_told_also_who_left(harness: RestHarness) -> None:
    online(harness, "alice", "carol")
    harness.call("DELETE", f"/v1/conversations/{GROUP}", user="carol")
    assert harness.call("GET", f"/v1/conversations/{GROUP}", user="carol").code == "not_a_member"
    for connection in ("alice-1", "carol-1"):
        (event,) = harness.events(connection)
        assert (event["type"], event["users"]) == ("member_removed", ["carol"])


def test_a_private_conversation_is_hidden_until_the_next_message(harness: RestHarness) -> None:

    def shown() -> set[str]:
        return {one["id"] for one in harness.call("GET", "/v1/conversations").body["conversations"]}

    harness.call("DELETE", f"/v1/conversations/{DM}")
    assert shown() == {GROUP, BLOCKED_DM}
    harness.call("POST", f"/v1/conversations/{DM}/messages", user="bob", body={"content": "hi"})
    assert shown() == {GROUP, BLOCKED_DM, DM}


def test_a_hidden_private_conversation_is_shown_again_to_who_asks_for_it(harness: RestHarness) -> None:
    harness.call("DELETE", f"/v1/conversations/{DM}")
    made = harness.call("POST", "/v1/conversations", body={"type": "private", "with": "bob"})
    assert (made.status, made.body["id"]) == (200, DM)
    assert DM in {one["id"] for one in harness.call("GET", "/v1/conversations").body["conversations"]}


def test_settings_are_changed_one_by_one_and_cleared_by_null(harness: RestHarness) -> None:
    path = f"/v1/conversations/{GROUP}/settings"
    harness.call("PATCH", path, body={"muted_until": 5, "pinned": True})
    expected = {"muted_until": 5, "notify": "mentions", "pinned": True, "archived": False}
    assert harness.call("PATCH", path, body={"notify": "mentions"}).body == expected
    assert harness.call("PATCH", path, body={"muted_until": None}).body == {**expected, "muted_until": None}
    assert harness.call("GET", f"/v1/conversations/{GROUP}", user="bob").body["pinned"] is False


@pytest.mark.parametrize("body", [{}, {"muted": 5}, {"pinned": None}, {"pinned": 1}, {"muted_until": -1}], ids=str)
def test_settings_that_say_nothing_or_nonsense_are_refused(body: dict[str, Any]) -> None:
    assert settled().call("PATCH", f"/v1/conversations/{DM}/settings", body=body).code == "bad_request"


def test_members_are_listed_with_roles_and_cursors(harness: RestHarness) -> None:
    harness.call("POST", f"/v1/conversations/{GROUP}/read", user="bob", body={"seq": 2})
    listed = harness.call("GET", f"/v1/conversations/{GROUP}/members").body["members"]
    assert [(one["user_id"], one["role"], one["read_seq"]) for one in listed] == [
        ("alice", "owner", 1),
        ("bob", "admin", 2),
        ("carol", "member", 1),
    ]


def test_members_are_added_told_and_counted(harness: RestHarness) -> None:
    online(harness, "frank", "carol")
    path = f"/v1/conversations/{GROUP}/members"
    body = harness.call("POST", path, body={"users": ["frank", "bob", "frank"]}).body
    assert body == {"added": ["frank"], "members_count": 4}
    assert harness.events("frank-1") == harness.events("carol-1")
    assert harness.events("frank-1")[0]["users"] == ["frank"]
    again = harness.call("POST", path, body={"users": ["frank", "bob"]}).body
    assert again == {"added": [], "members_count": 4}


@pytest.mark.parametrize("users", [[], [f"u{number}" for number in range(101)], ["a b"], "bob", [5]], ids=str)
def test_one_to_a_hundred_well_formed_users_are_added_at_once(users: Any) -> None:
    assert settled().call("POST", f"/v1/conversations/{GROUP}/members", body={"users": users}).code == "bad_request"


def test_a_new_role_is_told(harness: RestHarness) -> None:
    online(harness, "bob")
    path = f"/v1/conversations/{GROUP}/members/carol"
    assert harness.call("PATCH", path, body={"role": "admin"}).body == {"user_id": "carol", "role": "admin"}
    assert harness.events("bob-1")[0]["changes"] == {"roles": {"carol": "admin"}}


def test_who_is_removed_is_told_and_hears_nothing_more(harness: RestHarness) -> None:
    online(harness, "carol")
    harness.call("DELETE", f"/v1/conversations/{GROUP}/members/carol", user="bob")
    harness.call("POST", f"/v1/conversations/{GROUP}/messages", body={"content": "now"})
    assert [event["type"] for event in harness.events("carol-1")] == ["member_removed"]


def without_name(body: Any, name: str) -> str:
    return re.sub(r'"joined_at": \d+', "then", json.dumps(body).replace(name, "them"))


def test_a_block_shows_in_no_answer_about_a_private_conversation() -> None:
    harness = RestHarness()
    harness.stores.blocks.put("blocker", "alice", now=now())
    answers = {}
    for other in ("blocker", "nobody0"):
        made = [harness.call("POST", "/v1/conversations", body={"type": "private", "with": other}) for _ in range(2)]
        place = made[0].body["id"]
        asked = [harness.call("GET", f"/v1/conversations/{place}{more}") for more in ("", "/members", "/messages")]
        answers[other] = [(one.status, without_name(one.body, other)) for one in (*made, *asked)]
    assert answers["blocker"] == answers["nobody0"]
    assert [status for status, _ in answers["blocker"]] == [201, 200, 200, 200, 200]
    assert harness.call("GET", "/v1/conversations", user="blocker").body["conversations"] == []


def test_groups_with_a_user_who_blocks_are_made_without_them_and_without_a_word(harness: RestHarness) -> None:
    online(harness, "dave")
    path = f"/v1/conversations/{GROUP}/members"
    added = [harness.call("POST", path, body={"users": users}) for users in (["dave"], ["dave", "zoe"])]
    assert [(one.status, one.body) for one in added] == [
        (200, {"added": [], "members_count": 3}),
        (200, {"added": ["zoe"], "members_count": 4}),
    ]
    made = harness.call("POST", "/v1/conversations", body={"type": "group", "name": "Two", "members": ["dave"]})
    assert (made.status, made.body["members"]) == (201, ["alice"])
    assert harness.events("dave-1") == []
    assert harness.call("GET", "/v1/conversations", user="dave").body["conversations"][0]["id"] == BLOCKED_DM


def test_who_adds_too_many_users_waits_and_nothing_is_changed(harness: RestHarness) -> None:
    slow = InviteLimiter(Limit(200, 3, per_s=HOUR_S), harness.stores.invites, FakeClock())
    harness.api = make_api(replace(harness.wired, invites=slow), unexpected=harness.unexpected.append)
    made = harness.call(
        "POST", "/v1/conversations", body={"type": "group", "name": "Team", "members": ["erin", "frank"]}
    )
    assert made.status == 201
    path = f"/v1/conversations/{made.body['id']}/members"
    refused = harness.call("POST", path, body={"users": ["grace", "heidi"]})
    assert (refused.status, refused.code, refused.body["retry_after_ms"]) == (429, "rate_limited", 18_000)
    assert harness.call("POST", path, body={"users": ["grace"]}).body["added"] == ["grace"]
    body = {"type": "group", "name": "Another", "members": ["erin"]}
    assert harness.call("POST", "/v1/conversations", body=body).status == 429
    assert len(harness.call("GET", path).body["members"]) == 4
