"""A message that says how far its sender has read: one event for both, and never a reason for it to fail."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from shared.adapters.dynamodb.memberships import DynamoDbMemberships
from shared.adapters.dynamodb.relations import DynamoDbBlocks
from shared.errors import Blocked, Unavailable
from shared.operations.resends import Appended
from tests.fakes import DM
from tests.shared.operations.conversation_harness import GROUP, ChatHarness


@dataclass
class AlongHarness(ChatHarness):
    """Alice has sent three messages. She is there on a1, Bob on b1 and b2; he writes on b1."""

    def __post_init__(self) -> None:
        self.stores.write("alice", "1", "2", "3")
        for user_id, connection_id in (("alice", "a1"), ("bob", "b1"), ("bob", "b2")):
            self.stores.connect(user_id, connection_id, at=self.clock())

    def answer(self, read: int | None, *, after: int = 3, place: str = DM, **command: Any) -> Appended:
        named = {"client_message_id": "b", "after": after, **command}
        return self.send(sender_id="bob", conversation_id=place, connection_id="b1", read=read, **named)

    def told(self, connection_id: str) -> list[tuple[str, int, int | None]]:
        """Type, seq and `read` of what the connection was posted since the last look."""
        found = [json.loads(data) for data in self.gateway.received(connection_id)]
        self.gateway.posts[:] = [post for post in self.gateway.posts if post[0] != connection_id]
        return [(event["type"], event["seq"], event.get("read")) for event in found]

    @property
    def cursor(self) -> tuple[int, int]:
        bob = self.stores.member("bob", DM)
        return bob.read_seq, bob.read_number


@pytest.fixture
def harness() -> AlongHarness:
    return AlongHarness()


@pytest.mark.parametrize("seq", [1, 2, 3])
def test_the_message_tells_of_it_and_the_cursor_is_stored(harness: AlongHarness, seq: int) -> None:
    sent = harness.answer(seq)
    assert (sent.entry.seq, sent.duplicate, sent.read_seq) == (4, False, seq)
    assert harness.cursor == (seq, seq)
    assert harness.told("a1") == harness.told("b2") == [("new_message", 4, seq)]
    assert harness.told("b1") == []


def test_a_message_without_it_and_one_with_0_are_as_ever(harness: AlongHarness) -> None:
    for read in (None, 0):
        sent = harness.answer(read, client_message_id=str(read))
        assert (sent.read_seq, harness.cursor) == (None, (0, 0))
        assert {told for _, _, told in harness.told("a1")} == {None}


def test_what_is_behind_changes_nothing_and_is_said_again(harness: AlongHarness) -> None:
    harness.answer(3)
    assert harness.answer(1, after=4, client_message_id="c").read_seq == 1
    assert harness.cursor == (3, 3)


@pytest.mark.parametrize("seq", [4, 5, 99, 2**53 - 1])
def test_beyond_the_head_the_message_is_stored_and_the_receipt_is_not(harness: AlongHarness, seq: int) -> None:
    """Its own place is 4, which is there once it is stored."""
    sent = harness.answer(seq, after=2 if seq == 4 else 3)
    assert sent.entry.seq == 4
    assert (sent.read_seq, harness.cursor) == ((None, (0, 0)) if seq > 4 else (4, (4, 4)))


def test_the_number_is_counted_over_what_is_no_message(harness: AlongHarness) -> None:
    harness.react(1, "x")
    harness.react(2, "x")
    assert harness.answer(4, after=5).read_seq == 4
    assert harness.cursor == (4, 3)
    assert harness.answer(5, after=6, client_message_id="c").read_seq == 5
    assert harness.cursor == (5, 3)


def test_a_resend_takes_the_receipt_that_it_brings_and_tells_again(harness: AlongHarness) -> None:
    harness.answer(2)
    harness.told("a1")
    again = harness.answer(3)
    assert (again.entry.seq, again.duplicate, again.read_seq, harness.cursor) == (4, True, 3, (3, 3))
    assert harness.told("a1") == [("new_message", 4, 3)]
    assert harness.answer(3).read_seq == 3
    assert harness.told("a1") == [("new_message", 4, 3)]
    harness.send("one more", client_message_id="a", after=4)
    assert harness.answer(5).read_seq == 5
    assert harness.cursor == (5, 5)


def test_who_blocks_the_other_side_tells_their_own_devices_alone(harness: AlongHarness) -> None:
    harness.stores.blocks.put("bob", "alice", now=1)
    assert harness.answer(3).read_seq == 3
    assert harness.cursor == (3, 3)
    assert harness.told("a1") == [("new_message", 4, None)]
    assert sorted(harness.told("b2")) == [("new_message", 4, None), ("read", 3, None)]


def test_a_message_that_is_refused_moves_nothing(harness: AlongHarness) -> None:
    harness.stores.blocks.put("alice", "bob", now=1)
    with pytest.raises(Blocked):
        harness.answer(3)
    assert harness.cursor == (0, 0)


@pytest.mark.parametrize("failing", [(DynamoDbMemberships, "move_read"), (DynamoDbBlocks, "blocking")])
def test_a_receipt_that_cannot_be_stored_is_no_reason_for_the_message_to_fail(
    harness: AlongHarness, monkeypatch: pytest.MonkeyPatch, failing: tuple[type, str]
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise Unavailable

    with monkeypatch.context() as patched:
        patched.setattr(*failing, fails)
        sent = harness.answer(3)
    assert (sent.entry.seq, sent.read_seq) == (4, None)
    assert harness.told("a1") == [("new_message", 4, None)]
    assert harness.observer.counted == {"ReceiptsNotStored": 1}
    again = harness.answer(3)
    assert (again.duplicate, again.read_seq, harness.cursor) == (True, 3, (3, 3))


def test_in_a_group_it_goes_out_with_the_message_too(harness: AlongHarness) -> None:
    harness.group("alice", "bob", "carol")
    harness.send(sender_id="carol", conversation_id=GROUP)
    harness.gateway.posts.clear()
    assert harness.answer(2, after=2, place=GROUP).read_seq == 2
    assert harness.told("alice1") == harness.told("carol1") == harness.told("b2") == [("new_message", 3, 2)]


def test_in_a_group_with_somebody_whom_the_reader_blocks_the_others_are_told_apart(harness: AlongHarness) -> None:
    harness.group("alice", "bob", "carol")
    harness.send(sender_id="carol", conversation_id=GROUP)
    harness.stores.blocks.put("bob", "alice", now=1)
    harness.gateway.posts.clear()
    assert harness.answer(2, after=2, place=GROUP).read_seq == 2
    assert harness.told("alice1") == [("new_message", 3, None)]
    assert sorted(harness.told("carol1")) == [("new_message", 3, None), ("read", 2, None)]
    harness.answer(2, after=2, place=GROUP)
    assert harness.told("carol1") == [("new_message", 3, None)]


def test_where_the_stream_posts_the_message_the_receipt_is_told_apart() -> None:
    harness = AlongHarness(inline_limit=2)
    harness.group("alice", "bob", "carol")
    harness.send(sender_id="carol", conversation_id=GROUP)
    harness.gateway.posts.clear()
    assert harness.answer(2, after=2, place=GROUP).read_seq == 2
    assert harness.told("alice1") == harness.told("carol1") == harness.told("b2") == [("read", 2, None)]


def test_in_a_large_group_the_own_devices_alone_are_told() -> None:
    harness = AlongHarness(receipts_limit=2)
    harness.group("alice", "bob", "carol")
    harness.send(sender_id="carol", conversation_id=GROUP)
    harness.gateway.posts.clear()
    sent = harness.answer(2, after=2, place=GROUP)
    assert sent.read_seq == 2
    member = harness.member("bob")
    assert member is not None
    assert member.read_seq == 2
    assert ("read", 2, None) in harness.told("b2")
    assert {told for _, _, told in harness.told("alice1")} <= {None}
    assert "read" not in {kind for kind, _, _ in harness.told("carol1")}


def test_who_has_left_gets_the_first_reply_and_moves_nothing(harness: AlongHarness) -> None:
    harness.group("alice", "bob", "carol")
    sent = harness.answer(None, after=1, place=GROUP)
    harness.remove("bob")
    again = harness.answer(1, after=1, place=GROUP)
    assert (again.entry, again.duplicate, again.read_seq) == (sent.entry, True, None)
