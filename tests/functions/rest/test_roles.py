"""The table of roles and permissions, row by row: who has one does what it is for, and who has it not can't."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from shared.domain.changes import ADMIN, MEMBER, OWNER, ROLES, Role
from shared.domain.permissions import CHANNEL, DEFAULT, FOR_GUESTS, GROUP, KEPT_BY_OWNERS, PRIVATE, matrix_of
from tests.functions.rest.harness import DM, RestHarness

V1 = "/v1/conversations"
THUMB = "%F0%9F%91%8D"
USERS: dict[Role, str] = {OWNER: "olive", ADMIN: "amos", MEMBER: "mia"}
ATTACHED = [{"type": "poll"}]


@dataclass(frozen=True)
class Done:
    """A request about the conversation `{c}`, by `{me}`. `first` was done before, by who did it."""

    method: str
    path: str
    body: dict[str, Any] | None = None
    first: tuple[str, str, str, dict[str, Any] | None] | None = None


MESSAGE = Done("POST", "/messages", {"content": "hi"})
OWN = ("{me}", "POST", "/messages", {"content": "mine"})
OTHERS = ("olga", "POST", "/messages", {"content": "another's"})
FROZEN = ("olga", "PATCH", "", {"frozen": True})
HOW: dict[str, Done] = {
    "send": MESSAGE,
    "attach": Done("POST", "/messages", {"content": "here", "attachments": ATTACHED}),
    "forward": Done("POST", "/messages", {"content": "", "forward_of": {"conversation_id": "{c}", "seq": 2}}, OTHERS),
    "edit_own": Done("PATCH", "/messages/{head}", {"content": "better"}, OWN),
    "delete_own": Done("DELETE", "/messages/{head}", None, OWN),
    "react": Done("PUT", f"/messages/{{head}}/reactions/{THUMB}", None, OTHERS),
    "remove_reactions": Done("DELETE", f"/messages/2/reactions/{THUMB}?user_id=olga", None, None),
    "delete_any": Done("DELETE", "/messages/{head}", None, OTHERS),
    "pin": Done("PUT", "/pins/{head}", None, OTHERS),
    "mention_all": Done("POST", "/messages", {"content": "hi", "mentions": ["@all"]}),
    "mention_here": Done("POST", "/messages", {"content": "hi", "mentions": ["@here"]}),
    "write_frozen": Done("POST", "/messages", {"content": "hi"}, FROZEN),
    "skip_slow_mode": Done("POST", "/messages", {"content": "again"}, None),
    "add_members": Done("POST", "/members", {"users": ["newt"]}),
    "remove_members": Done("DELETE", "/members/max"),
    "change_roles": Done("PATCH", "/members/max", {"role": "member"}),
    "change_name": Done("PATCH", "", {"name": "New"}),
    "change_topic": Done("PATCH", "", {"topic": "New"}),
    "change_avatar": Done("PATCH", "", {"avatar": "https://example.com/a.png"}),
    "change_data": Done("PATCH", "", {"data": {"a": 1}}),
    "change_member_data": Done("PATCH", "/members/max", {"data": {"a": 1}}),
    "change_own_data": Done("PATCH", "/members/{me}", {"data": {"a": 1}}),
    "change_join": Done("PATCH", "", {"join": "open"}),
    "change_history": Done("PATCH", "", {"history": "from_joining"}),
    "change_slow_mode": Done("PATCH", "", {"slow_mode": 5}),
    "freeze": Done("PATCH", "", {"frozen": True}),
    "change_retention": Done("PATCH", "", {"retention_days": 30}),
    "create_invites": Done("POST", "/invites", {}),
    "manage_invites": Done("GET", "/invites"),
    "decide_requests": Done("GET", "/requests"),
    "list_members": Done("GET", "/members"),
}


def given(harness: RestHarness, permission: str, roles: frozenset[Role], kind: str = "group") -> None:
    """This deployment gives the permission to these roles."""
    matrix = matrix_of(f"{kind}.{permission}={'+'.join(one for one in ROLES if one in roles) or 'nobody'}")
    context = harness.wired.context
    harness.rewire(context=replace(context, limits=replace(context.limits, matrix=matrix)))


def made(harness: RestHarness, kind: str) -> str:
    """A group or channel of olga's with one of each role beside, and max, a plain member."""
    body = {"type": kind, "name": "Team"} | ({"members": [*USERS.values(), "max"]} if kind == "group" else {})
    place: str = harness.call("POST", V1, user="olga", body=body).body["id"]
    if kind == "channel":
        harness.call("POST", f"{V1}/{place}/members", user="olga", body={"users": [*USERS.values(), "max"]})
    said = harness.call("POST", f"{V1}/{place}/messages", user="olga", body={"content": "welcome"})
    assert said.status == 201
    for role in (OWNER, ADMIN):
        path = f"{V1}/{place}/members/{USERS[role]}"
        assert harness.call("PATCH", path, user="olga", body={"role": role}).status == 200
    return place


def does(harness: RestHarness, place: str, permission: str, role: Role) -> tuple[int, str | None, str]:
    """What the user of the role is answered who does it."""
    me, how = USERS[role], HOW[permission]
    if how.first is not None:
        user, method, path, body = how.first
        done = harness.call(method, f"{V1}/{place}{path}", user=user.format(me=me), body=body)
        assert done.status in {200, 201}, done
    if permission == "remove_reactions":
        harness.call("PUT", f"{V1}/{place}/messages/2/reactions/{THUMB}", user="olga")
    if permission == "skip_slow_mode":
        harness.call("PATCH", f"{V1}/{place}", user="olga", body={"slow_mode": 600})
        harness.call("POST", f"{V1}/{place}/messages", user=me, body={"content": "once"})
    head = harness.call("GET", f"{V1}/{place}", user=me).body["head"]
    path, _, query = how.path.format(head=head, me=me).partition("?")
    body = how.body
    if body is not None and "forward_of" in body:
        body = {**body, "forward_of": {"conversation_id": place, "seq": head}}
    named = dict([query.split("=")]) if query else {}
    answered = harness.call(how.method, f"{V1}/{place}{path}", user=me, body=body, query=named or None)
    message = answered.body["error"] if answered.status >= 400 else ""
    return answered.status, answered.code, message


def test_every_permission_has_an_example_here() -> None:
    assert HOW.keys() == GROUP.keys() | CHANNEL.keys()


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("permission", GROUP)
def test_a_role_of_a_group_does_what_it_has_the_permission_for_by_default(
    harness: RestHarness, permission: str, role: Role
) -> None:
    place = made(harness, "group")
    held = harness.call("GET", f"{V1}/{place}", user=USERS[role]).body["permissions"]
    assert held == [one for one in GROUP if role in GROUP[one]]
    status, code, _ = does(harness, place, permission, role)
    refused = (429, "rate_limited") if permission == "skip_slow_mode" else (403, "forbidden")
    assert ((status, code) == refused) is (permission not in held)
    assert status < 400 or permission not in held


@pytest.mark.parametrize("permission", GROUP)
def test_a_deployment_gives_it_to_one_role_and_to_no_other(harness: RestHarness, permission: str) -> None:
    kept: frozenset[Role] = frozenset({OWNER}) if permission in KEPT_BY_OWNERS else frozenset()
    for only in ROLES:
        given(harness, permission, frozenset({only}) | kept)
        for role in ROLES:
            place = made_by_default(harness, permission, frozenset({only}) | kept)
            held = harness.call("GET", f"{V1}/{place}", user=USERS[role]).body["permissions"]
            status, code, message = does(harness, place, permission, role)
            if role == only or role in kept:
                assert permission in held
                assert status < 400, message
            else:
                assert permission not in held
                assert code == ("rate_limited" if permission == "skip_slow_mode" else "forbidden")
                assert permission == "skip_slow_mode" or message.startswith(("Only ", "This group is frozen"))


def made_by_default(harness: RestHarness, permission: str, roles: frozenset[Role]) -> str:
    context = harness.wired.context
    harness.rewire(context=replace(context, limits=replace(context.limits, matrix=DEFAULT)))
    place = made(harness, "group")
    given(harness, permission, roles)
    return place


@pytest.mark.parametrize("role", [OWNER, ADMIN])
@pytest.mark.parametrize("permission", CHANNEL)
def test_a_channel_has_a_table_of_its_own(harness: RestHarness, permission: str, role: Role) -> None:
    place = made(harness, "channel")
    held = harness.call("GET", f"{V1}/{place}", user=USERS[role]).body["permissions"]
    assert held == [one for one in CHANNEL if role in CHANNEL[one]]
    assert harness.call("GET", f"{V1}/{place}", user=USERS[MEMBER]).body["permissions"] == []
    status, code, _ = does(harness, place, permission, role)
    assert (status < 400) is (permission in held)
    kept: frozenset[Role] = frozenset({OWNER}) if permission in KEPT_BY_OWNERS else frozenset()
    given(harness, permission, kept, "channel")
    status, code, message = (
        does(harness, place, permission, role) if permission != "edit_own" else (403, "forbidden", "")
    )
    if role not in kept:
        assert (status, code) == (403, "forbidden"), message


def test_nobody_gives_or_takes_a_role_above_their_own(harness: RestHarness) -> None:
    place = made(harness, "group")
    given(harness, "change_roles", frozenset({OWNER, ADMIN, MEMBER}))

    def sets(user: str, role: str, by: str) -> str | None:
        return harness.call("PATCH", f"{V1}/{place}/members/{user}", user=by, body={"role": role}).code

    assert sets("max", "owner", "amos") == sets("amos", "owner", "amos") == "forbidden"
    assert sets("olga", "member", "amos") == sets("mia", "admin", "mia") == sets("amos", "member", "mia") == "forbidden"
    assert sets("max", "admin", "amos") is None
    assert sets("max", "member", "amos") is None
    assert sets("amos", "owner", "olive") is None


def test_a_plain_member_who_removes_members_removes_plain_ones(harness: RestHarness) -> None:
    place = made(harness, "group")
    given(harness, "remove_members", frozenset({OWNER, MEMBER}))
    removed = [harness.call("DELETE", f"{V1}/{place}/members/{user}", user="mia").status for user in ("amos", "max")]
    assert removed == [403, 204]
    assert harness.call("DELETE", f"{V1}/{place}/members/amos", user="amos").status == 204  # everyone may leave


def test_a_forwarded_attachment_takes_the_permission_for_it_too(harness: RestHarness) -> None:
    place = made(harness, "group")
    shown = {"content": "look", "attachments": ATTACHED}
    seq = harness.call("POST", f"{V1}/{DM}/messages", user="alice", body=shown).body["seq"]
    harness.call("POST", f"{V1}/{place}/members", user="olga", body={"users": ["alice"]})
    given(harness, "attach", frozenset({OWNER}))
    asked = {"content": "", "forward_of": {"conversation_id": DM, "seq": seq}}
    assert harness.call("POST", f"{V1}/{place}/messages", user="alice", body=asked).code == "forbidden"
    asked["forward_of"] = {"conversation_id": DM, "seq": 1}
    assert harness.call("POST", f"{V1}/{place}/messages", user="alice", body=asked).status == 201


def test_where_edits_or_reactions_are_not_everyones_large_groups_are_asked_too(harness: RestHarness) -> None:
    context = harness.wired.context
    harness.rewire(context=replace(context, limits=replace(context.limits, inline_limit=2)))
    place = made(harness, "group")
    seq = harness.call("POST", f"{V1}/{place}/messages", user="mia", body={"content": "one"}).body["seq"]
    message = f"{V1}/{place}/messages/{seq}"
    assert harness.call("PATCH", message, user="mia", body={"content": "two"}).status == 200
    given(harness, "edit_own", frozenset({OWNER, ADMIN}))
    assert harness.call("PATCH", message, user="mia", body={"content": "three"}).code == "forbidden"
    assert harness.call("PUT", f"{message}/reactions/{THUMB}", user="mia").status == 200
    given(harness, "react", frozenset({OWNER, ADMIN}))
    assert harness.call("PUT", f"{message}/reactions/%F0%9F%8E%BA", user="mia").code == "forbidden"
    assert harness.call("DELETE", f"{message}/reactions/{THUMB}", user="mia").status == 200
    assert harness.call("PUT", f"{message}/reactions/{THUMB}", user="amos").status == 200


def test_a_resend_of_a_stored_message_is_answered_whatever_the_role_may_now(harness: RestHarness) -> None:
    place = made(harness, "group")
    body = {"content": "one", "client_message_id": "c1"}
    sent = harness.call("POST", f"{V1}/{place}/messages", user="mia", body=body)
    given(harness, "send", frozenset({OWNER}))
    again = harness.call("POST", f"{V1}/{place}/messages", user="mia", body=body)
    assert (again.status, again.body["seq"]) == (200, sent.body["seq"])


def test_who_acts_as_a_user_has_the_role_of_that_user(harness: RestHarness) -> None:
    place = made(harness, "group")
    server = {"user": "server", "scope": "admin"}
    as_mia = harness.call("PATCH", f"{V1}/{place}", headers={"parley-as": "mia"}, body={"topic": "x"}, **server)
    assert as_mia.code == "forbidden"
    as_amos = harness.call("PATCH", f"{V1}/{place}", headers={"parley-as": "amos"}, body={"topic": "x"}, **server)
    assert as_amos.status == 200
    assert as_amos.body["permissions"] == [one for one in GROUP if ADMIN in GROUP[one]]


def test_a_guest_is_shown_what_the_token_leaves_of_the_role(harness: RestHarness) -> None:
    place = made(harness, "group")
    held = harness.call("GET", f"{V1}/{place}", user="olive", scope="guest").body["permissions"]
    assert held == [one for one in GROUP if one in FOR_GUESTS]
    for permission in GROUP.keys() - FOR_GUESTS:
        how = HOW[permission]
        answered = harness.call(
            how.method, f"{V1}/{place}{how.path.format(head=2, me='olive')}", user="olive", scope="guest", body=how.body
        )
        assert answered.code == "forbidden", permission


def test_the_two_of_a_private_conversation_have_no_roles(harness: RestHarness) -> None:
    shown = harness.call("GET", f"{V1}/{DM}", user="alice").body
    assert (shown["role"], shown["permissions"]) == (None, list(PRIVATE))
    given(harness, "send", frozenset())
    assert harness.call("POST", f"{V1}/{DM}/messages", user="alice", body={"content": "hi"}).status == 201
    assert "permissions" not in harness.call("GET", V1, user="alice").body["conversations"][0]
