"""Ways into a group: open ones, requests and links. Who comes, who is told, and what is counted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from shared.operations import joining
from tests.functions.rest.harness import DM, GROUP, RestHarness, now, online
from tests.stores import MEMBERS

V1 = "/v1/conversations"
GROUP_PATH = f"{V1}/{GROUP}"


def joins(harness: RestHarness, policy: str) -> None:
    assert harness.call("PATCH", GROUP_PATH, body={"join": policy}).body["join"] == policy


def comes(harness: RestHarness, user: str = "dave") -> Any:
    return harness.call("PUT", f"{GROUP_PATH}/members/{user}", user=user)


def link(harness: RestHarness, **terms: Any) -> dict[str, Any]:
    made: dict[str, Any] = harness.call("POST", f"{GROUP_PATH}/invites", body=terms).body
    return made


def uses(harness: RestHarness) -> list[int]:
    return [one["uses"] for one in harness.call("GET", f"{GROUP_PATH}/invites").body["invites"]]


def roles(harness: RestHarness) -> dict[str, str]:
    listed = harness.call("GET", f"{GROUP_PATH}/members").body["members"]
    return {one["user_id"]: one["role"] for one in listed}


def test_an_open_group_is_joined_by_whoever_knows_it_and_everyone_is_told(harness: RestHarness) -> None:
    online(harness, "alice", "dave")
    assert comes(harness).code == "not_a_member"
    joins(harness, "open")
    came = comes(harness)
    assert (came.status, came.body) == (
        201,
        {"id": GROUP, "type": "group", "name": "Team", "join": "open", "role": "member", "head": 6},
    )
    for connection in ("alice-1", "dave-1"):
        event = harness.events(connection)[-1]
        assert (event["type"], event["user_id"], event["users"]) == ("member_added", "dave", ["dave"])
    assert comes(harness).status == 200
    assert roles(harness)["dave"] == "member"
    shown = harness.call("GET", GROUP_PATH, user="dave").body
    assert (shown["unread"], shown["joined_seq"], shown["member_count"]) == (0, 6, 4)
    harness.call("POST", f"{GROUP_PATH}/messages", user="dave", body={"content": "hello"})
    assert harness.call("DELETE", GROUP_PATH, user="dave").status == 204


def test_only_oneself_can_be_brought_in_like_that(harness: RestHarness) -> None:
    joins(harness, "open")
    assert harness.call("PUT", f"{GROUP_PATH}/members/dave", user="alice").code == "forbidden"
    assert harness.call("PUT", f"{GROUP_PATH}/members/dave", user="erin").code == "not_a_member"


def test_a_group_that_everybody_has_left_takes_nobody(harness: RestHarness) -> None:
    joins(harness, "open")
    token = link(harness)["token"]
    for user in ("carol", "bob", "alice"):
        harness.call("DELETE", GROUP_PATH, user=user)
    assert comes(harness).code == "not_a_member"
    assert harness.call("POST", f"/v1/invites/{token}", user="dave").code == "not_found"


def test_a_request_is_told_to_who_decides_and_lets_in_once_it_is_accepted(harness: RestHarness) -> None:
    online(harness, "alice", "bob", "carol", "dave")
    joins(harness, "request")
    asked = comes(harness)
    assert (asked.status, asked.body["status"], asked.body["by"]) == (202, "requested", "dave")
    assert comes(harness).body == asked.body
    told = {
        user: [one for one in harness.events(f"{user}-1") if one["type"] == "join_request"] for user in roles(harness)
    }
    assert told == {"alice": told["bob"], "bob": told["bob"], "carol": []}
    assert told["bob"] == [{"type": "join_request", **asked.body}]
    listed = harness.call("GET", f"{GROUP_PATH}/requests", user="bob").body["requests"]
    assert listed == harness.call("GET", "/v1/requests", user="dave").body["requests"]
    assert [one["user_id"] for one in listed] == ["dave"]
    decided = harness.call("PATCH", f"{GROUP_PATH}/requests/dave", user="bob", body={"status": "accepted"}).body
    assert (decided["status"], decided["by"], roles(harness)["dave"]) == ("accepted", "bob", "member")
    assert harness.events("dave-1")[-1] == {"type": "join_request", **decided}
    assert harness.stores.entries(GROUP)[-1].sender_id == "bob"
    assert harness.call("GET", f"{GROUP_PATH}/requests").body == {"requests": []}
    again = harness.call("PATCH", f"{GROUP_PATH}/requests/dave", body={"status": "accepted"})
    assert again.code == "not_found"


@pytest.mark.parametrize(
    ("user", "verb", "body", "status"),
    [
        ("bob", "PATCH", {"status": "declined"}, "declined"),
        ("bob", "DELETE", None, "declined"),
        ("dave", "DELETE", None, "withdrawn"),
    ],
)
def test_a_request_that_is_declined_or_taken_back_is_gone_and_may_come_again(
    harness: RestHarness, user: str, verb: str, body: Any, status: str
) -> None:
    online(harness, "alice", "dave")
    joins(harness, "request")
    comes(harness)
    assert harness.call(verb, f"{GROUP_PATH}/requests/dave", user=user, body=body).status in {200, 204}
    for connection in ("alice-1", "dave-1"):
        event = harness.events(connection)[-1]
        assert (event["type"], event["status"], event["by"]) == ("join_request", status, user)
    assert harness.call("GET", "/v1/requests", user="dave").body == {"requests": []}
    assert harness.call("PATCH", f"{GROUP_PATH}/requests/dave", body={"status": "accepted"}).code == "not_found"
    assert comes(harness).status == 202


def test_who_was_added_meanwhile_asks_no_more(harness: RestHarness) -> None:
    joins(harness, "request")
    comes(harness, "erin")
    harness.call("POST", f"{GROUP_PATH}/members", body={"users": ["erin"]})
    harness.call("DELETE", GROUP_PATH, user="erin")
    assert harness.call("GET", f"{GROUP_PATH}/requests").body == {"requests": []}
    assert [row for row in harness.stores.rows(MEMBERS) if "asked#" in row["pk"] + row["sk"]] == []


def test_a_link_shows_where_it_leads_and_brings_in(harness: RestHarness) -> None:
    made = link(harness, max_uses=2)
    assert (made["uses"], made["max_uses"], made["created_by"]) == (0, 2, "alice")
    seen = harness.call("GET", f"/v1/invites/{made['token']}", user="dave").body
    assert (seen["conversation_id"], seen["name"], seen["member_count"]) == (GROUP, "Team", 3)
    came = harness.call("POST", f"/v1/invites/{made['token']}", user="dave")
    assert (came.status, came.body["id"], came.body["role"]) == (201, GROUP, "member")
    assert harness.call("POST", f"/v1/invites/{made['token']}", user="dave").status == 200
    assert uses(harness) == [1]
    (listed,) = harness.call("GET", f"{GROUP_PATH}/invites", user="bob").body["invites"]
    assert listed == {**{name: value for name, value in made.items() if name != "token"}, "uses": 1}
    assert made["token"] not in str(harness.stores.rows(MEMBERS))


def test_a_link_that_is_used_up_revoked_or_at_its_end_leads_nowhere(harness: RestHarness) -> None:
    used, revoked, ending = link(harness, max_uses=1), link(harness), link(harness, expires_at=now() + 60_000)
    harness.call("POST", f"/v1/invites/{used['token']}", user="dave")
    assert harness.call("DELETE", f"{GROUP_PATH}/invites/{revoked['invite_id']}", user="bob").status == 204
    harness.stores.edit(MEMBERS, {"pk": f"invite#{ending['invite_id']}", "sk": "invite"}, expires_at=now() - 1)
    for one in (used, revoked, ending, {"token": "unknown"}):
        assert harness.call("GET", f"/v1/invites/{one['token']}", user="erin").code == "not_found"
        assert harness.call("POST", f"/v1/invites/{one['token']}", user="erin").code == "not_found"
    assert harness.call("GET", f"{GROUP_PATH}/invites").body == {"invites": []}
    assert "erin" not in roles(harness)


def test_the_links_of_another_group_are_not_revoked(harness: RestHarness) -> None:
    other = harness.call("POST", V1, user="mallory", body={"type": "group", "name": "x"}).body["id"]
    made = link(harness)
    assert harness.call("DELETE", f"{V1}/{other}/invites/{made['invite_id']}", user="mallory").status == 204
    assert harness.call("GET", f"/v1/invites/{made['token']}", user="dave").status == 200


def test_who_comes_twice_at_once_by_a_link_for_one_is_told_twice_that_they_are_in(
    harness: RestHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/v1/invites/{link(harness, max_uses=1)['token']}"
    other: list[int] = []

    def look(*args: Any, **more: Any) -> Any:
        monkeypatch.undo()
        other.append(harness.call("POST", path, user="dave").status)
        return joining.look_at_invite(*args, **more)

    monkeypatch.setattr(joining, "look_at_invite", look)
    assert harness.call("POST", path, user="dave").status == 200
    assert other == [201]
    assert harness.call("POST", path, user="erin").code == "not_found"


def test_who_comes_while_another_uses_up_the_link_finds_nothing(harness: RestHarness) -> None:
    """Right before the one is stored the other is."""
    token, calls = link(harness, max_uses=1)["token"], harness.stores.calls

    def quicker(operation: str, _: Any) -> None:
        if operation == "TransactWriteItems":
            calls.let_through()
            assert joining.join_by_invite(token, user_id="dave", **harness.wired.parts).is_new

    calls.before = quicker
    assert harness.call("POST", f"/v1/invites/{token}", user="erin").code == "not_found"
    assert {"dave", "erin"} & roles(harness).keys() == {"dave"}


def test_many_at_once_by_one_link_are_as_many_as_it_is_good_for(harness: RestHarness) -> None:
    made = link(harness, max_uses=3)
    users = [f"u{number}" for number in range(8)]
    with ThreadPoolExecutor(8) as threads:
        came = list(threads.map(lambda user: harness.call("POST", f"/v1/invites/{made['token']}", user=user), users))
    assert sorted(one.status for one in came) == [201] * 3 + [404] * 5
    assert {user for user in roles(harness) if user.startswith("u")} == {
        user for user, one in zip(users, came, strict=True) if one.status == 201
    }


def test_how_a_group_is_joined_is_said_and_a_channel_s_is_settled(harness: RestHarness) -> None:
    assert harness.call("GET", GROUP_PATH).body["join"] == "invite"
    assert harness.call("GET", f"{V1}/{DM}").body["join"] is None
    assert harness.call("PATCH", GROUP_PATH, body={"join": "invite"}).body["head"] == 4
    made = harness.call("POST", V1, body={"type": "group", "name": "x", "join": "open"}).body
    assert (made["join"], harness.call("GET", f"{V1}/{made['id']}").body["join"]) == ("open", "open")
    news = harness.call("POST", V1, body={"type": "channel", "name": "x", "join": "open"}).body
    assert harness.call("PATCH", f"{V1}/{news['id']}", body={"join": "open"}).code == "bad_request"
    for body in ({"join": "closed"}, {"join": None}, {"join": 1}):
        assert harness.call("PATCH", GROUP_PATH, body=body).code == "bad_request"
    assert harness.call("PATCH", f"{V1}/{DM}", body={"join": "open"}).code == "bad_request"
