"""Who is there in a large group, and whose connections are: what the store keeps to, on every engine."""

from __future__ import annotations

from dataclasses import replace

from shared.domain.connections import MAX_LARGE_GROUPS, MAX_LIFETIME_MS, Connection, Registered
from tests.stores import Stores

GROUP, OTHER = "group:0123456789abcdef", "group:fedcba9876543210"
NOW = 1_795_431_200_000
BOBS = Connection("b1=", "bob", "phone", NOW, NOW + 5_000, NOW + 5_000)


def test_an_attendee_is_in_the_groups_it_entered_and_leaves_one_at_a_time(stores: Stores) -> None:
    stores.attendance.enter(BOBS, [GROUP, OTHER])
    stores.attendance.enter(replace(BOBS, connection_id="b2="), [GROUP])
    stores.attendance.leave("b1=", GROUP)
    stores.attendance.leave("b1=", GROUP)
    assert [one.connection_id for one in stores.attendance.of(GROUP)] == ["b2="]
    assert stores.attendance.of(OTHER) == [replace(BOBS, device_id="", authenticated_until=0)]


def test_a_row_lasts_as_long_as_its_connection_can(stores: Stores) -> None:
    """Also after a ping, which has its session give it up sooner."""
    lasting = replace(BOBS, authenticated_until=NOW + 10 * MAX_LIFETIME_MS)
    stores.attendance.enter(lasting.heard_from(NOW), [GROUP])
    assert [one.expires_at for one in stores.attendance.of(GROUP)] == [NOW + MAX_LIFETIME_MS]


def test_what_is_lacking_is_what_is_not_there_or_ends_too_soon(stores: Stores) -> None:
    stores.attendance.enter(BOBS, [GROUP])
    assert stores.attendance.lacking(BOBS, [GROUP, OTHER]) == {OTHER: False}
    renewed = BOBS.extended(NOW + 9_000)
    assert stores.attendance.lacking(renewed, [GROUP, OTHER]) == {GROUP: True, OTHER: False}


def test_more_groups_than_one_call_takes(stores: Stores) -> None:
    groups = [f"group:{number:016}" for number in range(60)]
    stores.attendance.enter(BOBS, groups)
    assert stores.attendance.lacking(BOBS, groups) == {}


def test_a_seat_is_marked_and_none_is_made(stores: Stores) -> None:
    stores.memberships.create("dm:alice:bob", ["alice", "bob"], joined_at=NOW)
    stores.attendance.mark_listed("dm:alice:bob", "alice")
    stores.attendance.mark_listed(GROUP, "bob")
    assert stores.memberships.roster(GROUP) is None
    assert stores.memberships.get(GROUP, "bob") is None


def test_listing_says_who_is_there_and_each_connection_after_that_what_it_owes(stores: Stores) -> None:
    assert stores.sessions.list_in("bob", GROUP, now=NOW) == []
    registered = stores.sessions.register(BOBS, limit=5)
    assert isinstance(registered, Registered)
    assert registered.large_groups == {GROUP}
    there = stores.sessions.list_in("bob", OTHER, now=NOW)
    assert there is not None
    assert [one.connection_id for one in there] == ["b1="]
    touched = stores.sessions.touch(BOBS)
    assert isinstance(touched, Connection)
    assert touched.large_groups == {GROUP, OTHER}


def test_a_user_is_listed_in_so_many_groups_and_again_in_each_of_them(stores: Stores) -> None:
    groups = [f"group:{number:016}" for number in range(MAX_LARGE_GROUPS)]
    assert all(stores.sessions.list_in("bob", group, now=NOW) is not None for group in groups)
    assert stores.sessions.list_in("bob", GROUP, now=NOW) is None
    assert stores.sessions.list_in("bob", groups[0], now=NOW + 1) is not None
    assert stores.sessions.whole(["bob"])["bob"].large_groups == {**dict.fromkeys(groups, NOW), groups[0]: NOW + 1}


def test_who_was_listed_anew_is_not_taken_off_for_what_was_before(stores: Stores) -> None:
    stores.sessions.list_in("bob", GROUP, now=NOW + 1)
    stores.sessions.unlist("bob", GROUP, since=NOW)
    assert stores.sessions.whole(["bob"])["bob"].large_groups == {GROUP: NOW + 1}
    stores.sessions.unlist("bob", GROUP, since=NOW + 1)
    stores.sessions.unlist("bob", GROUP, since=NOW + 1)
    assert stores.sessions.whole(["bob"])["bob"].large_groups == {}


def test_a_listed_user_who_never_connected_is_offline_like_any_other(stores: Stores) -> None:
    stores.sessions.list_in("bob", GROUP, now=NOW)
    assert stores.sessions.of(["bob"]).get("bob", []) == []
    session = stores.sessions.whole(["bob"])["bob"]
    assert not session.is_online(NOW)
    assert stores.sessions.hide("bob", session, hidden=True, shown="offline")


def test_one_message_a_window_has_the_digest(stores: Stores) -> None:
    claim = stores.claims.claim_digest
    assert claim(GROUP, 5, until=NOW + 100, now=NOW)
    assert claim(GROUP, 5, until=NOW + 100, now=NOW)
    assert not claim(GROUP, 6, until=NOW + 199, now=NOW + 99)
    assert claim(OTHER, 6, until=NOW + 100, now=NOW)
    assert claim(GROUP, 7, until=NOW + 200, now=NOW + 100)
