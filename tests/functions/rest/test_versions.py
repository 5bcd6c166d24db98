"""Versions of users' records: beside what is asked for, and told to those who look at the user."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from functions.rest.api import make_api
from tests.functions.rest.harness import DM, GROUP, RestHarness, now, online

V1 = "/v1/conversations"
ASKED = {"versions": "true"}


def put(harness: RestHarness, user_id: str, **record: Any) -> int:
    version: int = harness.call("PUT", f"/v1/users/{user_id}", scope="admin", body=record).body["version"]
    return version


def show_users_to(harness: RestHarness, whom: str) -> None:
    harness.wired = replace(harness.wired, users_visible=whom)
    harness.api = make_api(harness.wired, unexpected=harness.unexpected.append)


def versions(harness: RestHarness, path: str, user: str = "alice") -> dict[str, int]:
    found: dict[str, int] = harness.call("GET", path, user=user, query=ASKED).body["versions"]
    return found


def told(harness: RestHarness, user: str) -> list[dict[str, Any]]:
    return [one for one in harness.events(f"{user}-1") if one["type"] == "user_updated"]


def watch(harness: RestHarness, watcher: str, *users: str) -> None:
    online(harness, watcher)
    harness.stores.watches.replace(watcher, f"{watcher}-1", users, expires_at=now() + 1_000_000)


@pytest.mark.parametrize("path", [V1, f"{V1}/{DM}", f"{V1}/{GROUP}/members", f"{V1}/{DM}/members"])
def test_versions_stand_beside_what_is_asked_for_and_nowhere_else(harness: RestHarness, path: str) -> None:
    version = put(harness, "bob", name="Bob")
    shown = versions(harness, path)
    assert (shown["bob"], shown["alice"]) == (version, 0)
    plain = harness.call("GET", path)
    assert "versions" not in plain.body
    assert {**plain.body, "versions": shown} == harness.call("GET", path, query=ASKED).body
    assert versions(harness, path)["bob"] < put(harness, "bob", role="agent") == versions(harness, path)["bob"]
    harness.call("DELETE", "/v1/users/bob", scope="admin")
    assert versions(harness, path)["bob"] == 0


def test_who_wrote_last_is_among_those_of_the_inbox(harness: RestHarness) -> None:
    version = put(harness, "bob", name="Bob")
    harness.call("POST", f"{V1}/{GROUP}/messages", user="bob", body={"content": "hello"})
    assert versions(harness, f"{V1}/{GROUP}") == {"bob": version}
    harness.call("POST", f"{V1}/{GROUP}/messages", user="carol", body={"content": "hello"})
    assert versions(harness, f"{V1}/{GROUP}") == {"carol": 0}


def test_who_may_not_read_a_record_learns_of_no_version(harness: RestHarness) -> None:
    put(harness, "bob", name="Bob")
    show_users_to(harness, "nobody")
    assert versions(harness, f"{V1}/{GROUP}/members") == {"alice": 0}
    assert set(versions(harness, V1)) == {"alice"}
    show_users_to(harness, "acquainted")
    assert {"alice", "bob", "carol"} <= versions(harness, f"{V1}/{GROUP}/members").keys()
    harness.call("PUT", "/v1/blocks/alice", user="bob")
    assert "bob" not in versions(harness, f"{V1}/{GROUP}/members")
    assert "bob" not in versions(harness, f"{V1}/{DM}")
    assert "bob" in harness.call("GET", f"{V1}/{GROUP}/members", scope="admin", query=ASKED).body["versions"]


def test_those_who_watch_and_the_user_are_told_how_the_record_is(harness: RestHarness) -> None:
    online(harness, "bob")
    watch(harness, "alice", "bob")
    watch(harness, "carol", "alice")
    harness.call("PUT", "/v1/users/bob", scope="admin", body={"name": "Bob", "data": {"team": 7}, "email": "b@e.com"})
    record = harness.call("GET", "/v1/users/bob").body
    assert "email" not in record
    expected = {"type": "user_updated", "user_id": "bob", "version": record["version"], "user": record}
    (event,) = told(harness, "alice")
    assert expected.items() <= event.items()
    assert told(harness, "bob") == [event]
    assert told(harness, "carol") == []
    put(harness, "bob", name="Bob")
    assert len(told(harness, "alice")) == 1, "nothing has changed"
    harness.call("POST", "/v1/users", scope="admin", body={"users": [{"id": "bob", "role": "x"}, {"id": "zoe"}]})
    assert told(harness, "alice")[-1]["user"]["role"] == "x"
    harness.call("PUT", "/v1/me", user="bob", body={"display_name": "Bobby"})
    assert told(harness, "alice")[-1]["user"]["name"] == "Bobby"
    harness.call("PUT", "/v1/me", user="bob", body={"push": {"previews": False}})
    assert len(told(harness, "alice")) == 3
    harness.call("DELETE", "/v1/users/bob", scope="admin")
    last = told(harness, "alice")[-1]
    assert (last["version"], last["user"]["name"], last["user"]["data"]) == (0, None, {})
    harness.call("DELETE", "/v1/users/bob", scope="admin")
    assert len(told(harness, "alice")) == 4


def test_a_user_without_a_record_is_told_of_likewise(harness: RestHarness) -> None:
    watch(harness, "alice", "bob")
    harness.call("PUT", "/v1/me", user="bob", body={"display_name": "Bob"})
    (event,) = told(harness, "alice")
    assert (event["version"], event["user"]["name"]) == (0, "Bob")
    harness.call("PUT", "/v1/me", user="bob", body={"display_name": "Bob"})
    assert len(told(harness, "alice")) == 1


def test_who_may_not_see_the_user_is_not_told(harness: RestHarness) -> None:
    watch(harness, "alice", "bob")
    watch(harness, "zoe", "bob")
    harness.call("PUT", "/v1/blocks/alice", user="bob")
    put(harness, "bob", name="Bob")
    assert (told(harness, "alice"), told(harness, "zoe")) == ([], [])
    harness.call("DELETE", "/v1/blocks/alice", user="bob")
    show_users_to(harness, "nobody")
    put(harness, "bob", name="Bob B")
    assert told(harness, "alice") == []
