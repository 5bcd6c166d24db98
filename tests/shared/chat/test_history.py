"""History: pages in both directions, for members."""

from __future__ import annotations

from typing import Any

import pytest

from shared.chat.history import history
from shared.errors import BadRequest, NotAMember
from tests.fakes import DM, FakeLog


def page(user_id: str = "alice", conversation_id: str = DM, **bounds: Any) -> tuple[list[int], bool]:
    log = FakeLog()
    log.write("bob", *map(str, range(5)))
    bounds.setdefault("limit", 2)
    found = history(conversation_id, user_id=user_id, log=log, memberships=log.memberships, **bounds)
    return [entry.seq for entry in found.messages], found.has_more


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({}, ([5, 4], True)),
        ({"before": 3}, ([2, 1], False)),
        ({"before": 4}, ([3, 2], True)),
        ({"before": 1}, ([], False)),
        ({"before": 99, "limit": 5}, ([5, 4, 3, 2, 1], False)),
        ({"after": 0}, ([1, 2], True)),
        ({"after": 3}, ([4, 5], False)),
        ({"after": 5}, ([], False)),
    ],
)
def test_pages(bounds: dict[str, Any], expected: tuple[list[int], bool]) -> None:
    assert page(**bounds) == expected


def test_both_directions_at_once_are_refused() -> None:
    with pytest.raises(BadRequest):
        page(before=1, after=1)


@pytest.mark.parametrize(("user_id", "conversation_id"), [("carol", DM), ("alice", "dm:alice:zoe"), ("alice", "?")])
def test_outsiders_and_unknown_conversations_answer_alike(user_id: str, conversation_id: str) -> None:
    with pytest.raises(NotAMember):
        page(user_id, conversation_id)
