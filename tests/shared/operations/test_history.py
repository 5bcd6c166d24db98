"""History: pages in both directions, for members."""

from __future__ import annotations

from typing import Any

import pytest

from shared.errors import BadRequest, NotAMember, NotFound
from shared.operations.history import Single, history, read_message, status_of
from shared.wire.rest.messages import single_body
from tests.fakes import DM
from tests.shared.operations.conversation_harness import GROUP, House
from tests.stores import LOG, simulated


def page(user_id: str = "alice", conversation_id: str = DM, **bounds: Any) -> tuple[list[int], bool]:
    stores = simulated()
    stores.write("bob", *map(str, range(5)))
    bounds.setdefault("limit", 2)
    found = history(conversation_id, user_id=user_id, stores=stores, **bounds)
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


def messages(house: House, place: str = DM, **bounds: Any) -> tuple[list[int], bool]:
    page = history(place, user_id="alice", stores=house.stores, **{"limit": 2, **bounds})
    return [entry.seq for entry in page.messages], page.has_more


def reacted(between: int) -> House:
    """Three messages, with as many reactions behind each."""
    house = House()
    for _ in range(3):
        sent = house.send()
        for number in range(between):
            house.react(sent.entry.seq, "x", remove=bool(number % 2))
    return house


@pytest.mark.parametrize("between", [1, 2, 5, 150])
def test_other_entries_are_read_over_in_both_directions(between: int) -> None:
    house = reacted(between)
    first, second, third = 1, between + 2, 2 * between + 3
    assert messages(house) == ([third, second], True)
    assert messages(house, before=third, limit=2) == ([second, first], False)
    assert messages(house, before=second) == ([first], False)
    assert messages(house, after=0) == ([first, second], True)
    assert messages(house, after=first) == ([second, third], False)
    assert messages(house, after=third) == ([], False)
    assert messages(house, limit=3) == ([third, second, first], False)


def test_pages_give_every_message_once_however_many_entries_lie_between() -> None:
    house = reacted(1_500)
    seen: list[int] = []
    more = True  # a page that has some may say so though nothing follows: the next one is empty then
    while more:
        page, more = messages(house, before=seen[-1] if seen else None, limit=1)
        seen += page
    assert seen == [3_003, 1_502, 1]


def test_a_page_without_any_message_is_searched_on() -> None:
    house = House()
    house.send()
    for number in range(1_200):
        house.react(1, "x", remove=bool(number % 2))
    assert messages(house) == ([1], False)


def test_a_page_that_has_some_is_not_searched_on_for_ever() -> None:
    house = House()
    for _ in range(3):
        house.send()
    for number in range(2_500):
        house.react(1, "x", remove=bool(number % 2))
    house.send()
    before = house.stores.calls.reads(LOG)
    found, has_more = messages(house)
    assert (len(found), has_more) == (1, True)
    assert house.stores.calls.reads(LOG) - before <= 10


def test_deleted_messages_stay_in_their_place_without_content() -> None:
    house = reacted(0)
    house.delete(2)
    page = history(DM, user_id="bob", limit=9, stores=house.stores)
    assert [(entry.seq, entry.content) for entry in page.messages] == [(3, "hi"), (2, None), (1, "hi")]


def test_in_private_ones_own_messages_have_a_status() -> None:
    house = reacted(0)
    house.send(sender_id="bob", to="alice")
    house.move("delivered", 2)
    house.move("read", 1)
    page = history(DM, user_id="alice", limit=9, stores=house.stores)
    assert [(entry.seq, page.status(entry)) for entry in page.messages] == [
        (4, None),
        (3, "sent"),
        (2, "delivered"),
        (1, "read"),
    ]


def test_in_a_group_history_has_no_status_and_is_for_members() -> None:
    house = House()
    house.group("alice", "bob")
    house.send(conversation_id=GROUP)
    page = history(GROUP, user_id="bob", limit=9, stores=house.stores)
    assert [(entry.seq, page.status(entry)) for entry in page.messages] == [(2, None)]
    house.remove("bob")
    with pytest.raises(NotAMember):
        history(GROUP, user_id="bob", limit=9, stores=house.stores)


def one(house: House, seq: int, user_id: str = "alice", place: str = GROUP) -> Single:
    return read_message(place, seq, user_id=user_id, stores=house.stores)


def test_a_message_in_a_group_is_read_when_all_others_have_read_it() -> None:
    house = House()
    house.group("alice", "bob", "carol")
    house.send(conversation_id=GROUP)
    statuses = []
    for kind, user in (("delivered", "bob"), ("delivered", "carol"), ("read", "bob"), ("read", "carol")):
        house.move(kind, 2, user, place=GROUP)
        single = one(house, 2)
        assert single.others is not None
        assert {member.user_id for member in single.others} == {"bob", "carol"}
        statuses.append(status_of(single.entry, single.others))
    assert statuses == ["sent", "delivered", "delivered", "read"]
    assert one(house, 2, "bob").others is None


def test_who_joined_later_is_no_reader_of_what_was_there_before() -> None:
    house = House()
    house.group("alice", "bob")
    seq = house.send(conversation_id=GROUP).entry.seq

    def receipts() -> tuple[str, Any]:
        body = single_body(one(house, seq))
        return body["status"], body["receipts"]

    house.add("carol")
    assert receipts() == ("sent", {"members": 1, "delivered": 0, "read": 0})
    house.move("read", seq, "bob", place=GROUP)
    assert receipts() == ("read", {"members": 1, "delivered": 1, "read": 1})
    house.remove("bob")
    assert receipts() == ("sent", {"members": 0, "delivered": 0, "read": 0})
    house.add("bob")
    assert receipts() == ("sent", {"members": 0, "delivered": 0, "read": 0})


def test_alone_in_a_group_nobody_has_read_anything() -> None:
    house = House()
    house.group("alice")
    house.send(conversation_id=GROUP)
    assert (one(house, 2).others, status_of(house.at(2, GROUP), [])) == ([], "sent")


def test_a_deleted_message_is_there_and_other_entries_are_not() -> None:
    house = House()
    house.group("alice", "bob")
    house.send(conversation_id=GROUP)
    house.delete(2, place=GROUP)
    assert one(house, 2, "bob").entry.deleted_at is not None
    for seq in (0, 1, 3, 9):
        with pytest.raises(NotFound):
            one(house, seq)
    for place in (GROUP, DM, "group:unknown-unknown-0", "?"):
        with pytest.raises(NotAMember):
            one(house, 2, "zoe", place)
