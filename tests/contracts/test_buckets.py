"""Token buckets: what every implementation promises."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.domain.limits import Lease, Limit
from tests.stores import Stores

LIMIT = Limit(rate=10, burst=30)
NOW = 1_000_000


def lease(stores: Stores, tokens: int = 10, *, full_at: int = 0, now: int = NOW, user_id: str = "alice") -> Lease:
    return stores.buckets.lease(user_id, tokens, limit=LIMIT, full_at=full_at, now=now)


def test_a_bucket_gives_its_burst_and_not_one_more(stores: Stores) -> None:
    full_at = 0
    for number in (1, 2, 3):
        given = lease(stores, full_at=full_at)
        assert given == Lease(given=True, full_at=NOW + number * 1_000)
        full_at = given.full_at
    assert lease(stores, 1, full_at=full_at) == Lease(given=False, full_at=NOW + 3_000)


def test_time_fills_it_at_its_rate_and_no_further(stores: Stores) -> None:
    lease(stores, 30)
    assert not lease(stores, 10, now=NOW + 999).given
    assert lease(stores, 10, now=NOW + 1_000).given
    assert lease(stores, 30, now=NOW + 1_000_000) == Lease(given=True, full_at=NOW + 1_003_000)


@pytest.mark.parametrize("known", [0, NOW - 5, NOW, NOW + 1_000, NOW + 77_000])
def test_whatever_the_caller_knew_the_bucket_decides(stores: Stores, known: int) -> None:
    assert lease(stores, 10).given
    assert lease(stores, 20, full_at=known) == Lease(given=True, full_at=NOW + 3_000)
    assert lease(stores, 1, full_at=known) == Lease(given=False, full_at=NOW + 3_000)


def test_all_or_none(stores: Stores) -> None:
    lease(stores, 25)
    assert not lease(stores, 6).given
    assert lease(stores, 5).given


def test_users_do_not_share(stores: Stores) -> None:
    lease(stores, 30)
    assert lease(stores, 30, user_id="bob").given


def test_a_refusal_says_when_it_will_be_full(stores: Stores) -> None:
    lease(stores, 30)
    refused = lease(stores, 10)
    assert (refused, LIMIT.wait_ms(10, refused.full_at, NOW)) == (Lease(given=False, full_at=NOW + 3_000), 1_000)


def test_racing_instances_never_get_more_than_the_burst(stores: Stores) -> None:
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: lease(stores, 5), range(16)))
    given = sum(answer.given for answer in answers)
    assert 1 <= given <= 6
    rest = 0
    while lease(stores, 5, full_at=NOW + 1).given:
        rest += 1
    assert given + rest == 6


def test_the_buckets_of_one_user_do_not_share_and_last_until_they_are_full(stores: Stores) -> None:
    slow = Limit(rate=1, burst=30, per_s=3_600)
    lease(stores, 30)
    assert stores.invites.lease("alice", 30, limit=slow, full_at=0, now=NOW) == Lease(
        given=True, full_at=NOW + 108_000_000
    )
    assert not stores.invites.lease("alice", 1, limit=slow, full_at=0, now=NOW + 3_599_999).given
    assert stores.invites.lease("alice", 1, limit=slow, full_at=0, now=NOW + 3_600_000).given
    assert not lease(stores, 1).given
