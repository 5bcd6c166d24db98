"""Groups that hide from who joins what was before: in every answer, and in events."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.entries import as_seen_from
from shared.operations.sync import Catching, sync
from tests.functions.rest.harness import GROUP, RestHarness, now, online

V1 = "/v1/conversations"
GROUP_PATH = f"{V1}/{GROUP}"


@pytest.fixture
def hiding(harness: RestHarness) -> RestHarness:
    """Dave came with entry 6 into a group that hides. Bob says something with 7."""
    assert harness.call("PATCH", GROUP_PATH, body={"history": "from_joining"}).body["history"] == "from_joining"
    assert harness.call("POST", f"{GROUP_PATH}/members", body={"users": ["frank"]}).body["added"] == ["frank"]
    harness.call("POST", f"{GROUP_PATH}/messages", user="bob", body={"content": "new"})
    return harness


def frank(harness: RestHarness, verb: str, path: str, **asked: Any) -> Any:
    return harness.call(verb, f"{GROUP_PATH}{path}", user="frank", **asked)


def synced(harness: RestHarness, user: str, held: int) -> Any:
    services = harness.wired.services
    (found,) = sync(
        Catching(user, {GROUP: held}), size=lambda _: 1, stores=harness.stores, services=services
    ).conversations
    return found


def test_history_begins_where_one_has_come(hiding: RestHarness) -> None:
    for query in ({}, {"after": "0"}, {"before": "7", "notices": "true"}, {"after": "0", "notices": "true"}):
        found = frank(hiding, "GET", "/messages", query=query).body
        seen = [one["seq"] for one in (*found["messages"], *found.get("notices", ()))]
        assert (set(seen) <= {6, 7}, found["has_more"]) == (True, False)
    assert [one["seq"] for one in frank(hiding, "GET", "/messages").body["messages"]] == [7]
    assert len(hiding.call("GET", f"{GROUP_PATH}/messages", user="carol").body["messages"]) == 3


def test_a_page_ends_at_the_beginning_however_small_it_is(hiding: RestHarness) -> None:
    page = frank(hiding, "GET", "/messages", query={"limit": "1"}).body
    assert ([one["seq"] for one in page["messages"]], page["has_more"]) == ([7], False)


def test_what_was_before_is_not_there_for_anything(hiding: RestHarness) -> None:
    later = now() + 60_000
    asked: list[tuple[str, str, Any]] = [
        ("GET", "/messages/2", None),
        ("PATCH", "/messages/2", {"content": "x"}),
        ("DELETE", "/messages/2", None),
        ("PUT", "/messages/2/reactions/x", None),
        ("POST", "/messages/2/reminders", {"at": later}),
        ("POST", "/messages", {"content": "x", "reply_to": 2}),
        ("POST", "/messages", {"content": "", "forward_of": {"conversation_id": GROUP, "seq": 2}}),
    ]
    for verb, path, body in asked:
        assert frank(hiding, verb, path, body=body).code == "not_found", path
    assert frank(hiding, "POST", "/messages", body={"content": "x", "reply_to": 7}).status == 201


def test_sync_begins_there_and_has_no_gap(hiding: RestHarness) -> None:
    for held in (0, 3, 5):
        found = synced(hiding, "frank", held)
        assert ([one.seq for one in found.entries], found.head, found.visible_from) == ([6, 7], 7, 6)
    assert [one.seq for one in synced(hiding, "frank", 6).entries] == [7]
    assert [one.seq for one in synced(hiding, "carol", 0).entries] == [1, 2, 3, 4, 5, 6, 7]


def test_an_edit_of_what_is_hidden_says_nothing_of_it(hiding: RestHarness) -> None:
    online(hiding, "frank", "carol")
    hiding.call("PATCH", f"{GROUP_PATH}/messages/2", body={"content": "secret"})
    (heard,), (told,) = hiding.events("frank-1"), hiding.events("carol-1")
    assert (heard["type"], heard["seq"], heard["content"]) == ("message_edited", 8, None)
    assert told == {**heard, "content": "secret"}
    assert [one.change.content for one in synced(hiding, "frank", 7).entries] == [None]
    hiding.call("PATCH", f"{GROUP_PATH}/messages/7", user="bob", body={"content": "newer"})
    assert hiding.events("frank-1")[-1]["content"] == "newer"
    stored = hiding.stores.entries(GROUP)
    assert as_seen_from(stored[-1], 6) == stored[-1]


def test_the_inbox_shows_no_message_of_before(harness: RestHarness) -> None:
    harness.call("PATCH", GROUP_PATH, body={"history": "from_joining"})
    harness.call("POST", f"{GROUP_PATH}/members", body={"users": ["frank"]})
    (shown,) = harness.call("GET", V1, user="frank").body["conversations"]
    assert (shown["last_message"], shown["visible_from"], shown["unread"]) == (None, 6, 0)
    assert frank(harness, "GET", "").body["last_message"] is None
    assert harness.call("GET", GROUP_PATH, user="carol").body["last_message"]["seq"] == 3
    listed = frank(harness, "GET", "/members").body["members"]
    assert {one["user_id"]: one["visible_from"] for one in listed} == {"alice": 0, "bob": 0, "carol": 0, "frank": 6}


def test_pins_of_before_are_not_listed(hiding: RestHarness) -> None:
    for seq in (2, 7):
        assert hiding.call("PUT", f"{GROUP_PATH}/pins/{seq}").status == 200
    assert [one["seq"] for one in frank(hiding, "GET", "/pins").body["pins"]] == [7]
    assert {one["seq"] for one in hiding.call("GET", f"{GROUP_PATH}/pins", user="carol").body["pins"]} == {2, 7}


def test_who_comes_again_begins_again_and_who_is_in_it_keeps_what_they_see(hiding: RestHarness) -> None:
    frank(hiding, "DELETE", "")
    hiding.call("POST", f"{GROUP_PATH}/members", body={"users": ["frank", "zoe"]})
    assert [one["seq"] for one in frank(hiding, "GET", "/messages").body["messages"]] == []
    assert frank(hiding, "GET", "").body["visible_from"] == 9
    hiding.call("PATCH", GROUP_PATH, body={"history": "all"})
    assert frank(hiding, "GET", "").body["visible_from"] == 9
    frank(hiding, "DELETE", "")
    hiding.call("POST", f"{GROUP_PATH}/members", body={"users": ["frank"]})
    assert frank(hiding, "GET", "").body["visible_from"] == 0
    assert len(frank(hiding, "GET", "/messages").body["messages"]) == 3


@pytest.mark.parametrize("way", ["open", "request", "link"])
def test_whichever_way_one_comes_what_was_before_is_hidden(hiding: RestHarness, way: str) -> None:
    if way == "link":
        token = hiding.call("POST", f"{GROUP_PATH}/invites", body={}).body["token"]
        hiding.call("POST", f"/v1/invites/{token}", user="zoe")
    else:
        hiding.call("PATCH", GROUP_PATH, body={"join": way})
        hiding.call("PUT", f"{GROUP_PATH}/members/zoe", user="zoe")
        hiding.call("PATCH", f"{GROUP_PATH}/requests/zoe", body={"status": "accepted"})
    shown = hiding.call("GET", GROUP_PATH, user="zoe").body
    assert shown["visible_from"] == shown["joined_seq"] > 7
    assert hiding.call("GET", f"{GROUP_PATH}/messages/7", user="zoe").code == "not_found"


def test_history_is_a_group_s(harness: RestHarness) -> None:
    news = harness.call("POST", V1, body={"type": "channel", "name": "x"}).body
    assert harness.call("PATCH", f"{V1}/{news['id']}", body={"history": "from_joining"}).code == "bad_request"
    made = harness.call("POST", V1, body={"type": "group", "name": "x", "history": "from_joining"}).body
    assert (made["history"], harness.call("GET", f"{V1}/{made['id']}").body["visible_from"]) == ("from_joining", 0)
    for value in ("none", None, True):
        assert harness.call("PATCH", GROUP_PATH, body={"history": value}).code == "bad_request"
