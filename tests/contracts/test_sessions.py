"""Sessions: what every implementation promises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from shared.domain.connections import OFFLINE, ONLINE, Connection, LimitReached, Registered, Session
from tests.stores import Stores


def connection(name: str, user_id: str = "alice", at: int = 100) -> Connection:
    return Connection(name, user_id, "phone", at, at + 1_000)


def stored(stores: Stores, user_id: str = "alice") -> set[str]:
    return {one.connection_id for one in stores.sessions.of([user_id]).get(user_id, ())}


def test_the_first_connection_has_no_others(stores: Stores) -> None:
    assert stores.sessions.register(connection("c1="), limit=3) == Registered([])
    assert stores.sessions.of(["alice"])["alice"] == [connection("c1=")]


def test_a_further_connection_learns_of_the_others(stores: Stores) -> None:
    stores.sessions.register(connection("c1="), limit=3)
    second = stores.sessions.register(connection("c2="), limit=3)
    assert second == Registered([connection("c1=")], shown=ONLINE)


def test_registering_again_replaces_even_at_the_limit_and_does_not_claim_that_anybody_was_told(stores: Stores) -> None:
    stores.sessions.register(connection("c1="), limit=1)
    later = replace(connection("c1="), expires_at=9_999)
    assert stores.sessions.register(later, limit=1) == Registered([])
    assert stores.sessions.of(["alice"])["alice"] == [later]


def test_the_limit_refuses_and_says_who_is_there(stores: Stores) -> None:
    stores.sessions.register(connection("c1="), limit=1)
    assert stores.sessions.register(connection("c2="), limit=1) == LimitReached([connection("c1=")])
    assert stored(stores) == {"c1="}


def test_dropping_makes_room_in_the_same_write(stores: Stores) -> None:
    stores.sessions.register(connection("c1="), limit=2)
    stores.sessions.register(connection("c2="), limit=2)
    third = stores.sessions.register(connection("c3="), limit=2, drop=["c1="])
    assert third == Registered([connection("c2=")], shown=ONLINE)
    assert stored(stores) == {"c2=", "c3="}


def test_dropping_what_is_gone_makes_no_room(stores: Stores) -> None:
    stores.sessions.register(connection("c1="), limit=1)
    assert isinstance(stores.sessions.register(connection("c2="), limit=1, drop=["gone="]), LimitReached)
    assert stored(stores) == {"c1="}


def test_the_limit_holds_however_many_open_at_once(stores: Stores) -> None:
    newcomers = [connection(f"c{i}=") for i in range(10)]
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda one: stores.sessions.register(one, limit=4), newcomers))
    # A racer that lost the very first place answers as at the limit too; opening looks again then.
    registered = sum(isinstance(answer, Registered) for answer in answers)
    assert registered == len(stored(stores)) <= 4


def test_removing_takes_out_that_one_only(stores: Stores) -> None:
    stores.sessions.register(connection("c1="), limit=3)
    stores.sessions.register(connection("c2="), limit=3)
    removed = stores.sessions.remove("alice", "c1=", now=5)
    assert (removed.removed, list(removed.others)) == (connection("c1="), [connection("c2=")])
    assert removed.shown == ONLINE
    assert stored(stores) == {"c2="}


def test_removing_twice_removes_nothing_more(stores: Stores) -> None:
    stores.sessions.register(connection("c1="), limit=3)
    stores.sessions.remove("alice", "c1=", now=5)
    again = stores.sessions.remove("alice", "c1=", now=6)
    assert (again.removed, list(again.others), again.shown) == (None, [], ONLINE)
    assert stores.sessions.show_offline("alice", session(stores))
    assert stores.sessions.remove("alice", "c1=", now=7).shown == OFFLINE


def test_a_removal_that_meets_itself_says_so(stores: Stores) -> None:
    stores.sessions.register(connection("c1="), limit=3)
    assert not stores.sessions.remove("alice", "c1=", now=5).just_now
    assert stores.sessions.remove("alice", "c1=", now=5).just_now
    assert not stores.sessions.remove("alice", "c1=", now=6).just_now
    assert not stores.sessions.remove("nobody", "c1=", now=5).just_now


def test_removing_from_a_user_without_a_session_is_nothing(stores: Stores) -> None:
    gone = stores.sessions.remove("nobody", "c1=", now=5)
    assert (gone.removed, list(gone.others), gone.shown) == (None, [], None)


def test_after_the_last_left_the_next_is_the_first_again(stores: Stores) -> None:
    stores.sessions.register(connection("c1="), limit=3)
    stores.sessions.remove("alice", "c1=", now=5)
    next_one = stores.sessions.register(connection("c2="), limit=3)
    assert next_one == Registered([], shown=ONLINE, last_seen=5)


def test_many_users_are_read_at_once(stores: Stores) -> None:
    users = [f"user{i}" for i in range(120)]
    for user_id in users:
        stores.sessions.register(connection("c=", user_id), limit=3)
    found = stores.sessions.of([*users, "nobody", "user1"])
    assert {user_id for user_id, connections in found.items() if connections} == set(users)


def session(stores: Stores, user_id: str = "alice") -> Session:
    return stores.sessions.whole([user_id]).get(user_id, Session())


def test_a_touch_changes_when_a_connection_expires_and_nothing_else(stores: Stores) -> None:
    stores.sessions.register(connection("c1="), limit=3)
    later = Connection("c1=", "alice", "other device", 999, 5_000, 7_000)
    assert stores.sessions.touch(later) == connection("c1=")
    assert stores.sessions.of(["alice"])["alice"] == [replace(connection("c1="), expires_at=5_000)]
    assert stores.sessions.touch(later, fresh_token=True) == replace(connection("c1="), expires_at=5_000)
    touched = replace(connection("c1="), expires_at=5_000, authenticated_until=7_000)
    assert stores.sessions.of(["alice"])["alice"] == [touched]


def test_a_touch_of_what_is_not_there_registers_nothing(stores: Stores) -> None:
    assert stores.sessions.touch(connection("c1=")) is None
    stores.sessions.register(connection("c2="), limit=3)
    assert stores.sessions.touch(connection("c1="), fresh_token=True) is None
    assert stored(stores) == {"c2="}


def test_of_two_fresh_tokens_the_one_that_ends_later_counts_whichever_comes_last(stores: Stores) -> None:
    first = connection("c1=")
    stores.sessions.register(first, limit=2)
    later, earlier = (replace(first, expires_at=end, authenticated_until=end) for end in (9_000, 7_000))
    assert stores.sessions.touch(later, fresh_token=True) == first
    assert stores.sessions.touch(earlier, fresh_token=True) == later
    assert stores.sessions.register(earlier, limit=2) == LimitReached([later])
    assert stores.sessions.of(["alice"]) == {"alice": [later]}
    assert isinstance(stores.sessions.register(later, limit=2), Registered)


def test_all_that_is_known_of_a_user(stores: Stores) -> None:
    assert session(stores) == Session()
    stores.sessions.register(connection("c1="), limit=3)
    assert session(stores) == Session([connection("c1=")], shown=ONLINE)
    stores.sessions.remove("alice", "c1=", now=7)
    assert session(stores) == Session([], last_seen=7, shown=ONLINE)
    assert stores.sessions.whole([]) == {}


def test_going_offline_is_shown_once(stores: Stores) -> None:
    stores.sessions.register(connection("c1="), limit=3)
    stores.sessions.remove("alice", "c1=", now=7)
    seen = session(stores)
    assert stores.sessions.show_offline("alice", seen)
    assert not stores.sessions.show_offline("alice", seen)
    assert not stores.sessions.show_offline("alice", session(stores))
    assert session(stores).shown == OFFLINE
    assert stores.sessions.register(connection("c2="), limit=3) == Registered([], shown=OFFLINE, last_seen=7)
    assert session(stores).shown == ONLINE


def test_of_many_that_show_it_at_once_one_does(stores: Stores) -> None:
    stores.sessions.register(connection("c1="), limit=3)
    stores.sessions.remove("alice", "c1=", now=7)
    seen = session(stores)
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda one: stores.sessions.show_offline("alice", one), [seen] * 6))
    assert sum(answers) == 1


def test_who_came_back_is_not_shown_offline(stores: Stores) -> None:
    stores.sessions.register(connection("c1="), limit=3)
    stores.sessions.remove("alice", "c1=", now=7)
    seen = session(stores)
    stores.sessions.register(connection("c2="), limit=3)
    assert not stores.sessions.show_offline("alice", seen)
    assert session(stores).shown == ONLINE


def test_a_stale_connection_that_was_heard_of_since_is_not_shown_offline(stores: Stores) -> None:
    stores.sessions.register(connection("c1="), limit=3)
    seen = session(stores)
    stores.sessions.touch(replace(connection("c1="), expires_at=9_999))
    assert not stores.sessions.show_offline("alice", seen)
    assert stores.sessions.show_offline("alice", session(stores))


def test_somebody_who_was_never_here_is_not_shown_offline(stores: Stores) -> None:
    assert not stores.sessions.show_offline("nobody", Session())
    assert session(stores, "nobody") == Session()


def test_hiding_lasts(stores: Stores) -> None:
    assert stores.sessions.hide("alice", Session(), hidden=True, shown=OFFLINE)
    assert session(stores) == Session([], hidden=True, shown=OFFLINE)
    assert stores.sessions.register(connection("c1="), limit=3) == Registered([], hidden=True, shown=OFFLINE)
    assert stores.sessions.hide("alice", session(stores), hidden=False, shown=ONLINE)
    assert session(stores) == Session([connection("c1=")], shown=ONLINE)
    assert stores.sessions.register(connection("c1="), limit=3) == Registered([])


def test_hiding_rests_on_who_is_there_and_what_was_told(stores: Stores) -> None:
    nothing = Session()
    stores.sessions.register(connection("c1="), limit=3)
    assert not stores.sessions.hide("alice", nothing, hidden=True, shown=OFFLINE)  # one has come
    one = session(stores)
    stores.sessions.touch(replace(connection("c1="), expires_at=9_999))
    assert stores.sessions.hide("alice", one, hidden=True, shown=OFFLINE)  # it was heard of, and is still there
    assert not stores.sessions.hide("alice", one, hidden=False, shown=ONLINE)  # another wish came first
    hidden = session(stores)
    stores.sessions.register(connection("c2="), limit=3)
    stores.sessions.remove("alice", "c1=", now=200)
    assert not stores.sessions.hide("alice", replace(hidden, shown=ONLINE), hidden=False, shown=ONLINE)  # another one
    stores.sessions.remove("alice", "c2=", now=201)
    away = session(stores)
    assert not stores.sessions.hide("alice", replace(away, shown=OFFLINE), hidden=False, shown=OFFLINE)
    assert stores.sessions.show_offline("alice", away)
    assert not stores.sessions.hide("alice", away, hidden=False, shown=OFFLINE)  # watchers were told
    assert stores.sessions.hide("alice", session(stores), hidden=False, shown=OFFLINE)
    assert (session(stores).hidden, session(stores).shown) == (False, OFFLINE)
