"""How long a conversation is kept by a rule of its own, over HTTP: who sets it, what is refused, and where it shows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.functions.rest.harness import DM, GROUP, RestHarness, online

MAX_DAYS = 36_500


def change(harness: RestHarness, days: Any, user: str = "alice", *, place: str = GROUP, **event: Any) -> Any:
    return harness.call("PATCH", f"/v1/conversations/{place}", user=user, body={"retention_days": days}, **event)


def server(harness: RestHarness, days: Any, as_user: str = "alice", *, place: str = DM) -> Any:
    return change(harness, days, "backend", place=place, scope="admin", headers={"Parley-As": as_user})


def shown(harness: RestHarness, place: str = GROUP, user: str = "bob") -> list[Any]:
    """What GET of it and the inbox say."""
    one = harness.call("GET", f"/v1/conversations/{place}", user=user).body["retention_days"]
    inbox = harness.call("GET", "/v1/conversations", user=user).body["conversations"]
    return [one, *(each["retention_days"] for each in inbox if each["id"] == place)]


def test_it_shows_wherever_a_conversation_does_and_as_an_event(harness: RestHarness) -> None:
    online(harness, "bob")
    assert shown(harness) == [None, None]
    assert change(harness, 30).body["retention_days"] == 30
    assert b'"changes":{"retention_days":30}' in harness.gateway.posts[-1][1]
    assert shown(harness) == [30, 30]
    assert harness.call("POST", f"/v1/conversations/{GROUP}/messages", body={"content": "hi"}).status == 201
    assert shown(harness) == [30, 30]
    assert change(harness, None).body["retention_days"] is None
    assert b'"changes":{"retention_days":null}' in harness.gateway.posts[-1][1]
    assert shown(harness) == [None, None]


@pytest.mark.parametrize("days", [0, -1, MAX_DAYS + 1, 10**30, 1.5, "30", True, [], {}])
def test_what_is_no_number_of_days_is_a_bad_request(harness: RestHarness, days: Any) -> None:
    refused = change(harness, days)
    assert (refused.status, refused.code) == (400, "bad_request")
    assert shown(harness) == [None, None]


@pytest.mark.parametrize("days", [1, MAX_DAYS])
def test_its_bounds(harness: RestHarness, days: int) -> None:
    assert change(harness, days).body["retention_days"] == days


@pytest.mark.parametrize(("user", "answer"), [("bob", (403, "forbidden")), ("mallory", (404, "not_a_member"))])
def test_in_a_group_owners_set_it(harness: RestHarness, user: str, answer: tuple[int, str]) -> None:
    refused = change(harness, 30, user)
    assert (refused.status, refused.code) == answer
    assert shown(harness) == [None, None]


def test_in_a_private_conversation_the_server_alone_sets_it(harness: RestHarness) -> None:
    harness.call("POST", f"/v1/conversations/{DM}/messages", body={"content": "hi"})
    for user in ("alice", "bob"):
        refused = change(harness, 30, user, place=DM)
        assert (refused.status, refused.code) == (403, "forbidden")
    assert server(harness, 30).body["retention_days"] == 30
    assert shown(harness, DM) == [30, 30]
    assert server(harness, None, "bob").body["retention_days"] is None
    stranger = server(harness, 30, "mallory")
    assert (stranger.status, stranger.code) == (404, "not_a_member")


def test_the_server_sets_it_in_a_group_as_any_member(harness: RestHarness) -> None:
    assert server(harness, 7, "carol", place=GROUP).body["retention_days"] == 7


def test_with_other_changes_it_is_one_entry(harness: RestHarness) -> None:
    before = len(harness.stores.entries(GROUP))
    body = {"retention_days": 5, "name": "Short", "topic": "soon gone"}
    changed = harness.call("PATCH", f"/v1/conversations/{GROUP}", body=body)
    assert {name: changed.body[name] for name in body} == body
    assert len(harness.stores.entries(GROUP)) == before + 1
    assert harness.call("PATCH", f"/v1/conversations/{GROUP}", body=body).status == 200
    assert len(harness.stores.entries(GROUP)) == before + 1
