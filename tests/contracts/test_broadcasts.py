"""Broadcasts, and the scans that they go by: what every implementation promises."""

from __future__ import annotations

from dataclasses import replace

from shared.adapters.dynamodb.schema import USER_PREFIX
from shared.domain.broadcasts import (
    CANCELLED,
    CONNECTED,
    DONE,
    KNOWN,
    PAUSED,
    RUNNING,
    SEGMENTS,
    Broadcast,
    BroadcastPosition,
    Found,
    Segment,
    fresh_segments,
)
from shared.domain.connections import Connection
from shared.domain.notifications import SYSTEM, Notification
from tests.stores import Stores

NOW = 1_795_431_200_000
DAY = 86_400_000


def broadcast(broadcast_id: str = "b", *, at: int = NOW, is_stored: bool = False) -> Broadcast:
    segments = fresh_segments(is_stored=is_stored)
    return Broadcast(broadcast_id, "Title", "", is_stored, "shop", at, at, segments, {"key": "välue", "": "empty"})


def test_it_comes_back_whole_and_stays_the_first(stores: Stores) -> None:
    one = broadcast(is_stored=True)
    assert stores.broadcasts.get("b") is None
    assert stores.broadcasts.start(one, limit=1) == one
    assert stores.broadcasts.start(replace(one, title="Another"), limit=1) == one
    assert stores.broadcasts.get("b") == one


def test_so_many_at_once_and_the_next_when_one_is_at_its_end(stores: Stores) -> None:
    for name in ("b1", "b2"):
        assert stores.broadcasts.start(broadcast(name), limit=2) is not None
    assert stores.broadcasts.start(broadcast("b3"), limit=2) is None
    assert stores.broadcasts.get("b3") is None
    stores.broadcasts.halt("b1", PAUSED, now=NOW)
    assert stores.broadcasts.start(broadcast("b3"), limit=2) is None
    stores.broadcasts.halt("b1", CANCELLED, now=NOW)
    assert stores.broadcasts.start(broadcast("b3"), limit=2) is not None
    assert stores.broadcasts.start(broadcast("b4"), limit=2) is None


def test_a_page_is_noted_once_whether_it_is_halted_or_not(stores: Stores) -> None:
    stores.broadcasts.start(broadcast(), limit=1)
    first = Segment(1, by="me", after=("bob",), posted=3, failed=1)
    noted = stores.broadcasts.advance("b", 2, first, now=NOW + 1)
    assert noted is not None
    assert (noted.segments[2], noted.updated_at) == (first, NOW + 1)
    assert stores.broadcasts.advance("b", 2, first, now=NOW + 2) == noted, "its answer was lost"
    assert stores.broadcasts.advance("b", 2, replace(first, by="other"), now=NOW) is None
    assert stores.broadcasts.advance("b", 2, replace(first, step=3), now=NOW) is None
    assert stores.broadcasts.advance("gone", 2, first, now=NOW) is None
    stores.broadcasts.halt("b", PAUSED, now=NOW)
    second = stores.broadcasts.advance("b", 2, replace(first, step=2, is_done=True), now=NOW)
    assert second is not None
    assert (second.state, second.done) == (PAUSED, 1)


def test_it_is_halted_until_its_end(stores: Stores) -> None:
    stores.broadcasts.start(broadcast(), limit=1)

    def halt(why: str) -> str:
        found = stores.broadcasts.halt("b", why, now=NOW)
        assert found is not None
        return found.state

    assert [halt(why) for why in (PAUSED, PAUSED, "", "", PAUSED)] == [PAUSED, PAUSED, RUNNING, RUNNING, PAUSED]
    for number in range(SEGMENTS):
        stores.broadcasts.advance("b", number, Segment(1, is_done=True), now=NOW)
    assert [halt(why) for why in (PAUSED, CANCELLED, "")] == [DONE] * 3
    stores.broadcasts.start(broadcast("c"), limit=1)
    for why in (CANCELLED, "", PAUSED):
        found = stores.broadcasts.halt("c", why, now=NOW)
        assert found is not None
        assert found.state == CANCELLED
    assert stores.broadcasts.halt("gone", PAUSED, now=NOW) is None


def test_the_newest_come_first(stores: Stores) -> None:
    for number in range(5):
        stores.broadcasts.start(broadcast(f"b{number}", at=NOW + number // 2), limit=9)
    assert [one.broadcast_id for one in stores.broadcasts.of(before=None, limit=3)] == ["b4", "b3", "b2"]
    rest = stores.broadcasts.of(before=BroadcastPosition(NOW + 1, "b2"), limit=3)
    assert [one.broadcast_id for one in rest] == ["b1", "b0"]


def segments_of(stores: Stores, scan: str, limit: int) -> list[Found]:
    """All that a scan finds, page by page."""
    found: list[Found] = []
    for segment in range(SEGMENTS):
        after: tuple[str, ...] | None = ()
        while after is not None:
            page = getattr(stores.broadcasts, scan)(segment, after=after, limit=limit)
            found += page.users
            after = page.after
    return found


def test_every_user_is_in_one_segment_once_with_their_connections(stores: Stores) -> None:
    for number in range(30):
        for device in range(number % 3):
            stores.sessions.register(Connection(f"c{number}-{device}", f"u{number}", "", NOW, NOW + DAY), limit=9)
        if number % 3 == 0:
            stores.sessions.revoke(f"u{number}", 1)
    for limit in (1, 4, 100):
        found = segments_of(stores, "connected", limit)
        assert sorted(one.user_id for one in found) == sorted(f"u{number}" for number in range(30))
        for one in found:
            number = int(one.user_id[1:])
            assert sorted(each.connection_id for each in one.connections) == [
                f"c{number}-{device}" for device in range(number % 3)
            ]


def test_everybody_with_any_row_is_known_once_and_nothing_else(stores: Stores) -> None:
    users = [f"u{number}" for number in range(12)]
    for number, user in enumerate(users):
        stores.memberships.create("group:aaaaaaaaaaaaaaaa", [user], joined_at=NOW)
        for other in range(number):
            stores.blocks.put(user, f"b{other}", now=NOW)
    stores.broadcasts.start(broadcast(), limit=1)
    for limit in (1, 5, 500):
        found = segments_of(stores, "known", limit)
        assert sorted(one.user_id for one in found) == sorted(users)
        assert all(one.key[0] == f"{USER_PREFIX}{one.user_id}" for one in found)


def test_a_page_goes_on_behind_a_user_in_its_middle(stores: Stores) -> None:
    for number in range(20):
        stores.blocks.put(f"u{number}", "x", now=NOW)
        stores.blocks.put(f"u{number}", "y", now=NOW)
    for segment in range(SEGMENTS):
        whole = stores.broadcasts.known(segment, after=(), limit=500).users
        for number, one in enumerate(whole):
            rest = stores.broadcasts.known(segment, after=one.key, limit=500).users
            assert [each.user_id for each in rest] == [each.user_id for each in whole[number + 1 :]]


def test_it_is_stored_as_a_notification_once_and_counts_among_those_who_were_first(stores: Stores) -> None:
    one = broadcast(is_stored=True)
    assert stores.broadcasts.store(one, ["alice", "bob"], among=CONNECTED, kept_ms=DAY) == 2
    assert stores.broadcasts.store(one, ["bob", "carol"], among=KNOWN, kept_ms=DAY) == 1
    assert stores.broadcasts.store(one, ["alice", "bob"], among=CONNECTED, kept_ms=DAY) == 2, "by the same again"
    expected = Notification("b", "bob", SYSTEM, NOW, NOW + DAY, "Title", "", {"key": "välue", "": "empty"})
    assert list(stores.notifications.of("bob", now=NOW)) == [expected]
    assert stores.notifications.among([("bob", "b")], now=NOW) == {("bob", "b"): expected}
    stores.notifications.acknowledge("bob", "b")
    assert stores.broadcasts.store(one, ["bob"], among=CONNECTED, kept_ms=DAY) == 1
    assert list(stores.notifications.of("bob", now=NOW)) == []
    assert stores.broadcasts.store(one, [], among=KNOWN, kept_ms=DAY) == 0


def test_another_notification_of_its_id_stays(stores: Stores) -> None:
    mine = Notification("b", "alice", SYSTEM, NOW, NOW + DAY, "Mine", "")
    stores.notifications.put([mine])
    assert stores.broadcasts.store(broadcast(), ["alice"], among=KNOWN, kept_ms=DAY) == 0
    assert list(stores.notifications.of("alice", now=NOW)) == [mine]
