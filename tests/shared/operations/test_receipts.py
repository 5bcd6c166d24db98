"""Cursors: cumulative, never backwards, never beyond the head, and everybody concerned hears of it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from shared.domain.entries import Receipt
from shared.errors import BadRequest, NotAMember
from shared.operations.receipts import DELIVERED, READ
from shared.wire.events import encode_plainly
from tests.fakes import DM
from tests.shared.operations.conversation_harness import GROUP, ChatHarness


@dataclass
class ReceiptsHarness(ChatHarness):
    """Alice has sent three messages; Bob reads on the device b1."""

    def __post_init__(self) -> None:
        self.stores.write("alice", "1", "2", "3")
        for user_id, connection_id in (("alice", "a1"), ("bob", "b1"), ("bob", "b2")):
            self.stores.connect(user_id, connection_id, at=self.clock())

    def move(self, kind: str, seq: int, user_id: str = "bob", *, place: str = DM, connection_id: str = "b1") -> int:
        return super().move(kind, seq, user_id, place=place, connection_id=connection_id)


def cursors(harness: ReceiptsHarness) -> tuple[int, int, int]:
    bob = harness.stores.member("bob", DM)
    return bob.read_seq, bob.read_number, bob.delivered_seq


@pytest.fixture
def harness() -> ReceiptsHarness:
    return ReceiptsHarness()


@pytest.mark.parametrize("kind", [READ, DELIVERED])
def test_moving_forward_tells_the_others_and_the_own_other_devices(harness: ReceiptsHarness, kind: str) -> None:
    assert harness.move(kind, 2) == 2
    told = encode_plainly(Receipt(kind, DM, "bob", 2, harness.clock()))
    assert sorted(harness.gateway.posts) == [("a1", told), ("b2", told)]


@pytest.mark.parametrize("kind", [READ, DELIVERED])
@pytest.mark.parametrize("seq", [0, 1, 2])
def test_backwards_and_standing_still_succeed_and_change_nothing(harness: ReceiptsHarness, kind: str, seq: int) -> None:
    harness.move(kind, 2)
    harness.gateway.posts.clear()
    assert harness.move(kind, seq) == 2
    assert harness.gateway.posts == []


def test_reading_implies_delivery(harness: ReceiptsHarness) -> None:
    harness.move(READ, 3)
    assert harness.move(DELIVERED, 2) == 3


def test_reading_keeps_the_number_that_unread_is_counted_from(harness: ReceiptsHarness) -> None:
    harness.move(READ, 2)
    assert cursors(harness)[:2] == (2, 2)


@pytest.mark.parametrize("kind", [READ, DELIVERED])
def test_beyond_the_head_is_refused(harness: ReceiptsHarness, kind: str) -> None:
    with pytest.raises(BadRequest):
        harness.move(kind, 4)
    assert cursors(harness) == (0, 0, 0)


@pytest.mark.parametrize("conversation_id", ["dm:alice:carol", "dm:bob:zoe", "group:1", "dm:bob:alice", ""])
def test_conversations_of_others_or_of_nobody_answer_alike(conversation_id: str) -> None:
    with pytest.raises(NotAMember):
        ReceiptsHarness().move(READ, 1, place=conversation_id)


def test_another_device_that_was_quicker_leaves_nothing_to_tell(harness: ReceiptsHarness) -> None:
    quicker = harness.stores.member("bob").with_read(3, 3)
    harness.stores.calls.before = lambda operation, _: (
        operation == "UpdateItem" and harness.stores.memberships.move_read(quicker)
    )
    assert harness.move(READ, 2) == 2
    assert harness.gateway.posts == []


@pytest.mark.parametrize("kind", [READ, DELIVERED])
def test_in_a_group_everyone_is_told_unless_it_is_too_large(harness: ReceiptsHarness, kind: str) -> None:
    harness.group("alice", "bob", "carol")
    harness.move(kind, 1, place=GROUP)
    assert harness.move(kind, 1, "carol", place=GROUP) == 1  # who joins has read what was before
    harness.send(sender_id="carol", conversation_id=GROUP)
    harness.heard()
    harness.move(kind, 2, place=GROUP)
    assert harness.heard() == {"alice1", "a1", "b2", "bob1", "carol1"}
    harness.receipts_limit = 2
    harness.move(kind, 2, "alice", place=GROUP, connection_id="alice1")
    assert harness.heard() == {"a1"}


@pytest.mark.parametrize("kind", [READ, DELIVERED])
def test_whom_the_reader_blocks_does_not_hear_of_it_and_the_readers_own_devices_do(
    harness: ReceiptsHarness, kind: str
) -> None:
    harness.stores.blocks.put("bob", "alice", now=1)
    harness.move(kind, 2)
    assert harness.heard() == {"b2"}
    harness.stores.blocks.remove("bob", "alice")
    harness.stores.blocks.put("alice", "bob", now=1)
    harness.move(kind, 3)
    assert harness.heard() == {"a1", "b2"}


@pytest.mark.parametrize("kind", [READ, DELIVERED])
def test_in_a_group_whom_the_reader_blocks_does_not_hear_of_it_either(harness: ReceiptsHarness, kind: str) -> None:
    harness.group("alice", "bob", "carol")
    harness.send(sender_id="carol", conversation_id=GROUP)
    harness.stores.blocks.put("bob", "alice", now=1)
    harness.stores.blocks.put("carol", "bob", now=1)
    harness.heard()
    harness.move(kind, 2, place=GROUP)
    assert harness.heard() == {"b2", "bob1", "carol1"}


def test_in_a_group_that_the_stream_side_serves_nobody_else_is_told_nor_read() -> None:
    harness = ReceiptsHarness(inline_limit=2, receipts_limit=1_000)
    harness.group("alice", "bob", "carol")
    harness.send(sender_id="carol", conversation_id=GROUP)
    assert harness.at(2, GROUP).fan_out
    harness.move(READ, 2, place=GROUP)
    assert harness.heard() == {"bob1", "b2"}


def test_who_was_removed_moves_nothing(harness: ReceiptsHarness) -> None:
    harness.group("alice", "bob")
    harness.remove("bob")
    with pytest.raises(NotAMember):
        harness.move(READ, 1, place=GROUP)
    assert harness.member("bob") is None


def test_a_cursor_may_stand_on_an_entry_that_is_no_message(harness: ReceiptsHarness) -> None:
    harness.react(1, "x")
    assert harness.move(READ, 4) == 4
    assert cursors(harness) == (4, 3, 0)
