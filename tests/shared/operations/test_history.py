"""History: pages in both directions, for members."""

from __future__ import annotations

from typing import Any

import pytest

from shared.errors import BadRequest, NotAMember, NotFound
from shared.operations.history import Single, Span, history, read_message, status_of
from shared.wire.rest.messages import single_body
from tests.fakes import DM
from tests.shared.operations.conversation_harness import GROUP, ChatHarness
from tests.stores import LOG, simulated


def page(user_id: str = "alice", conversation_id: str = DM, **bounds: Any) -> tuple[list[int], bool]:
    stores = simulated()
    stores.write("bob", *map(str, range(5)))
    bounds.setdefault("limit", 2)
    found = history(conversation_id, Span(**bounds), user_id=user_id, stores=stores)
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


def messages(harness: ChatHarness, place: str = DM, **bounds: Any) -> tuple[list[int], bool]:
    page = history(place, Span(**{"limit": 2, **bounds}), user_id="alice", stores=harness.stores)
    return [entry.seq for entry in page.messages], page.has_more


def reacted(between: int) -> ChatHarness:
    """Three messages, with as many reactions behind each."""
    harness = ChatHarness()
    for _ in range(3):
        sent = harness.send()
        for number in range(between):
            harness.react(sent.entry.seq, "x", remove=bool(number % 2))
    return harness


@pytest.mark.parametrize("between", [1, 2, 5, 150])
def test_other_entries_are_read_over_in_both_directions(between: int) -> None:
    harness = reacted(between)
    first, second, third = 1, between + 2, 2 * between + 3
    assert messages(harness) == ([third, second], True)
    assert messages(harness, before=third, limit=2) == ([second, first], False)
    assert messages(harness, before=second) == ([first], False)
    assert messages(harness, after=0) == ([first, second], True)
    assert messages(harness, after=first) == ([second, third], False)
    assert messages(harness, after=third) == ([], False)
    assert messages(harness, limit=3) == ([third, second, first], False)


def test_pages_give_every_message_once_however_many_entries_lie_between() -> None:
    harness = reacted(1_500)
    seen: list[int] = []
    more = True  # a page that has some may say so though nothing follows: the next one is empty then
    while more:
        page, more = messages(harness, before=seen[-1] if seen else None, limit=1)
        seen += page
    assert seen == [3_003, 1_502, 1]


def test_a_page_without_any_message_is_searched_on(harness: ChatHarness) -> None:
    harness.send()
    for number in range(1_200):
        harness.react(1, "x", remove=bool(number % 2))
    assert messages(harness) == ([1], False)


def test_a_page_that_has_some_is_not_searched_on_for_ever(harness: ChatHarness) -> None:
    for _ in range(3):
        harness.send()
    for number in range(2_500):
        harness.react(1, "x", remove=bool(number % 2))
    harness.send()
    before = harness.stores.calls.reads(LOG)
    found, has_more = messages(harness)
    assert (len(found), has_more) == (1, True)
    assert harness.stores.calls.reads(LOG) - before <= 10


def test_deleted_messages_stay_in_their_place_without_content() -> None:
    harness = reacted(0)
    harness.delete(2)
    page = history(DM, Span(9), user_id="bob", stores=harness.stores)
    assert [(entry.seq, entry.content) for entry in page.messages] == [(3, "hi"), (2, None), (1, "hi")]


def test_in_private_ones_own_messages_have_a_status() -> None:
    harness = reacted(0)
    harness.send(sender_id="bob", to="alice")
    harness.move("delivered", 2)
    harness.move("read", 1)
    page = history(DM, Span(9), user_id="alice", stores=harness.stores)
    assert [(entry.seq, page.status(entry)) for entry in page.messages] == [
        (4, None),
        (3, "sent"),
        (2, "delivered"),
        (1, "read"),
    ]


def test_notices_come_where_they_are_asked_for_and_count_towards_the_page(harness: ChatHarness) -> None:
    harness.group("alice", "bob")
    for _ in range(2):
        harness.send(conversation_id=GROUP)
    harness.remove("bob")

    def asked(**span: Any) -> tuple[list[int], list[int] | None, bool]:
        found = history(GROUP, Span(**span), user_id="alice", stores=harness.stores)
        notices = None if found.notices is None else [entry.seq for entry in found.notices]
        return [entry.seq for entry in found.messages], notices, found.has_more

    assert asked(limit=9) == ([3, 2], None, False)
    assert asked(limit=9, notices=True) == ([3, 2], [4, 1], False)
    assert asked(limit=2, notices=True) == ([3], [4], True)
    assert asked(limit=2, before=3, notices=True) == ([2], [1], False)
    assert asked(limit=1, after=0, notices=True) == ([], [1], True)


def test_in_a_group_history_has_no_status_and_is_for_members(harness: ChatHarness) -> None:
    harness.group("alice", "bob")
    harness.send(conversation_id=GROUP)
    page = history(GROUP, Span(9), user_id="bob", stores=harness.stores)
    assert [(entry.seq, page.status(entry)) for entry in page.messages] == [(2, None)]
    harness.remove("bob")
    with pytest.raises(NotAMember):
        history(GROUP, Span(9), user_id="bob", stores=harness.stores)


def one(harness: ChatHarness, seq: int, user_id: str = "alice", place: str = GROUP) -> Single:
    return read_message(place, seq, user_id=user_id, stores=harness.stores)


def test_a_message_in_a_group_is_read_when_all_others_have_read_it(harness: ChatHarness) -> None:
    harness.group("alice", "bob", "carol")
    harness.send(conversation_id=GROUP)
    statuses = []
    for kind, user in (("delivered", "bob"), ("delivered", "carol"), ("read", "bob"), ("read", "carol")):
        harness.move(kind, 2, user, place=GROUP)
        single = one(harness, 2)
        assert single.others is not None
        assert {member.user_id for member in single.others} == {"bob", "carol"}
        statuses.append(status_of(single.entry, single.others))
    assert statuses == ["sent", "delivered", "delivered", "read"]
    assert one(harness, 2, "bob").others is None


def test_who_joined_later_is_no_reader_of_what_was_there_before(harness: ChatHarness) -> None:
    harness.group("alice", "bob")
    seq = harness.send(conversation_id=GROUP).entry.seq

    def receipts() -> tuple[str, Any]:
        body = single_body(one(harness, seq))
        return body["status"], body["receipts"]

    harness.add("carol")
    assert receipts() == ("sent", {"members": 1, "delivered": 0, "read": 0})
    harness.move("read", seq, "bob", place=GROUP)
    assert receipts() == ("read", {"members": 1, "delivered": 1, "read": 1})
    harness.remove("bob")
    assert receipts() == ("sent", {"members": 0, "delivered": 0, "read": 0})
    harness.add("bob")
    assert receipts() == ("sent", {"members": 0, "delivered": 0, "read": 0})


def test_alone_in_a_group_nobody_has_read_anything(harness: ChatHarness) -> None:
    harness.group("alice")
    harness.send(conversation_id=GROUP)
    assert (one(harness, 2).others, status_of(harness.at(2, GROUP), [])) == ([], "sent")


def test_a_deleted_message_is_there_and_other_entries_are_not(harness: ChatHarness) -> None:
    harness.group("alice", "bob")
    harness.send(conversation_id=GROUP)
    harness.delete(2, place=GROUP)
    assert one(harness, 2, "bob").entry.deleted_at is not None
    for seq in (0, 1, 3, 9):
        with pytest.raises(NotFound):
            one(harness, seq)
    for place in (GROUP, DM, "group:unknown-unknown-0", "?"):
        with pytest.raises(NotAMember):
            one(harness, 2, "zoe", place)
