"""The table of roles, as a deployment changes it: what is taken away nobody can do, and what is given opens no door."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest

from functions.message.wiring import Wiring
from shared.domain.changes import ROLES
from shared.domain.permissions import DEFAULT, KEPT_BY_OWNERS, Matrix, matrix_of
from shared.domain.permissions import GROUP as PERMISSIONS
from tests.functions.events import http_event
from tests.functions.message.harness import MessageHarness
from tests.functions.rest.harness import GROUP, RestHarness, token
from tests.security.conftest import Tried
from tests.security.scenario import frame_scenario, http_scenario, snapshot

THUMB = "%F0%9F%91%8D"
FORWARD = {"content": "", "forward_of": {"conversation_id": GROUP, "seq": 2}}
ATTACHED = {"content": "hi", "attachments": [{"type": "poll"}]}
# Permission → a request that needs it, of alice, who owns GROUP: its messages 2 and 5 are hers, 3 is bob's.
REQUESTS: dict[str, tuple[str, str, dict[str, Any] | None]] = {
    "send": ("POST", "/messages", {"content": "hi"}),
    "attach": ("POST", "/messages", ATTACHED),
    "forward": ("POST", "/messages", FORWARD),
    "edit_own": ("PATCH", "/messages/2", {"content": "better"}),
    "delete_own": ("DELETE", "/messages/2", None),
    "delete_any": ("DELETE", "/messages/3", None),
    "react": ("PUT", f"/messages/3/reactions/{THUMB}", None),
    "pin": ("PUT", "/pins/2", None),
    "mention_all": ("POST", "/messages", {"content": "hi", "mentions": ["@all"]}),
    "mention_here": ("POST", "/messages", {"content": "hi", "mentions": ["@here"]}),
    "add_members": ("POST", "/members", {"users": ["newt"]}),
    "remove_members": ("DELETE", "/members/carol", None),
    "change_roles": ("PATCH", "/members/carol", {"role": "admin"}),
    "change_name": ("PATCH", "", {"name": "New"}),
    "change_topic": ("PATCH", "", {"topic": "New"}),
    "change_avatar": ("PATCH", "", {"avatar": "https://example.com/a.png"}),
    "change_data": ("PATCH", "", {"data": {"a": 1}}),
    "change_member_data": ("PATCH", "/members/carol", {"data": {"a": 1}}),
    "change_own_data": ("PATCH", "/members/alice", {"data": {"a": 1}}),
    "change_join": ("PATCH", "", {"join": "open"}),
    "change_history": ("PATCH", "", {"history": "from_joining"}),
    "change_slow_mode": ("PATCH", "", {"slow_mode": 5}),
    "freeze": ("PATCH", "", {"frozen": True}),
    "change_retention": ("PATCH", "", {"retention_days": 30}),
    "create_invites": ("POST", "/invites", {}),
    "manage_invites": ("GET", "/invites", None),
    "decide_requests": ("GET", "/requests", None),
}
# These let one do more of something else, or need something done before: tests/functions/rest/test_roles.py has them.
ELSEWHERE = {"write_frozen", "skip_slow_mode", "remove_reactions"}
FRAMES: dict[str, dict[str, Any]] = {
    "send": {"type": "message", "content": "hi"},
    "attach": {"type": "message", **ATTACHED},
    "forward": {"type": "message", **FORWARD},
    "mention_all": {"type": "message", "content": "hi", "mentions": ["@all"]},
    "mention_here": {"type": "message", "content": "hi", "mentions": ["@here"]},
    "edit_own": {"type": "edit", "seq": 2, "content": "better"},
    "delete_own": {"type": "delete", "seq": 2},
    "delete_any": {"type": "delete", "seq": 3},
    "react": {"type": "react", "seq": 3, "emoji": "x"},
}
# What is theirs alone, and what of their own is another permission, or none.
THEIRS = {"/messages/2": "alice", "/members/alice": "alice"}
NOT_THEIRS = {"/messages/3": "bob", "/members/carol": "carol"}
EVERYTHING = matrix_of(",".join(f"group.{name}={'+'.join(ROLES)}" for name in PERMISSIONS))
EACH = pytest.mark.parametrize("permission", REQUESTS)
FRAME = pytest.mark.parametrize("permission", FRAMES)


def without(permission: str) -> Matrix:
    """Of nobody; of owners alone where they keep it."""
    return matrix_of(f"group.{permission}={'owner' if permission in KEPT_BY_OWNERS else 'nobody'}")


def by_http(matrix: Matrix) -> RestHarness:
    harness = http_scenario()
    context = harness.wired.context
    harness.rewire(context=replace(context, limits=replace(context.limits, matrix=matrix)))
    return harness


@dataclass
class WithTable(MessageHarness):
    """The function that takes frames, in a deployment with this table."""

    matrix: Matrix = DEFAULT

    @property
    def wired(self) -> Wiring:
        made = super().wired
        context = made.context
        return replace(made, context=replace(context, limits=replace(context.limits, matrix=self.matrix)))


def by_frames(matrix: Matrix) -> WithTable:
    return WithTable(stores=frame_scenario().stores, matrix=matrix)


def ask(harness: RestHarness, permission: str, user: str, scope: str = "") -> tuple[int, str | None]:
    method, path, body = REQUESTS[permission]
    bearer = token(user, scope=scope) if scope else token(user)
    answered = harness.request(http_event(method, f"/v1/conversations/{GROUP}{path}", token=bearer, body=body))
    return answered.status, answered.code


def test_every_permission_has_a_row() -> None:
    assert REQUESTS.keys() | ELSEWHERE == PERMISSIONS.keys()


@EACH
def test_what_is_taken_away_is_refused_whoever_asks_and_nothing_comes_of_it(permission: str, tried: Tried) -> None:
    users = ("bob", "carol") if permission in KEPT_BY_OWNERS else ("alice", "bob", "carol")
    harness = by_http(without(permission))
    before = snapshot(harness)
    path = REQUESTS[permission][1]
    for user in users:
        if user != THEIRS.get(path, user) or user == NOT_THEIRS.get(path):
            continue
        assert ask(harness, permission, user) == (403, "forbidden")
        tried()
    assert snapshot(harness) == before


@EACH
def test_and_with_it_alice_may(permission: str, tried: Tried) -> None:
    assert ask(by_http(EVERYTHING), permission, "alice")[0] < 400
    tried()


@EACH
@pytest.mark.parametrize("user", ["mallory", "erin"])
def test_a_table_that_gives_everything_to_all_roles_opens_nothing_for_outsiders(
    permission: str, user: str, tried: Tried
) -> None:
    harness = by_http(EVERYTHING)
    before = snapshot(harness)
    assert ask(harness, permission, user) == (404, "not_a_member")
    assert snapshot(harness) == before
    tried()


@FRAME
def test_by_frames_it_is_the_same(permission: str, tried: Tried) -> None:
    frame = {**FRAMES[permission], "conversation_id": GROUP}
    refusing = by_frames(without(permission))
    before = snapshot(refusing)
    assert refusing.as_user("alice", frame).get("code") == "forbidden"
    assert snapshot(refusing) == before
    generous = by_frames(EVERYTHING)
    before = snapshot(generous)
    assert generous.as_user("mallory", frame).get("code") == "not_a_member"
    assert snapshot(generous) == before
    assert generous.as_user("alice", frame)["success"]
    tried(3)


@pytest.mark.parametrize("permission", ["pin", "add_members", "change_name", "create_invites", "manage_invites"])
def test_nor_does_it_give_guests_what_guests_may_not(permission: str, tried: Tried) -> None:
    harness = by_http(EVERYTHING)
    before = snapshot(harness)
    assert ask(harness, permission, "carol", scope="guest") == (403, "forbidden")
    assert snapshot(harness) == before
    tried()
