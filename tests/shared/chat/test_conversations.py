"""The inbox: newest first, exact, page by page."""

from __future__ import annotations

import pytest

from shared.chat.conversations import create_private, inbox
from shared.chat.models import Member
from shared.chat.receipts import READ
from shared.errors import BadRequest
from tests.fakes import DM, FakeBlocks, FakeLog, FakeMemberships, in_turn


def ids(log: FakeLog, *, limit: int = 10, before: tuple[int, str] | None = None) -> tuple[list[str], object]:
    page = inbox("alice", limit=limit, before=before, memberships=log.memberships, log=log, spread=in_turn)
    return [one.conversation_id for one in page.conversations], page.next_before


def test_newest_first_and_an_empty_one_by_its_creation() -> None:
    log = FakeLog()
    log.write("bob", "1", conversation_id="dm:alice:bob", at=10)
    log.write("carol", "1", conversation_id="dm:alice:carol", at=30)
    log.memberships.create("dm:alice:dave", ("alice", "dave"), joined_at=20)
    assert ids(log) == (["dm:alice:carol", "dm:alice:dave", "dm:alice:bob"], None)


def test_pages_follow_each_other_without_gap_or_double() -> None:
    log = FakeLog()
    everyone = [f"dm:alice:u{number}" for number in range(7)]
    for number, conversation_id in enumerate(everyone):
        log.write("u", "x", conversation_id=conversation_id, at=number // 2)
    seen: list[str] = []
    before = None
    while True:
        page = inbox("alice", limit=3, before=before, memberships=log.memberships, log=log, spread=in_turn)
        seen += [one.conversation_id for one in page.conversations]
        before = page.next_before
        if before is None:
            break
    assert seen == sorted(everyone, reverse=True)


def test_fifty_unread_and_none_after_reading() -> None:
    log = FakeLog()
    log.write("bob", *map(str, range(50)))
    (before,) = inbox("alice", limit=1, memberships=log.memberships, log=log, spread=in_turn).conversations
    member = log.memberships.members[DM, "alice"]
    log.memberships.move_read(member.with_read(50, 50))
    (after,) = inbox("alice", limit=1, memberships=log.memberships, log=log, spread=in_turn).conversations
    assert (before.unread, after.unread, READ) == (50, 0, "read")


def test_a_private_conversation_is_made_once_whoever_asks() -> None:
    memberships = FakeMemberships()
    first = create_private("bob", "alice", memberships=memberships, blocks=FakeBlocks(memberships), now=1)
    again = create_private("alice", "bob", memberships=memberships, blocks=FakeBlocks(memberships), now=2)
    assert (first.conversation_id, first.is_new, again.is_new) == (DM, True, False)
    assert memberships.members[DM, "alice"] == Member(DM, "alice", 1)


@pytest.mark.parametrize("other", ["alice", "", "a b", "a:b", "x" * 129])
def test_a_private_conversation_needs_somebody_else(other: str) -> None:
    with pytest.raises(BadRequest):
        create_private("alice", other, memberships=FakeMemberships(), blocks=FakeBlocks(), now=1)
