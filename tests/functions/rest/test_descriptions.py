"""What conversations and members say of themselves: changed, told, shown, kept, and by whom."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functions.rest.harness import BLOCKED_DM, DM, GROUP, RestHarness, online
from tests.stores import LOG

V1 = "/v1/conversations"
SAID = {"topic": "Release", "avatar": "https://example.com/t.png", "data": {"project": 7, "tags": ["a", 1.0]}}


def said_of(body: dict[str, Any]) -> dict[str, Any]:
    return {name: body[name] for name in SAID}


def test_a_group_says_what_it_was_made_with_and_what_it_was_changed_to(harness: RestHarness) -> None:
    online(harness, "bob")
    made = harness.call("POST", V1, body={"type": "group", "name": "New", "members": ["bob"], **SAID}).body
    assert said_of(made) == SAID
    (event,) = harness.events("bob-1")
    assert (event["type"], said_of(event)) == ("member_added", SAID)
    changed = harness.call("PATCH", f"{V1}/{made['id']}", body={"topic": None, "data": {}}).body
    assert said_of(changed) == {**SAID, "topic": None, "data": {}}
    (_, event) = harness.events("bob-1")
    assert (event["type"], event["changes"]) == ("conversation_updated", {"topic": None, "data": {}})
    inbox = harness.call("GET", V1, user="bob").body["conversations"]
    assert [said_of(one) for one in inbox if one["id"] == made["id"]] == [said_of(changed)]


def test_a_channel_does_too(harness: RestHarness) -> None:
    made = harness.call("POST", V1, body={"type": "channel", "name": "News", "topic": "All", "data": {"a": 1}}).body
    assert harness.call("PATCH", f"{V1}/{made['id']}", body={"avatar": SAID["avatar"]}).status == 200
    assert said_of(harness.call("GET", f"{V1}/{made['id']}").body) == {**SAID, "topic": "All", "data": {"a": 1}}


def test_only_what_is_not_so_already_is_an_entry(harness: RestHarness) -> None:
    harness.call("PATCH", f"{V1}/{GROUP}", body=SAID)
    head = harness.call("GET", f"{V1}/{GROUP}").body["head"]
    assert harness.call("PATCH", f"{V1}/{GROUP}", body=SAID).body["head"] == head
    again = harness.call("PATCH", f"{V1}/{GROUP}", body={**SAID, "name": "Other"}).body
    assert (again["head"], again["name"]) == (head + 1, "Other")
    assert harness.stores.entries(GROUP)[-1].kind == "conversation_updated"
    notices = harness.call("GET", f"{V1}/{GROUP}/messages", query={"notices": "true"}).body["notices"]
    assert [one["changes"] for one in notices if one["seq"] > head] == [{"name": "Other"}]


def test_an_older_version_reads_a_change_of_more_than_the_name_as_one_of_no_role(harness: RestHarness) -> None:
    harness.call("PATCH", f"{V1}/{GROUP}", body={"topic": "x"})
    harness.call("PATCH", f"{V1}/{GROUP}", body={"topic": "y", "name": "Both"})
    first, second = harness.stores.rows(LOG, conversation_id=GROUP)[-2:]
    assert (first["kind"], first["roles"], "name" in first) == ("conversation_updated", {}, False)
    assert second["name"] == "Both"


def test_a_private_conversation_has_data_of_both(harness: RestHarness) -> None:
    online(harness, "bob")
    assert harness.call("PATCH", f"{V1}/{DM}", body={"data": {"deal": 7}}).body["data"] == {"deal": 7}
    assert harness.call("GET", f"{V1}/{DM}", user="bob").body["data"] == {"deal": 7}
    assert [event["changes"] for event in harness.events("bob-1")] == [{"data": {"deal": 7}}]
    assert harness.call("PATCH", f"{V1}/{DM}", user="bob", body={"data": None}).body["data"] is None
    assert harness.call("GET", f"{V1}/{DM}").body["data"] is None
    assert harness.call("PATCH", f"{V1}/{DM}", body={"data": {}, "topic": "x"}).code == "bad_request"
    assert harness.call("PATCH", f"{V1}/{DM}", user="carol", body={"data": {}}).code == "not_a_member"
    assert harness.call("PATCH", f"{V1}/{BLOCKED_DM}", body={"data": {}}).code == "blocked"


def test_data_may_be_what_a_private_conversation_begins_with(harness: RestHarness) -> None:
    place = "dm:alice:erin"
    assert harness.call("PATCH", f"{V1}/{place}", body={"data": {"a": 1}}).code == "not_a_member"
    harness.call("POST", V1, body={"type": "private", "with": "erin"})
    assert harness.call("PATCH", f"{V1}/{place}", user="erin", body={"data": {"a": 1}}).code == "not_a_member"
    assert harness.call("PATCH", f"{V1}/{place}", body={"data": {"a": 1}}).body["head"] == 1
    shown = harness.call("GET", f"{V1}/{place}", user="erin").body
    assert (shown["data"], shown["last_message"], shown["unread"]) == ({"a": 1}, None, 0)
    message = {"content": "hi", "client_message_id": "k", "after": 0}
    assert harness.call("POST", f"{V1}/{place}/messages", user="erin", body=message).body["seq"] == 2
    assert harness.call("GET", f"{V1}/{place}").body["unread"] == 1


def test_members_change_their_own_data_and_moderators_everyone_s(harness: RestHarness) -> None:
    online(harness, "alice")
    path = f"{V1}/{GROUP}/members/carol"
    answer = harness.call("PATCH", path, user="carol", body={"data": {"shift": "late"}}).body
    assert answer == {"user_id": "carol", "role": "member", "data": {"shift": "late"}}
    (event,) = harness.events("alice-1")
    assert event["changes"] == {"members": {"carol": {"data": {"shift": "late"}}}}
    listed = harness.call("GET", f"{V1}/{GROUP}/members", user="bob").body["members"]
    assert {one["user_id"]: one["data"] for one in listed} == {"alice": None, "bob": None, "carol": {"shift": "late"}}
    both = harness.call("PATCH", path, body={"role": "admin", "data": None}).body
    assert both == {"user_id": "carol", "role": "admin", "data": None}
    assert harness.call("PATCH", f"{V1}/{GROUP}/members/erin", body={"data": {}}).code == "not_found"


def test_data_goes_with_the_member(harness: RestHarness) -> None:
    path = f"{V1}/{GROUP}/members/carol"
    harness.call("PATCH", path, body={"data": {"a": 1}})
    harness.call("DELETE", path)
    harness.call("POST", f"{V1}/{GROUP}/members", body={"users": ["carol"]})
    listed = harness.call("GET", f"{V1}/{GROUP}/members").body["members"]
    assert {one["user_id"]: one["data"] for one in listed}["carol"] is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "bad_request"),
        ({"name": None}, "bad_request"),
        ({"name": ""}, "bad_request"),
        ({"topic": ""}, "bad_request"),
        ({"topic": "two\nlines"}, "bad_request"),
        ({"topic": 7}, "bad_request"),
        ({"topic": "x" * 501}, "too_large"),
        ({"avatar": "http://example.com/x"}, "bad_request"),
        ({"avatar": ""}, "bad_request"),
        ({"avatar": "https://"}, "bad_request"),
        ({"avatar": "https:///x.png"}, "bad_request"),
        ({"avatar": "https://x y"}, "bad_request"),
        ({"avatar": "https://example.com/x\n"}, "bad_request"),
        ({"join": None}, "bad_request"),
        ({"history": None}, "bad_request"),
        ({"avatar": "https://" + "x" * 1_000}, "bad_request"),
        ({"data": []}, "bad_request"),
        ({"data": "x"}, "bad_request"),
        ({"data": {"a": "\u00e9" * 2_100}}, "too_large"),
        ({"unknown": 1}, "bad_request"),
    ],
    ids=str,
)
def test_nonsense_is_refused_and_changes_nothing(harness: RestHarness, body: dict[str, Any], code: str) -> None:
    assert harness.call("PATCH", f"{V1}/{GROUP}", body=body).code == code
    assert harness.call("GET", f"{V1}/{GROUP}").body["head"] == 4


@pytest.mark.parametrize("body", [{"role": None}, {"data": 7}, {}, {"data": {"a": "x" * 4_100}}], ids=str)
def test_nonsense_of_a_member_is_refused(harness: RestHarness, body: dict[str, Any]) -> None:
    assert harness.call("PATCH", f"{V1}/{GROUP}/members/bob", body=body).status in {400, 413}


@pytest.mark.parametrize("data", [7, {"a": "x" * 4_100}, {"a": "\ud800"}], ids=["type", "size", "surrogate"])
def test_data_that_is_refused_changes_no_role_either(harness: RestHarness, data: Any) -> None:
    refused = harness.call("PATCH", f"{V1}/{GROUP}/members/carol", body={"role": "admin", "data": data})
    assert refused.status in {400, 413}
    assert harness.call("GET", f"{V1}/{GROUP}", user="carol").body["role"] == "member"


def test_a_reader_of_a_channel_gets_no_role_with_data(harness: RestHarness) -> None:
    channel = harness.call("POST", V1, body={"type": "channel", "name": "News"}).body["id"]
    path = f"{V1}/{channel}/members"
    assert harness.call("POST", path, body={"users": ["bob"]}).status == 200
    assert harness.call("PATCH", f"{path}/bob", body={"role": "admin", "data": {}}).code == "bad_request"
    assert harness.call("GET", f"{V1}/{channel}", user="bob").body["role"] == "member"
