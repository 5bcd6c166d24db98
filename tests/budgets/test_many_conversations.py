"""What a user with a thousand conversations costs: counted on the real adapters, over simulated tables.

For each hundred logs one call says where there is something new, and only those are queried.
"""

from __future__ import annotations

from functools import cache

import pytest

from shared.operations.conversations import inbox
from shared.operations.push.wording import badge_of
from shared.operations.sync import Catching, Sync, sync
from tests.metering import Meter
from tests.stores import Simulated, Stores, adapters, simulated
from tests.wiring import rest_services

THOUSAND = 1_000
IDS = [f"dm:alice:user{number:04}" for number in range(THOUSAND)]
LENGTH = 3


@cache
def _written(length: int, read: int, delivered: int) -> Simulated:
    stores = simulated()
    for one in IDS:
        stores.write(one.removeprefix("dm:alice:"), *["x"] * length, conversation_id=one)
        cursors = {"read_seq": read, "read_number": read, "delivered_seq": delivered}
        stores.edit("members", {"pk": "user#alice", "sk": f"conversation#{one}"}, **cursors)
    return stores


def thousand(*, length: int = LENGTH, read: int = LENGTH, delivered: int = LENGTH) -> tuple[Simulated, Meter]:
    stores = simulated(_written(length, read, delivered))
    return stores, Meter(stores.tables)


def with_news_in(stores: Simulated, number: int) -> None:
    for one in IDS[:: THOUSAND // number]:
        stores.write(one.removeprefix("dm:alice:"), "new", conversation_id=one)


def synced(stores: Stores, held: dict[str, int], *, after: str = "") -> Sync:
    return sync(Catching("alice", held, after=after), size=lambda _: 300, stores=stores, services=rest_services())


def round_of(stores: Stores) -> tuple[dict[str, int], int]:
    """Frame after frame, as a client that holds nothing asks: the heads, and how many frames it took."""
    heads: dict[str, int] = {}
    after: str | None = ""
    frames = 0
    while after is not None:
        frames += 1
        found = synced(stores, {}, after=after)
        heads |= {one.conversation_id: one.head for one in found.conversations}
        after = found.next_after
    return heads, frames


def test_a_client_that_holds_a_thousand_asks_for_each_hundred_once_and_for_each_with_news() -> None:
    stores, meter = thousand()
    with_news_in(stores, 20)
    found = synced(adapters(meter), dict.fromkeys(IDS, LENGTH))
    assert [one.conversation_id for one in found.conversations[:20]] == IDS[::50]
    assert all(one.unread == 0 for one in found.conversations[20:])
    assert meter.count == {"Query": 1 + 20, "BatchGetItem": 10}
    assert meter.reads <= THOUSAND + 20 + 120  # a unit for each, whether there is news or not, and their memberships


def test_what_has_not_been_read_takes_the_entries_of_those_that_the_reply_has_room_for() -> None:
    _, meter = thousand(read=1)
    found = synced(adapters(meter), dict.fromkeys(IDS, LENGTH))
    assert 100 < len(found.conversations) < 200
    assert {one.unread for one in found.conversations} == {LENGTH - 1}
    assert meter.count == {"Query": 1, "BatchGetItem": 10 + 2}


def test_two_frames_that_name_all_of_them_read_no_membership_twice() -> None:
    stores, meter = thousand()
    with_news_in(stores, 20)
    for some in (IDS[:500], IDS[500:]):
        found = synced(adapters(meter), dict.fromkeys(some, LENGTH), after=IDS[-1])
        assert not found.has_more
    by_name = 10  # what is in front of the cursor
    assert meter.count == {"Query": 2 + 20, "BatchGetItem": 10 + by_name}


@pytest.mark.parametrize(
    ("length", "read", "delivered", "calls"), [(3, 3, 3, 18), (3, 0, 3, 30), (1, 0, 0, 30), (3, 0, 0, 60)]
)
def test_a_new_client_hears_of_a_thousand_heads_in_sixty_calls(
    length: int, read: int, delivered: int, calls: int
) -> None:
    _, meter = thousand(length=length, read=read, delivered=delivered)
    heads, frames = round_of(adapters(meter))
    assert heads == dict.fromkeys(IDS, length)
    assert frames == 6
    assert meter.count.total() <= calls
    assert meter.count["Query"] == frames


@pytest.mark.parametrize("news", [1, 20, 50])
def test_a_new_client_of_a_user_who_has_news_takes_sixty_calls_at_most(news: int) -> None:
    stores, meter = thousand()
    with_news_in(stores, news)
    heads, _ = round_of(adapters(meter))
    assert sum(head == LENGTH + 1 for head in heads.values()) == news
    assert meter.count.total() <= 60


@pytest.mark.parametrize(("read", "calls"), [(0, 138), (1, 138), (10, 138), (36, 78), (37, 60)])
def test_a_new_client_that_is_far_behind_everywhere_takes_two_calls_a_step_of_each_frame(read: int, calls: int) -> None:
    """Of forty entries in each conversation: sixty calls for a frame at the very most, and no query but its own."""
    _, meter = thousand(length=40, read=read, delivered=read)
    heads, frames = round_of(adapters(meter))
    assert heads == dict.fromkeys(IDS, 40)
    assert meter.count["Query"] == frames
    assert meter.count.total() <= calls
    assert meter.reads <= calls / frames / 2 * THOUSAND + 60


def test_few_that_are_far_behind_are_queried_at_once_and_take_few_reads_before() -> None:
    stores, meter = thousand()
    for one in IDS[:30]:
        stores.write(one.removeprefix("dm:alice:"), *["x"] * 40, conversation_id=one)
    for one in IDS[32:]:
        stores.drop("members", {"pk": "user#alice", "sk": f"conversation#{one}"})
    heads, frames = round_of(adapters(meter))
    assert heads == dict.fromkeys(IDS[:30], LENGTH + 40) | dict.fromkeys(IDS[30:32], LENGTH)
    assert (frames, meter.count["Query"]) == (1, 1 + 30)
    assert meter.count["BatchGetItem"] <= 6


@pytest.mark.parametrize("news", [0, 20])
def test_the_first_page_of_an_inbox_of_a_thousand_takes_sixty_calls_at_most(news: int) -> None:
    stores, meter = thousand()
    if news:
        with_news_in(stores, news)
    found = inbox("alice", limit=30, stores=adapters(meter), services=rest_services(), now=0)
    assert len(found.conversations) == 30
    assert meter.count["BatchGetItem"] == 10 + 10 + 1  # what is next, what is known, and the page as it is now
    assert meter.count["Query"] == 1 + news
    assert meter.reads <= 1.5 * THOUSAND + 30 + news + 100


def test_a_badge_of_two_hundred_takes_a_call_for_each_hundred() -> None:
    stores, meter = thousand()
    for one in IDS[200:]:
        stores.drop("members", {"pk": "user#alice", "sk": f"conversation#{one}"})
    assert badge_of("alice", stores=adapters(meter), services=rest_services(), now=0).total == 0
    assert meter.count == {"Query": 1, "BatchGetItem": 2}
