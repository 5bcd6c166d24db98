"""Mentions of everyone in a group, and of all who are connected: by whom, and whom they wake."""

from __future__ import annotations

import pytest

from shared.domain.contacts import Profile
from shared.domain.members import Member, Preferences
from shared.domain.pushes import PushContext
from shared.domain.text import is_mentioned
from shared.operations.push.planning import wants_message
from tests.functions.rest.harness import DM, GROUP, RestHarness, now


def said(harness: RestHarness, user: str, *mentions: str, place: str = GROUP) -> tuple[int, str | None]:
    body = {"content": "hi", "mentions": list(mentions)}
    answered = harness.call("POST", f"/v1/conversations/{place}/messages", user=user, body=body)
    return answered.status, answered.body.get("code")


@pytest.mark.parametrize("everyone", ["@all", "@here"])
def test_owners_and_admins_of_a_group_mention_everyone(harness: RestHarness, everyone: str) -> None:
    assert said(harness, "alice", everyone, "bob") == (201, None)
    assert said(harness, "bob", everyone) == (201, None)
    assert harness.stores.entries(GROUP)[-2].mentions == (everyone, "bob")
    assert said(harness, "carol", everyone) == (403, "forbidden")
    assert said(harness, "carol", "bob") == (201, None)
    assert said(harness, "alice", everyone, "zoe") == (400, "bad_request")
    assert said(harness, "alice", everyone, place=DM) == (400, "bad_request")


@pytest.mark.parametrize(("everyone", "wanted"), [("@all", True), ("@here", False), ("bob", False)])
def test_who_wants_mentions_only_is_woken_by_all_and_not_by_here(
    harness: RestHarness, everyone: str, *, wanted: bool
) -> None:
    said(harness, "alice", everyone)
    entry = harness.stores.entries(GROUP)[-1]
    member = Member(GROUP, "carol", 1, preferences=Preferences(notify="mentions"))
    context = PushContext(member=member, profile=Profile(), devices=(), blocks_sender=False)
    assert wants_message(entry, "carol", context, now=now()) is wanted


def test_here_means_those_who_are_there() -> None:
    assert is_mentioned("bob", ("@here",), here=True)
    assert not is_mentioned("bob", ("@here",))
    assert is_mentioned("bob", ("@all",))
    assert not is_mentioned("bob", ("alice",), here=True)
