"""Frames of one connection, and those who do not slow down."""

from __future__ import annotations

import pytest

from shared.errors import RateLimited
from shared.limits.limiters import AbuseWatch, FrameLimiter
from tests.fakes import FakeClock


def taken(limiter: FrameLimiter, count: int, connection_id: str = "c1") -> int:
    passed = 0
    for _ in range(count):
        try:
            limiter.take(connection_id)
        except RateLimited:
            continue
        passed += 1
    return passed


def test_a_burst_goes_through_and_then_the_rate() -> None:
    clock = FakeClock()
    limiter = FrameLimiter(rate=50, burst=100, now=clock)
    assert taken(limiter, 500) == 100
    clock.advance(100)
    assert taken(limiter, 500) == 5
    clock.advance(1_000_000)
    assert taken(limiter, 500) == 100


def test_a_refusal_says_how_long_to_wait_and_that_is_enough() -> None:
    clock = FakeClock()
    limiter = FrameLimiter(rate=50, burst=1, now=clock)
    limiter.take("c1")
    with pytest.raises(RateLimited) as refused:
        limiter.take("c1")
    assert refused.value.retry_after_ms == 20
    clock.advance(20)
    limiter.take("c1")


def test_connections_do_not_share_and_are_forgotten_in_the_end() -> None:
    limiter = FrameLimiter(rate=1, burst=1, now=FakeClock())
    assert [taken(limiter, 2, f"c{number}") for number in range(3_000)] == [1] * 3_000
    assert len(limiter._buckets) == 2_000


def test_a_clock_that_goes_back_gives_nothing() -> None:
    clock = FakeClock()
    limiter = FrameLimiter(rate=50, burst=10, now=clock)
    taken(limiter, 10)
    clock.advance(-5_000)
    assert taken(limiter, 10) == 0


def test_who_is_refused_too_often_within_a_minute_has_to_go() -> None:
    clock = FakeClock()
    watch = AbuseWatch(limit=3, now=clock)
    assert [watch.refused("c1") for _ in range(4)] == [False, False, True, True]
    assert not watch.refused("c2")


def test_who_is_refused_now_and_then_stays() -> None:
    clock = FakeClock()
    watch = AbuseWatch(limit=3, now=clock)
    for _ in range(20):
        assert not watch.refused("c1")
        clock.advance(30_001)
    clock.advance(30_000)
    assert [watch.refused("c1") for _ in range(3)] == [False, False, True]


def test_a_bounded_number_of_connections_is_watched() -> None:
    watch = AbuseWatch(limit=3, now=FakeClock())
    for number in range(3_000):
        watch.refused(f"c{number}")
    assert len(watch._refusals) == 2_000
