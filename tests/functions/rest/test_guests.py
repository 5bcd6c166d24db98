"""Guests over HTTP: which operations are theirs, and that all others change nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from functions.rest.documentation import OPERATIONS
from tests.functions.events import http_event
from tests.functions.rest.harness import BLOCKED_DM, DM, GROUP, RestHarness, now, token
from tests.functions.rest.table import success_of
from tests.stores import LOG, MEMBERS

V1 = "/v1/conversations"
PUBLIC = {name for name, one in OPERATIONS.items() if one.is_public}
# By their path or their query.
SOMETIMES = {"get_users", "delete_member"}
GUESTS = {
    *("post_ticket", "get_me", "put_me", "get_user", "post_report", "get_file"),
    *("get_conversations", "get_conversation", "delete_conversation", "patch_settings", "get_members"),
    *("get_messages", "get_message", "post_message", "patch_message", "delete_message", "post_read"),
    *("put_reaction", "delete_reaction", "get_pins", "get_notifications", "delete_notification"),
    *("get_blocks", "put_block", "delete_block", "get_devices", "delete_device"),
}


def as_guest(harness: RestHarness, name: str) -> tuple[int, str | None]:
    """What a guest is answered to what succeeds for its user, with all scopes that it asks for."""
    case = success_of(name)
    case.given(harness)
    method, _, path = case.request.partition(" ")
    bearer = token(case.user, scope=f"guest {case.scope}")
    answered = harness.request(http_event(method, path, token=bearer, body=case.body, query=case.query))
    return answered.status, answered.code


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - PUBLIC - GUESTS - SOMETIMES))
def test_what_is_not_for_guests_is_forbidden_and_changes_nothing(harness: RestHarness, name: str) -> None:
    success_of(name).given(harness)
    before = harness.stores.rows(LOG), harness.stores.rows(MEMBERS)
    case = success_of(name)
    method, _, path = case.request.partition(" ")
    bearer = token(case.user, scope=f"guest {case.scope}")
    answered = harness.request(http_event(method, path, token=bearer, body=case.body, query=case.query))
    assert (answered.status, answered.code) == (403, "forbidden")
    assert (harness.stores.rows(LOG), harness.stores.rows(MEMBERS)) == before
    assert harness.unexpected == []


@pytest.mark.parametrize("name", sorted(GUESTS))
def test_what_is_for_guests_is_done(harness: RestHarness, name: str) -> None:
    assert as_guest(harness, name) == (success_of(name).status, None)


def test_a_guest_leaves_and_removes_nobody(harness: RestHarness) -> None:
    members = f"{V1}/{GROUP}/members"
    assert harness.call("DELETE", f"{members}/carol", user="bob", scope="guest").code == "forbidden"
    assert harness.call("DELETE", f"{members}/b%6Fb", user="bob", scope="guest").status == 204
    assert harness.call("GET", members, user="bob", scope="guest").code == "not_a_member"


def test_a_guest_sees_fellow_members_and_searches_nobody(harness: RestHarness) -> None:
    for user in ("bob", "frank"):
        harness.call("PUT", f"/v1/users/{user}", body={"name": f"Robin {user}"}, scope="admin")
    assert harness.call("GET", "/v1/users", query={"prefix": "ro"}, scope="guest").code == "forbidden"
    found = harness.call("GET", "/v1/users", query={"ids": "bob,frank"}, scope="guest").body["users"]
    assert [one["user_id"] for one in found] == ["bob"]
    assert harness.call("GET", "/v1/users/frank", scope="guest").status == 404
    assert harness.call("GET", "/v1/users/frank").status == 200


def test_a_guest_answers_and_writes_to_nobody_first(harness: RestHarness) -> None:
    assert harness.call("POST", f"{V1}/{DM}/messages", body={"content": "hi"}, scope="guest").status == 201
    for content in ({"content": "hi"}, {"content": "hi", "after": 0, "client_message_id": "k"}):
        refused = harness.call("POST", f"{V1}/dm:alice:frank/messages", body=content, scope="guest")
        assert refused.code in {"forbidden", "not_a_member"}
    assert harness.stores.entries("dm:alice:frank") == []
    blocked = harness.call("POST", f"{V1}/{BLOCKED_DM}/messages", body={"content": "hi"}, scope="guest")
    assert blocked.code == "blocked"


def test_an_administrator_acts_as_a_guest_with_all_rights_or_with_those(harness: RestHarness) -> None:
    def make(scope: str) -> str | None:
        event = http_event(
            "POST",
            V1,
            token=token("root", scope=scope),
            headers={"Parley-As": "alice"},
            body={"type": "group", "name": "New", "members": []},
        )
        return harness.request(event).code

    assert make("admin") is None
    assert make("admin guest") == "forbidden"


def test_a_guests_token_with_the_scope_admin_has_no_administrators_rights(harness: RestHarness) -> None:
    harness.call("PUT", "/v1/users/frank", body={"name": "Frank"}, scope="admin")
    assert harness.call("GET", "/v1/users/frank", scope="admin").status == 200
    harness.wired = replace(harness.wired, users_visible="nobody")
    assert harness.call("GET", "/v1/users/frank", scope="admin guest").status == 404
    system = {"content": "hi", "message_type": "system"}
    assert harness.call("POST", f"{V1}/{DM}/messages", body=system, scope="admin guest").code == "forbidden"
    assert harness.call("POST", f"{V1}/{DM}/messages", body=system, scope="admin").status == 201
    head = harness.stores.entries(DM)[-1].seq
    for scope, code in (("admin guest", "forbidden"), ("admin", None)):
        edited = harness.call("PATCH", f"{V1}/{DM}/messages/{head}", body={"content": "ho"}, scope=scope)
        assert edited.code == code


def test_a_guest_is_banned_like_anybody(harness: RestHarness) -> None:
    harness.stores.connect("alice", "alice-1", at=now())
    banned = harness.call("PUT", "/v1/users/alice/ban", user="root", scope="admin", body={})
    assert banned.body["closed"] == 1
    assert harness.call("GET", V1, scope="guest").code == "banned"


def test_a_guests_ticket_is_a_guests(harness: RestHarness) -> None:
    secret = harness.call("POST", "/v1/tickets", scope="guest").body["ticket"]
    other = harness.call("POST", "/v1/tickets").body["ticket"]
    assert len({secret, other}) == 2
    assert [row.get("is_guest") for row in harness.stores.rows("tickets")].count(True) == 1
