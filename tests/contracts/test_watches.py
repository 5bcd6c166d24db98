"""Watches: what every implementation promises."""

from __future__ import annotations

from shared.domain.connections import Watch
from tests.stores import Stores


def watchers(stores: Stores, user_id: str) -> list[tuple[str, str, int]]:
    return [(one.connection_id, one.watcher, one.expires_at) for one in stores.watches.of(user_id)]


def test_nobody_watches_at_first(stores: Stores) -> None:
    assert list(stores.watches.of("alice")) == []


def test_each_connection_watches_for_itself(stores: Stores) -> None:
    stores.watches.replace("bob", "b1=", ["alice", "carol"], expires_at=9_000)
    stores.watches.replace("bob", "b2=", ["alice"], expires_at=8_000)
    stores.watches.replace("dave", "d1=", ["alice"], expires_at=7_000)
    assert watchers(stores, "alice") == [("b1=", "bob", 9_000), ("b2=", "bob", 8_000), ("d1=", "dave", 7_000)]
    assert list(stores.watches.of("carol")) == [Watch("carol", "b1=", "bob", 9_000)]


def test_a_new_subscription_replaces_the_one_before_on_that_connection_only(stores: Stores) -> None:
    stores.watches.replace("bob", "b1=", ["alice", "carol"], expires_at=9_000)
    stores.watches.replace("bob", "b2=", ["alice"], expires_at=9_000)
    stores.watches.replace("bob", "b1=", ["carol", "dave"], expires_at=9_500)
    assert watchers(stores, "alice") == [("b2=", "bob", 9_000)]
    assert watchers(stores, "carol") == watchers(stores, "dave") == [("b1=", "bob", 9_500)]
    stores.watches.replace("bob", "b1=", [], expires_at=9_900)
    assert watchers(stores, "carol") == watchers(stores, "dave") == []


def test_a_hundred_are_watched_at_once_each_once(stores: Stores) -> None:
    users = [f"u{number}" for number in range(100)]
    stores.watches.replace("bob", "b1=", [*users, "u1", "u1"], expires_at=9_000)
    assert all(watchers(stores, user) == [("b1=", "bob", 9_000)] for user in users)
    stores.watches.replace("bob", "b1=", users[:1], expires_at=9_000)
    assert [user for user in users if watchers(stores, user)] == ["u0"]


def test_what_a_connection_watches_can_be_prolonged(stores: Stores) -> None:
    stores.watches.replace("bob", "b1=", ["alice", "carol"], expires_at=9_000)
    stores.watches.prolong("bob", "b1=", expires_at=9_900)
    stores.watches.prolong("bob", "b2=", expires_at=9_900)
    assert watchers(stores, "alice") == watchers(stores, "carol") == [("b1=", "bob", 9_900)]
    stores.watches.replace("bob", "b1=", ["dave"], expires_at=9_950)
    assert watchers(stores, "alice") == []


def test_whom_a_users_connections_watch_is_known_from_their_side_too(stores: Stores) -> None:
    assert list(stores.watches.by("bob")) == []
    stores.watches.replace("bob", "b1=", ["alice", "carol"], expires_at=9_000)
    stores.watches.replace("bob", "b2=", ["alice"], expires_at=8_000)
    stores.watches.replace("dave", "d1=", ["alice"], expires_at=7_000)
    expected = {
        Watch("alice", "b1=", "bob", 9_000),
        Watch("carol", "b1=", "bob", 9_000),
        Watch("alice", "b2=", "bob", 8_000),
    }
    assert set(stores.watches.by("bob")) == expected
    stores.watches.prolong("bob", "b2=", expires_at=9_900)
    stores.watches.replace("bob", "b1=", [], expires_at=9_000)
    assert list(stores.watches.by("bob")) == [Watch("alice", "b2=", "bob", 9_900)]


def test_a_watch_is_removed_on_its_own_and_idempotently(stores: Stores) -> None:
    stores.watches.replace("bob", "b1=", ["alice", "carol"], expires_at=9_000)
    (watch,) = stores.watches.of("alice")
    for _ in range(2):
        stores.watches.remove(watch)
    assert watchers(stores, "alice") == []
    assert watchers(stores, "carol") == [("b1=", "bob", 9_000)]
