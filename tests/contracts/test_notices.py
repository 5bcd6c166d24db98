"""Notices: what every implementation promises."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.adapters.aws.json_service import JsonService
from shared.adapters.dynamodb.client import from_item
from shared.adapters.dynamodb.notifications import DynamoDbNotices
from shared.domain.notifications import REMINDER, SYSTEM, Notice
from tests.fakes import in_turn
from tests.stores import Stores

NOW = 1_795_431_200_000


def notice(notice_id: str = "n1", user_id: str = "alice", *, at: int = NOW) -> Notice:
    return Notice(notice_id, user_id, SYSTEM, at, at + 1_000, "Title", "Body", {"key": "välue", "": "empty"})


DUE = Notice("r1", "alice", REMINDER, NOW, NOW + 1_000, "Reminder", conversation_id="dm:alice:bob", seq=7)


@pytest.mark.parametrize("one", [notice(), DUE, replace(notice(), body="", data={})], ids=["full", "due", "bare"])
def test_a_notice_comes_back_whole(stores: Stores, one: Notice) -> None:
    stores.notices.put([one])
    key = "alice", one.notice_id
    assert list(stores.notices.of("alice", now=NOW)) == [one]
    assert stores.notices.among([key, ("bob", one.notice_id), ("alice", "other")], now=NOW) == {key: one}
    assert list(stores.notices.of("bob", now=NOW)) == []


def test_the_oldest_comes_first(stores: Stores) -> None:
    many = [notice(f"n{number}", at=NOW - number % 3) for number in range(7)]
    stores.notices.put(many)
    expected = sorted(many, key=lambda one: (one.created_at, one.notice_id))
    assert list(stores.notices.of("alice", now=NOW)) == expected


def test_many_users_are_told_at_once(stores: Stores) -> None:
    everyone = [notice(user_id=f"u{number}") for number in range(101)]
    stores.notices.put(everyone)
    found = stores.notices.among([(one.user_id, "n1") for one in everyone] * 2, now=NOW)
    assert set(found) == {(one.user_id, "n1") for one in everyone}
    assert stores.notices.among([], now=NOW) == {}
    stores.notices.put([])


def test_one_that_is_there_stays_as_it_is(stores: Stores) -> None:
    stores.notices.put([notice()])
    stores.notices.put([replace(notice(), title="Other", created_at=NOW + 500), notice("n2")])
    assert [one.title for one in stores.notices.of("alice", now=NOW)] == ["Title", "Title"]


def test_an_acknowledged_one_is_gone_and_no_repetition_brings_it_back(stores: Stores) -> None:
    stores.notices.put([notice(), notice("n2")])
    for _ in range(2):
        stores.notices.acknowledge("alice", "n1")
    stores.notices.put([notice()])
    assert [one.notice_id for one in stores.notices.of("alice", now=NOW)] == ["n2"]
    assert stores.notices.among([("alice", "n1")], now=NOW) == {}


def test_what_is_not_there_can_be_acknowledged_and_still_come(stores: Stores) -> None:
    stores.notices.acknowledge("alice", "n1")
    stores.notices.put([notice()])
    assert list(stores.notices.of("alice", now=NOW)) == [notice()]


def test_an_expired_one_is_left_out_and_makes_room(stores: Stores) -> None:
    stores.notices.put([notice()])
    late = NOW + 1_000
    assert len(stores.notices.of("alice", now=late - 1)) == 1
    assert list(stores.notices.of("alice", now=late)) == []
    assert stores.notices.among([("alice", "n1")], now=late) == {}
    stores.notices.acknowledge("alice", "n1")
    again = notice(at=late)
    stores.notices.put([again])
    assert list(stores.notices.of("alice", now=late)) == [again]


# --- the adapter


def test_what_is_acknowledged_keeps_no_text_and_goes_with_its_time(tables: JsonService) -> None:
    notices = DynamoDbNotices(tables, members_table="members", spread=in_turn)
    notices.put([notice()])
    notices.acknowledge("alice", "n1")
    (item,) = map(from_item, tables.call("Scan", {"TableName": "members"})["Items"])
    assert {"title", "body", "data"}.isdisjoint(item)
    assert item["ttl"] == (NOW + 1_000) // 1_000 + 1
