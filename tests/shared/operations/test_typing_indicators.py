"""Typing: told to whoever is there to see it and wants to hear it, and kept nowhere."""

from __future__ import annotations

import json

import pytest

from shared.errors import NotAMember
from shared.operations.typing_indicators import type_in
from tests.fakes import DM
from tests.shared.operations.conversation_harness import GROUP, House
from tests.stores import LOG


def type_at(house: House, place: str, user_id: str = "alice", *, active: bool = True) -> int:
    """How many connections were told."""
    before = len(house.gateway.posts)
    type_in(place, user_id=user_id, active=active, **house.whole)
    return len(house.gateway.posts) - before


def private() -> House:
    house = House()
    house.stores.write("bob", "hi")
    house.stores.write("alice", "hello")
    house.connect("alice", "bob")
    return house


@pytest.mark.parametrize("active", [True, False])
def test_the_other_side_sees_it(*, active: bool) -> None:
    house = private()
    puts = house.stores.calls.writes(LOG)
    assert type_at(house, DM, active=active) == 1
    ((target, data),) = house.gateway.posts
    event = {"type": "typing", "conversation_id": DM, "user_id": "alice", "active": active}
    assert (target, json.loads(data), house.stores.calls.writes(LOG)) == ("bob1", event, puts)


def test_in_a_group_all_others_see_it() -> None:
    house = House()
    house.group("alice", "bob", "carol")
    type_at(house, GROUP)
    assert house.heard() == {"bob1", "carol1"}


def test_in_a_large_group_nobody_does() -> None:
    house = House(receipts_limit=2)
    house.group("alice", "bob", "carol")
    assert type_at(house, GROUP) == 0


@pytest.mark.parametrize("block", [("alice", "bob"), ("bob", "alice")])
def test_in_private_a_block_in_either_direction_keeps_it_quiet(block: tuple[str, str]) -> None:
    house = private()
    house.stores.blocks.put(*block, now=1)
    type_at(house, DM)
    assert house.heard() == set()


def test_in_a_group_who_blocks_does_not_see_it_and_who_is_blocked_does() -> None:
    house = House()
    house.group("alice", "bob", "carol")
    house.stores.blocks.put("bob", "alice", now=1)
    house.stores.blocks.put("alice", "carol", now=1)
    type_at(house, GROUP)
    assert house.heard() == {"carol1"}


def test_nobody_there_is_nobody_told() -> None:
    house = House()
    house.stores.write("bob", "hi")
    house.stores.write("alice", "hello")
    assert type_at(house, DM) == 0
    house.stores.connect("bob", "stale", at=1, expires_at=house.clock())
    assert type_at(house, DM) == 0


@pytest.mark.parametrize("place", [DM, GROUP, "dm:bob:carol", "group:unknown-unknown-0", "?"])
def test_nobody_types_where_they_are_not_a_member(place: str) -> None:
    house = House()
    house.connect("bob", "carol")
    if place == GROUP:
        house.group("bob", "carol")
    with pytest.raises(NotAMember):
        type_at(house, place)
    assert house.heard() == set()
