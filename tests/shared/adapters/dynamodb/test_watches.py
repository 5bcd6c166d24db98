"""Subscriptions of one connection that change at once: the last one holds whole, in every order of their calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest

from shared.adapters.dynamodb.schema import WATCHING_PREFIX
from shared.adapters.dynamodb.watches import DynamoDbWatches
from shared.errors import Unavailable
from tests.dynamodb import Store
from tests.stepping import Stepper, explore

Change = Callable[[DynamoDbWatches], object]


def to(*users: str) -> Change:
    return lambda watches: watches.replace("bob", "b1", users, expires_at=9_000)


def longer(watches: DynamoDbWatches) -> None:
    watches.prolong("bob", "b1", expires_at=9_900)


def at_once(*changes: Change) -> Callable[[Stepper], DynamoDbWatches]:
    """Bob's connection watches alice and carol."""

    def build(stepper: Stepper) -> DynamoDbWatches:
        store = Store(now_ms=lambda: 1_000)
        watches = DynamoDbWatches(store, members_table="members")
        to("alice", "carol")(watches)
        stepped = DynamoDbWatches(stepper.wrap(store, only=["call"]), members_table="members")
        for change in changes:
            stepper.add(partial(change, stepped))
        return watches

    return build


def followed(watches: DynamoDbWatches) -> set[tuple[str, int]]:
    """Who is watched, and until when: as the rows under those who are watched say."""
    found = {user: watches.of(user) for user in ("alice", "carol", "dave", "erin")}
    return {(user, one.expires_at) for user, rows in found.items() for one in rows}


def listed(watches: DynamoDbWatches) -> set[tuple[str, int]]:
    """The same, as the connection's own list says."""
    return {(one.watched, one.expires_at) for one in watches.by("bob")}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (to("alice"), to("dave")),
        (to("alice", "dave"), to("dave", "erin")),
        (to(), to("carol")),
        (to("dave"), longer),
        (to(), longer),
    ],
    ids=["apart", "in part", "nobody", "prolonged", "ended"],
)
def test_of_two_at_once_one_holds_whole(one: Change, other: Change) -> None:
    tried = 0
    for watches in explore(at_once(one, other)):
        tried += 1
        assert followed(watches) == listed(watches)
    assert tried > 1


def test_what_was_subscribed_to_meanwhile_is_not_taken_back_by_prolonging() -> None:
    for watches in explore(at_once(to("dave"), longer)):
        assert {user for user, _ in listed(watches)} == {"dave"}


def test_a_list_of_the_first_version_is_changed_like_any_other() -> None:
    store = Store(now_ms=lambda: 1_000)
    watches = DynamoDbWatches(store, members_table="members")
    key = {"pk": {"S": "user#bob"}, "sk": {"S": f"{WATCHING_PREFIX}b1"}}
    row = {"pk": {"S": "watch#alice"}, "sk": {"S": "b1"}, "watcher": {"S": "bob"}, "expires_at": {"N": "9000"}}
    old = {**key, "users": {"L": [{"S": "alice"}]}, "expires_at": {"N": "9000"}}
    for item in (row, old):
        store.call("PutItem", {"TableName": "members", "Item": item})
    assert (followed(watches), listed(watches)) == ({("alice", 9_000)}, {("alice", 9_000)})
    longer(watches)
    assert (followed(watches), listed(watches)) == ({("alice", 9_900)}, {("alice", 9_900)})
    to("carol")(watches)
    assert (followed(watches), listed(watches)) == ({("carol", 9_000)}, {("carol", 9_000)})


def test_a_subscription_that_is_overtaken_again_and_again_is_given_up() -> None:
    class Overtaken(Store):
        def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
            if operation == "BatchWriteItem":
                other.replace("bob", "b1", [], expires_at=9_000)
            return super().call(operation, request)

    store = Overtaken(now_ms=lambda: 1_000)
    other = DynamoDbWatches(store, members_table="members")
    with pytest.raises(Unavailable):
        to("alice")(other)
