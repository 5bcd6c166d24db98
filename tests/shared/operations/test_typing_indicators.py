"""Typing: told to members who are connected and want to hear it, and kept nowhere."""

from __future__ import annotations

import json

import pytest

from shared.errors import NotAMember
from shared.operations.typing_indicators import type_in
from tests.fakes import DM
from tests.shared.operations.conversation_harness import GROUP, ChatHarness
from tests.stores import LOG


def type_at(harness: ChatHarness, place: str, user_id: str = "alice", *, active: bool = True) -> int:
    """How many connections were told."""
    before = len(harness.gateway.posts)
    type_in(place, user_id=user_id, active=active, **harness.whole)
    return len(harness.gateway.posts) - before


def private() -> ChatHarness:
    harness = ChatHarness()
    harness.stores.write("bob", "hi")
    harness.stores.write("alice", "hello")
    harness.connect("alice", "bob")
    return harness


@pytest.mark.parametrize("active", [True, False])
def test_the_other_side_sees_it(*, active: bool) -> None:
    harness = private()
    puts = harness.stores.calls.writes(LOG)
    assert type_at(harness, DM, active=active) == 1
    ((target, data),) = harness.gateway.posts
    event = {"type": "typing", "conversation_id": DM, "user_id": "alice", "active": active}
    assert (target, json.loads(data), harness.stores.calls.writes(LOG)) == ("bob1", event, puts)


def test_in_a_group_all_others_see_it(harness: ChatHarness) -> None:
    harness.group("alice", "bob", "carol")
    type_at(harness, GROUP)
    assert harness.heard() == {"bob1", "carol1"}


def test_in_a_large_group_nobody_does() -> None:
    harness = ChatHarness(receipts_limit=2)
    harness.group("alice", "bob", "carol")
    assert type_at(harness, GROUP) == 0


@pytest.mark.parametrize("block", [("alice", "bob"), ("bob", "alice")])
def test_in_private_a_block_in_either_direction_keeps_it_quiet(block: tuple[str, str]) -> None:
    harness = private()
    harness.stores.blocks.put(*block, now=1)
    type_at(harness, DM)
    assert harness.heard() == set()


def test_in_a_group_who_blocks_does_not_see_it_and_who_is_blocked_does(harness: ChatHarness) -> None:
    harness.group("alice", "bob", "carol")
    harness.stores.blocks.put("bob", "alice", now=1)
    harness.stores.blocks.put("alice", "carol", now=1)
    type_at(harness, GROUP)
    assert harness.heard() == {"carol1"}


def test_nobody_there_is_nobody_told(harness: ChatHarness) -> None:
    harness.stores.write("bob", "hi")
    harness.stores.write("alice", "hello")
    assert type_at(harness, DM) == 0
    harness.stores.connect("bob", "stale", at=1, expires_at=harness.clock())
    assert type_at(harness, DM) == 0


@pytest.mark.parametrize("place", [DM, GROUP, "dm:bob:carol", "group:unknown-unknown-0", "?"])
def test_nobody_types_where_they_are_not_a_member(harness: ChatHarness, place: str) -> None:
    harness.connect("bob", "carol")
    if place == GROUP:
        harness.group("bob", "carol")
    with pytest.raises(NotAMember):
        type_at(harness, place)
    assert harness.heard() == set()
