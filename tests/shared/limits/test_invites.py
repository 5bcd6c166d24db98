"""How many users one user may put into groups: exact, and a full bucket lets everything through."""

from __future__ import annotations

import pytest

from shared.domain.limits import Limit
from shared.errors import RateLimited
from shared.limits.invites import HOUR_S, InviteLimiter
from tests.fakes import FakeClock
from tests.stores import simulated

HOUR_MS = HOUR_S * 1_000


def limiter(*, burst: int = 1_000) -> tuple[InviteLimiter, FakeClock]:
    clock = FakeClock()
    return InviteLimiter(Limit(200, burst, per_s=HOUR_S), simulated().invites, clock), clock


def refusal(invites: InviteLimiter, users: int) -> int:
    with pytest.raises(RateLimited) as refused:
        invites.take("alice", users)
    assert refused.value.retry_after_ms is not None
    return refused.value.retry_after_ms


def test_a_full_group_at_once_and_then_two_hundred_an_hour() -> None:
    invites, clock = limiter()
    invites.take("alice", 999)
    invites.take("alice", 1)
    assert refusal(invites, 200) == HOUR_MS
    clock.advance(HOUR_MS - 1)
    assert refusal(invites, 200) == 1
    clock.advance(1)
    invites.take("alice", 200)
    assert refusal(invites, 1) == HOUR_MS // 200
    invites.take("bob", 1_000)


def test_what_is_refused_takes_nothing() -> None:
    invites, _ = limiter()
    invites.take("alice", 900)
    for _ in range(3):
        refusal(invites, 101)
    invites.take("alice", 100)


def test_a_group_of_one_counts_nobody() -> None:
    invites, _ = limiter(burst=1)
    invites.take("alice", 1)
    invites.take("alice", 0)


def test_more_than_a_bucket_holds_take_a_full_one() -> None:
    invites, clock = limiter(burst=10)
    invites.take("alice", 999)
    assert refusal(invites, 999) == 10 * HOUR_MS // 200
    clock.advance(10 * HOUR_MS // 200)
    invites.take("alice", 999)
