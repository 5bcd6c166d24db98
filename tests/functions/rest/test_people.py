"""Profiles, presence, contacts, blocks, and the administrator's operation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.domain.connections import Identity
from shared.domain.connections import opened as connection_opened
from tests.functions.events import HOUR, http_event
from tests.functions.rest.harness import DM, GROUP, RestHarness, now, online, settled, token
from tests.stores import MEMBERS, SESSIONS


def test_a_profile_keeps_what_is_left_out_and_null_clears() -> None:
    harness = RestHarness()
    quiet = {"start": "22:00", "end": "07:00", "time_zone": "Europe/Berlin"}
    initial = harness.call("GET", "/v1/me").body
    harness.call("PUT", "/v1/me", body={"display_name": "Alice", "push": {"previews": False, "quiet_hours": quiet}})
    harness.call("PUT", "/v1/me", body={"avatar_url": "https://example.com/a.png", "mail": "mentions"})
    harness.call("PUT", "/v1/me", body={"push": {"previews": None}})
    expected = {
        "user_id": "alice",
        "display_name": "Alice",
        "avatar_url": "https://example.com/a.png",
        "hide_presence": False,
        "groups_from": "everyone",
        "mail": "mentions",
        "mail_stopped": None,
        "push": {"previews": True, "quiet_hours": quiet},
    }
    assert harness.call("GET", "/v1/me").body == expected
    names = ("display_name", "avatar_url", "push", "hide_presence", "groups_from", "mail")
    cleared = dict.fromkeys(names)
    assert harness.call("PUT", "/v1/me", body=cleared).body == initial
    assert harness.call("PUT", "/v1/me", body={}).body == initial
    assert harness.call("GET", "/v1/me", user="bob").body["user_id"] == "bob"


@pytest.mark.parametrize(
    "body",
    [
        {"display_name": "x" * 101},
        {"avatar_url": "http://example.com/a.png"},
        {"push": {"quiet_hours": {"start": "22:00"}}},
        {"push": {"quiet_hours": {"start": "24:00", "end": "07:00", "time_zone": "Europe/Berlin"}}},
        {"push": {"quiet_hours": {"start": "22:00", "end": "07:00", "time_zone": "Europe/Atlantis"}}},
        {"push": {"quiet_hours": {"start": "22:00", "end": "07:00", "time_zone": "../../etc/passwd"}}},
        {"hide_presence": "yes"},
        {"groups_from": "friends"},
        {"mail": "yes"},
        {"mail": True},
        {"push": []},
    ],
    ids=str,
)
def test_a_profile_that_is_not_one_changes_nothing(body: dict[str, Any]) -> None:
    harness = RestHarness()
    assert harness.call("PUT", "/v1/me", body={**body, "display_name": body.get("display_name", "A")}).status == 400
    assert harness.stores.rows(MEMBERS, sk="profile") == []


def test_hiding_stands_in_one_place_and_the_profile_shows_it() -> None:
    harness = RestHarness()
    for hidden in (True, False):
        assert harness.call("PUT", "/v1/me", body={"hide_presence": hidden}).body["hide_presence"] is hidden
        assert harness.call("PUT", "/v1/me", body={"display_name": "A"}).body["hide_presence"] is hidden
        assert harness.call("GET", "/v1/me").body["hide_presence"] is hidden
        assert harness.stores.sessions.whole(["alice"])["alice"].hidden is hidden


def while_hiding(harness: RestHarness, do: Callable[[], object]) -> None:
    """Do it right before it is written that a user hides."""
    harness.stores.calls.before = lambda operation, request: (
        do() if operation == "UpdateItem" and ":hidden" in str(request) else None
    )


def watched_by_bob(harness: RestHarness) -> None:
    online(harness, "alice", "bob")
    harness.stores.watches.replace("bob", "bob-1", ["alice"], expires_at=now() + 60_000)


def statuses(harness: RestHarness) -> list[str]:
    """What bob's connection was told of who is there."""
    return [event["status"] for event in harness.events("bob-1") if event["type"] == "presence"]


def test_who_hides_their_presence_looks_offline_at_once_and_online_again_later(harness: RestHarness) -> None:
    watched_by_bob(harness)
    for hidden in (True, True, False):
        harness.call("PUT", "/v1/me", body={"hide_presence": hidden})
    assert statuses(harness) == ["offline", "online"]
    harness.call("PUT", "/v1/me", body={"hide_presence": True})
    shown = harness.call("GET", "/v1/presence", user="bob", query={"users": "alice"}).body
    assert shown == {"users": [{"user_id": "alice", "status": "offline", "last_seen": None}]}


@pytest.mark.parametrize(("hidden", "last"), [(True, "offline"), (False, "online")])
def test_who_comes_to_see_the_user_just_while_they_hide_or_show_themselves_is_told_too(
    harness: RestHarness, hidden: bool, last: str
) -> None:
    harness.call("PUT", "/v1/me", body={"hide_presence": not hidden})
    harness.call("PUT", "/v1/blocks/alice", user="bob")
    watched_by_bob(harness)
    while_hiding(harness, lambda: harness.call("DELETE", "/v1/blocks/alice", user="bob"))
    harness.call("PUT", "/v1/me", body={"hide_presence": hidden})
    assert statuses(harness)[-1:] == [last]


def test_who_begins_to_watch_just_while_the_user_hides_is_told_too(harness: RestHarness) -> None:
    online(harness, "alice", "bob")
    while_hiding(harness, lambda: harness.stores.watches.replace("bob", "bob-1", ["alice"], expires_at=now() + 60_000))
    harness.call("PUT", "/v1/me", body={"hide_presence": True})
    assert statuses(harness) == ["offline"]


def test_a_change_of_the_name_leaves_presence_alone(harness: RestHarness) -> None:
    harness.call("PUT", "/v1/me", body={"display_name": "Alice"})
    assert harness.stores.rows(SESSIONS) == []


def test_a_repeated_request_completes_hiding_that_died_half_way(harness: RestHarness) -> None:
    watched_by_bob(harness)
    harness.call("PUT", "/v1/me", body={"hide_presence": True})
    harness.stores.edit(SESSIONS, {"user_id": "alice"}, hidden=False)
    harness.call("PUT", "/v1/me", body={"hide_presence": True})
    assert harness.stores.session("alice").hidden is True


def test_presence_comes_in_the_order_asked_and_strangers_look_offline(harness: RestHarness) -> None:
    online(harness, "bob", "mallory", "dave")
    body = harness.call("GET", "/v1/presence", query={"users": "mallory,bob,dave,nobody,bob"}).body
    shown = [(one["user_id"], one["status"]) for one in body["users"]]
    offline = [("mallory", "offline"), ("bob", "online"), ("dave", "offline"), ("nobody", "offline")]
    assert shown == [*offline, ("bob", "online")]


@pytest.mark.parametrize("users", [",", "bob,", "a b", ",".join(["u"] * 101), "x" * 14_000], ids=lambda text: text[:9])
def test_presence_needs_well_formed_users_and_no_more_than_a_hundred(users: str) -> None:
    assert settled().call("GET", "/v1/presence", query={"users": users}).code == "bad_request"


def test_presence_of_nobody_is_nothing() -> None:
    assert settled().call("GET", "/v1/presence", query={"users": ""}).body == {"users": []}


def test_a_contact_is_asked_for_accepted_renamed_and_ended() -> None:
    harness = RestHarness()
    asked = harness.call("POST", "/v1/contacts", body={"user_id": "bob"})
    assert (asked.status, asked.body["status"], asked.body["alias"]) == (201, "requested", None)
    assert harness.call("GET", "/v1/contacts", user="bob").body["contacts"][0]["status"] == "incoming"
    both = {"status": "accepted", "alias": "Al"}
    accepted = harness.call("PATCH", "/v1/contacts/alice", user="bob", body=both).body
    assert (accepted["status"], accepted["alias"]) == ("accepted", "Al")
    assert harness.call("PATCH", "/v1/contacts/alice", user="bob", body={"alias": None}).body["alias"] is None
    harness.call("DELETE", "/v1/contacts/bob")
    assert harness.call("GET", "/v1/contacts", user="bob").body == {"contacts": []}


def test_unknown_and_blocking_users_answer_a_request_alike(harness: RestHarness) -> None:
    blocking, unknown = (harness.call("POST", "/v1/contacts", body={"user_id": user}) for user in ("dave", "nobody"))
    assert (blocking.status, unknown.status) == (201, 201)
    assert {**blocking.body, "user_id": "", "since": 0} == {**unknown.body, "user_id": "", "since": 0}
    assert harness.call("GET", "/v1/contacts", user="dave").body == {"contacts": []}


@pytest.mark.parametrize("body", [{}, {"status": "requested"}, {"status": None}, {"alias": 5}], ids=str)
def test_a_contact_is_changed_by_what_makes_sense_only(body: dict[str, Any]) -> None:
    harness = RestHarness()
    harness.call("POST", "/v1/contacts", body={"user_id": "bob"})
    assert harness.call("PATCH", "/v1/contacts/bob", body=body).code == "bad_request"


def test_a_block_holds_until_it_is_taken_back(harness: RestHarness) -> None:
    for user in ("zoe", "bob", "bob"):
        harness.call("PUT", f"/v1/blocks/{user}")
    assert harness.call("GET", "/v1/blocks").body == {"blocks": ["bob", "zoe"]}
    path, body = f"/v1/conversations/{DM}/messages", {"content": "hi"}
    assert harness.call("POST", path, user="bob", body=body).code == "blocked"
    for _ in range(2):
        harness.call("DELETE", "/v1/blocks/bob")
    assert harness.call("POST", path, user="bob", body=body).status == 201


def each_watching_the_other(harness: RestHarness, *users: str) -> None:
    online(harness, *users)
    for user in users:
        others = [other for other in users if other != user]
        harness.stores.watches.replace(user, f"{user}-1", others, expires_at=now() + 3_600_000)


CHANGES: list[tuple[str, str, str, Any, str | None]] = [
    ("bob", "PUT", "/v1/blocks/alice", None, "offline"),
    ("bob", "PUT", "/v1/blocks/alice", None, "offline"),  # again, since the first may have died half-way
    ("bob", "DELETE", "/v1/blocks/alice", None, "online"),
    ("alice", "PUT", "/v1/blocks/bob", None, "offline"),
    ("bob", "PUT", "/v1/blocks/alice", None, None),
    ("alice", "DELETE", "/v1/blocks/bob", None, None),
    ("bob", "DELETE", "/v1/blocks/alice", None, "online"),
]


def test_a_block_and_its_end_are_told_both_ways(harness: RestHarness) -> None:
    each_watching_the_other(harness, "alice", "bob")
    for user, method, path, body, expected in CHANGES:
        assert harness.call(method, path, user=user, body=body).status == 204
        told = [(statuses_of(harness, "alice-1")), (statuses_of(harness, "bob-1"))]
        assert told == ([[("bob", expected, None)], [("alice", expected, None)]] if expected else [[], []])
        harness.gateway.posts.clear()


def statuses_of(harness: RestHarness, connection_id: str) -> list[tuple[str, str, int | None]]:
    events = [event for event in harness.events(connection_id) if event["type"] == "presence"]
    return [(event["user_id"], event["status"], event["last_seen"]) for event in events]


def test_a_contact_and_its_end_are_told_both_ways_and_a_request_is_not(harness: RestHarness) -> None:
    each_watching_the_other(harness, "zoe", "yves")
    steps: list[tuple[str, str, str, Any, str | None]] = [
        ("zoe", "POST", "/v1/contacts", {"user_id": "yves"}, None),
        ("yves", "PATCH", "/v1/contacts/zoe", {"alias": "Z"}, None),
        ("yves", "PATCH", "/v1/contacts/zoe", {"status": "accepted"}, "online"),
        ("zoe", "DELETE", "/v1/contacts/yves", None, "offline"),
        ("zoe", "POST", "/v1/contacts", {"user_id": "yves"}, None),
        ("zoe", "DELETE", "/v1/contacts/yves", None, None),
        ("yves", "POST", "/v1/contacts", {"user_id": "zoe"}, None),
        ("zoe", "POST", "/v1/contacts", {"user_id": "yves"}, "online"),
    ]
    for user, method, path, body, expected in steps:
        assert harness.call(method, path, user=user, body=body).status < 300
        told = [statuses_of(harness, "zoe-1"), statuses_of(harness, "yves-1")]
        assert told == ([[("yves", expected, None)], [("zoe", expected, None)]] if expected else [[], []])
        harness.gateway.posts.clear()


def test_coming_into_a_group_and_going_are_told_both_ways(harness: RestHarness) -> None:
    each_watching_the_other(harness, "carol", "zoe")
    members = f"/v1/conversations/{GROUP}/members"
    steps: list[tuple[str, str, str, Any, str]] = [
        ("alice", "POST", members, {"users": ["zoe"]}, "online"),
        ("alice", "DELETE", f"{members}/zoe", None, "offline"),
        ("alice", "POST", members, {"users": ["zoe"]}, "online"),
        ("zoe", "DELETE", f"/v1/conversations/{GROUP}", None, "offline"),
        ("carol", "POST", "/v1/conversations", {"type": "group", "name": "Two", "members": ["zoe"]}, "online"),
    ]
    for user, method, path, body, expected in steps:
        assert harness.call(method, path, user=user, body=body).status < 300
        told = [statuses_of(harness, "carol-1"), statuses_of(harness, "zoe-1")]
        assert told == [[("zoe", expected, None)], [("carol", expected, None)]]
        harness.gateway.posts.clear()


def test_a_first_answer_over_http_is_told_both_ways(harness: RestHarness) -> None:
    each_watching_the_other(harness, "alice", "zoe")
    place = harness.call("POST", "/v1/conversations", body={"type": "private", "with": "zoe"}).body["id"]
    for user, expected in (("alice", None), ("zoe", "online"), ("alice", None)):
        assert (
            harness.call("POST", f"/v1/conversations/{place}/messages", user=user, body={"content": "x"}).status == 201
        )
        told = [statuses_of(harness, "alice-1"), statuses_of(harness, "zoe-1")]
        assert told == ([[("zoe", expected, None)], [("alice", expected, None)]] if expected else [[], []])
        harness.gateway.posts.clear()


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("PUT", "/v1/blocks/bob", None, 204),
        ("DELETE", "/v1/blocks/bob", None, 204),
        ("POST", f"/v1/conversations/{GROUP}/members", {"users": ["zoe"]}, 200),
        ("DELETE", f"/v1/conversations/{GROUP}/members/carol", None, 204),
    ],
)
def test_what_changes_who_may_see_whom_stands_though_nobody_can_be_told(
    harness: RestHarness, method: str, path: str, body: Any, status: int
) -> None:
    each_watching_the_other(harness, "alice", "bob")
    harness.stores.calls.fail("watch", ZeroDivisionError)
    assert harness.call(method, path, body=body).status == status
    assert harness.unexpected == []


@pytest.mark.parametrize("claims", [{"scope": "chat admin"}, {"scopes": ["admin"]}], ids=str)
def test_an_admin_closes_every_connection_and_watchers_hear_it_at_once(
    harness: RestHarness, claims: dict[str, Any]
) -> None:
    watched_by_bob(harness)
    harness.stores.connect("alice", "alice-2", at=now())
    harness.stores.connect("alice", "alice-old", at=1, expires_at=2)
    event = http_event("DELETE", "/v1/users/alice/connections", token=token("root", **claims))
    assert harness.request(event).body == {"closed": 2}
    assert set(harness.gateway.closed) == {"alice-1", "alice-2", "alice-old"}
    assert harness.events("alice-2") == [{"type": "disconnect", "code": "revoked", "reconnect": False}]
    assert [one["status"] for one in harness.events("bob-1")] == ["offline"]
    assert harness.request(event).body == {"closed": 0}


def test_an_admin_sees_the_live_connections_of_a_user_the_oldest_first(harness: RestHarness) -> None:
    heard = now() - 1_000
    opened, identity = heard - HOUR, Identity("alice", heard + HOUR)
    phone = connection_opened("phone-1", identity, device_id="phone", connected_at=opened)
    desk = connection_opened("desk-1", identity, device_id="desk", connected_at=opened - 1)
    with harness.stores.calls.quietly():
        for one in (phone, desk):
            harness.stores.sessions.register(one, limit=10)
        harness.stores.sessions.touch(phone.heard_from(heard))
    harness.stores.connect("alice", "alice-old", at=1, expires_at=2)
    harness.stores.connect("bob", "bob-1", at=opened)
    event = http_event("GET", "/v1/users/alice/connections", token=token("root", scope="admin"))
    told = {
        "desk-1": {"device_id": "desk", "connected_at": opened - 1, "last_heard_at": opened - 1},
        "phone-1": {"device_id": "phone", "connected_at": opened, "last_heard_at": heard},
    }
    assert harness.request(event).body == {
        "connections": [{"connection_id": name, **fields} for name, fields in told.items()]
    }
    assert harness.gateway.closed == []


def test_one_s_own_connections_need_the_scope_too(harness: RestHarness) -> None:
    online(harness, "alice")
    assert harness.call("DELETE", "/v1/users/alice/connections").code == "forbidden"
    assert harness.gateway.closed == []


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/v1/me", {"display_name": "Alice"}),
        ("PATCH", f"/v1/conversations/{DM}/settings", {"pinned": True}),
        ("DELETE", f"/v1/conversations/{DM}", None),
        ("PUT", "/v1/blocks/mallory", None),
        ("DELETE", "/v1/blocks/mallory", None),
        ("DELETE", "/v1/contacts/bob", None),
    ],
)
def test_changes_of_what_is_ones_own_count_as_messages_do(
    harness: RestHarness, method: str, path: str, body: dict[str, Any] | None
) -> None:
    harness.flood("alice")
    assert harness.call(method, path, body=body).code == "rate_limited"
