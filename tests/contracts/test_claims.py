"""Claims: what every implementation promises."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from shared.adapters.aws.calls import JsonService
from shared.adapters.dynamodb.client import Calls, from_item
from shared.adapters.dynamodb.pushes import DynamoDbClaims
from shared.domain.notifications import About, AboutMessage, AboutNotification
from tests.calls import Unhurried
from tests.stores import Stores

DM = "dm:alice:bob"
NOW = 1_795_431_200_000


def claim(
    stores: Stores, about: About | int, tries: int = 0, *, user_id: str = "alice", device_id: str = "phone"
) -> bool:
    place = AboutMessage(DM, about) if isinstance(about, int) else about
    return stores.claims.claim(user_id, device_id, place, tries=tries, now=NOW)


def test_each_try_is_taken_once_and_in_order(stores: Stores) -> None:
    assert not claim(stores, 5, 1)
    assert [claim(stores, 5, tries) for tries in (0, 0, 2, 1, 1, 0, 2)] == [
        True,
        False,
        False,
        True,
        False,
        False,
        True,
    ]


def test_a_newer_message_goes_before_older_ones_and_their_further_tries(stores: Stores) -> None:
    assert claim(stores, 5)
    assert claim(stores, 6)
    assert not any(claim(stores, seq, tries) for seq, tries in ((5, 0), (5, 1), (4, 0), (6, 0)))
    assert claim(stores, 6, 1)
    assert claim(stores, 9)


def test_devices_users_and_conversations_do_not_share(stores: Stores) -> None:
    assert claim(stores, 5)
    assert claim(stores, 5, device_id="tablet")
    assert claim(stores, 5, user_id="bob")
    assert claim(stores, AboutMessage("dm:alice:carol", 1))


def test_each_notification_stands_for_itself(stores: Stores) -> None:
    one, other = AboutNotification("one"), AboutNotification("other")
    assert [claim(stores, one, tries) for tries in (1, 0, 0, 1)] == [False, True, False, True]
    assert claim(stores, other)


def test_no_try_reaches_into_the_next_message(stores: Stores) -> None:
    assert [claim(stores, 5, tries) for tries in range(17)] == [True] * 16 + [False]
    assert claim(stores, 6)


def test_of_many_that_try_the_same_at_once_one_does(stores: Stores) -> None:
    for tries in (0, 1):
        with ThreadPoolExecutor(6) as threads:
            answers = list(threads.map(lambda _, tries=tries: claim(stores, 5, tries), range(6)))
        assert sum(answers) == 1


# --- the adapter


class Lossy(Unhurried):
    """Every call is carried out twice, as when its first answer was lost."""

    def __init__(self, calls: Calls) -> None:
        self.calls = calls

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        self.calls.call(operation, request)
        return self.calls.call(operation, request)


def test_an_update_whose_answer_was_lost_recognises_itself(tables: JsonService) -> None:
    claims = DynamoDbClaims(Lossy(tables), members_table="members")
    plain = DynamoDbClaims(tables, members_table="members")
    about = AboutMessage(DM, 5)
    assert claims.claim("alice", "phone", about, tries=0, now=NOW)
    assert not plain.claim("alice", "phone", about, tries=0, now=NOW)
    assert claims.claim("alice", "phone", about, tries=1, now=NOW)


def test_a_claim_goes_after_thirty_days(tables: JsonService) -> None:
    DynamoDbClaims(tables, members_table="members").claim("alice", "phone", AboutNotification("n"), tries=0, now=NOW)
    (item,) = map(from_item, tables.call("Scan", {"TableName": "members"})["Items"])
    assert item["ttl"] == NOW // 1_000 + 30 * 86_400
