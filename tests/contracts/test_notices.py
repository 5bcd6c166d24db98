"""Notices: what every implementation promises."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.adapters.aws.calls import JsonService
from shared.adapters.dynamodb.client import from_item
from shared.adapters.dynamodb.model_stores import DynamoDbNotifications
from shared.domain.notifications import REMINDER, SYSTEM, Notification
from tests.fakes import in_turn
from tests.stores import Stores

NOW = 1_795_431_200_000


def notification(notification_id: str = "n1", user_id: str = "alice", *, at: int = NOW) -> Notification:
    return Notification(
        notification_id, user_id, SYSTEM, at, at + 1_000, "Title", "Body", {"key": "välue", "": "empty"}
    )


DUE = Notification("r1", "alice", REMINDER, NOW, NOW + 1_000, "Reminder", conversation_id="dm:alice:bob", seq=7)


@pytest.mark.parametrize(
    "one", [notification(), DUE, replace(notification(), body="", data={})], ids=["full", "due", "bare"]
)
def test_a_notice_comes_back_whole(stores: Stores, one: Notification) -> None:
    stores.notifications.put([one])
    key = "alice", one.notification_id
    assert list(stores.notifications.of("alice", now=NOW)) == [one]
    assert stores.notifications.among([key, ("bob", one.notification_id), ("alice", "other")], now=NOW) == {key: one}
    assert list(stores.notifications.of("bob", now=NOW)) == []


def test_the_oldest_comes_first(stores: Stores) -> None:
    many = [notification(f"n{number}", at=NOW - number % 3) for number in range(7)]
    stores.notifications.put(many)
    expected = sorted(many, key=lambda one: (one.created_at, one.notification_id))
    assert list(stores.notifications.of("alice", now=NOW)) == expected


def test_many_users_are_told_at_once(stores: Stores) -> None:
    everyone = [notification(user_id=f"u{number}") for number in range(101)]
    stores.notifications.put(everyone)
    found = stores.notifications.among([(one.user_id, "n1") for one in everyone] * 2, now=NOW)
    assert set(found) == {(one.user_id, "n1") for one in everyone}
    assert stores.notifications.among([], now=NOW) == {}
    stores.notifications.put([])


def test_one_that_is_there_stays_as_it_is(stores: Stores) -> None:
    stores.notifications.put([notification()])
    stores.notifications.put([replace(notification(), title="Other", created_at=NOW + 500), notification("n2")])
    assert [one.title for one in stores.notifications.of("alice", now=NOW)] == ["Title", "Title"]


def test_an_acknowledged_one_is_gone_and_no_repetition_brings_it_back(stores: Stores) -> None:
    stores.notifications.put([notification(), notification("n2")])
    for _ in range(2):
        stores.notifications.acknowledge("alice", "n1")
    stores.notifications.put([notification()])
    assert [one.notification_id for one in stores.notifications.of("alice", now=NOW)] == ["n2"]
    assert stores.notifications.among([("alice", "n1")], now=NOW) == {}


def test_what_is_not_there_can_be_acknowledged_and_still_come(stores: Stores) -> None:
    stores.notifications.acknowledge("alice", "n1")
    stores.notifications.put([notification()])
    assert list(stores.notifications.of("alice", now=NOW)) == [notification()]


def test_an_expired_one_is_left_out_and_makes_room(stores: Stores) -> None:
    stores.notifications.put([notification()])
    late = NOW + 1_000
    assert len(stores.notifications.of("alice", now=late - 1)) == 1
    assert list(stores.notifications.of("alice", now=late)) == []
    assert stores.notifications.among([("alice", "n1")], now=late) == {}
    stores.notifications.acknowledge("alice", "n1")
    again = notification(at=late)
    stores.notifications.put([again])
    assert list(stores.notifications.of("alice", now=late)) == [again]


# --- the adapter


def test_what_is_acknowledged_keeps_no_text_and_goes_with_its_time(tables: JsonService) -> None:
    notifications = DynamoDbNotifications(tables, members_table="members", parallel_map=in_turn)
    notifications.put([notification()])
    notifications.acknowledge("alice", "n1")
    (item,) = map(from_item, tables.call("Scan", {"TableName": "members"})["Items"])
    assert {"title", "body", "data"}.isdisjoint(item)
    assert item["ttl"] == (NOW + 1_000) // 1_000 + 1
