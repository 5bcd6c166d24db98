"""Cursors: cumulative, never backwards, never beyond the head, and everybody concerned hears of it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from shared.chat.delivery import Event
from shared.chat.models import Member, Receipt
from shared.chat.receipts import DELIVERED, READ, Moved, move_cursor
from shared.errors import BadRequest, NotAMember
from tests.fakes import DM, FakeClock, FakeGateway, FakeLog, FakeSessions


def encode(event: Event) -> bytes:
    assert isinstance(event, Receipt)
    return f"{event.kind} {event.user_id} {event.seq}".encode()


@dataclass
class House:
    log: FakeLog = field(default_factory=FakeLog)
    sessions: FakeSessions = field(default_factory=FakeSessions)
    gateway: FakeGateway = field(default_factory=FakeGateway)
    clock: FakeClock = field(default_factory=FakeClock)

    def __post_init__(self) -> None:
        self.log.write("alice", "1", "2", "3")
        for user_id, connection_id in (("alice", "a1"), ("bob", "b1"), ("bob", "b2")):
            self.sessions.connect(user_id, connection_id, at=self.clock())

    def move(self, kind: str, seq: int, *, user_id: str = "bob", conversation_id: str = DM) -> Moved:
        return move_cursor(
            kind,
            user_id=user_id,
            conversation_id=conversation_id,
            seq=seq,
            connection_id="b1",
            log=self.log,
            memberships=self.log.memberships,
            sessions=self.sessions,
            gateway=self.gateway,
            encode=encode,
            now=self.clock(),
        )

    def bob(self) -> Member:
        return self.log.memberships.members[DM, "bob"]


@pytest.mark.parametrize("kind", [READ, DELIVERED])
def test_moving_forward_tells_the_others_and_the_own_other_devices(kind: str) -> None:
    house = House()
    assert house.move(kind, 2).seq == 2
    assert sorted(house.gateway.posts) == [("a1", f"{kind} bob 2".encode()), ("b2", f"{kind} bob 2".encode())]


@pytest.mark.parametrize("kind", [READ, DELIVERED])
@pytest.mark.parametrize("seq", [0, 1, 2])
def test_backwards_and_standing_still_succeed_and_change_nothing(kind: str, seq: int) -> None:
    house = House()
    house.move(kind, 2)
    house.gateway.posts.clear()
    assert house.move(kind, seq) == Moved(2, None)
    assert house.gateway.posts == []


def test_reading_implies_delivery() -> None:
    house = House()
    house.move(READ, 3)
    assert house.move(DELIVERED, 2) == Moved(3, None)


def test_reading_keeps_the_number_that_unread_is_counted_from() -> None:
    house = House()
    house.move(READ, 2)
    assert (house.bob().read_seq, house.bob().read_number) == (2, 2)


@pytest.mark.parametrize("kind", [READ, DELIVERED])
def test_beyond_the_head_is_refused(kind: str) -> None:
    house = House()
    with pytest.raises(BadRequest):
        house.move(kind, 4)
    assert (house.bob().read_seq, house.bob().delivered_seq) == (0, 0)


@pytest.mark.parametrize("conversation_id", ["dm:alice:carol", "dm:bob:zoe", "group:1", "dm:bob:alice", ""])
def test_conversations_of_others_or_of_nobody_answer_alike(conversation_id: str) -> None:
    with pytest.raises(NotAMember):
        House().move(READ, 1, conversation_id=conversation_id)


def test_another_device_that_was_quicker_leaves_nothing_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    house = House()
    slow_view = house.log.memberships.members[DM, "bob"]
    house.move(READ, 3)
    house.gateway.posts.clear()
    house.log.memberships.members[DM, "bob"] = slow_view
    monkeypatch.setattr(house.log.memberships, "move_read", lambda _: False)
    assert house.move(READ, 2) == Moved(2, None)
    assert house.gateway.posts == []
