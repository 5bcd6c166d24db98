"""The rate limit: exact but for what instances hold, for a fraction of a write for each message."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.limits import _BLOCK, Lease, Limit
from shared.errors import RateLimited, Unavailable
from shared.limits.limiters import _FREE, _FREE_EVERY_MS, RateLimiter
from tests.fakes import FakeClock
from tests.stores import Simulated, simulated

LIMIT = Limit(rate=20, burst=200)
WRITES_PER_MESSAGE = 0.2


@dataclass
class RateHarness:
    """As many instances as there are, in front of one bucket; messages go to them in turn."""

    instances: int = 1
    limit: Limit = LIMIT
    clock: FakeClock = field(default_factory=FakeClock)
    stores: Simulated = field(default_factory=simulated)
    accepted: int = 0
    offered: int = 0
    waits: list[int] = field(default_factory=list)
    limiters: list[RateLimiter] = field(init=False)

    def __post_init__(self) -> None:
        self.limiters = [RateLimiter(self.limit, self.stores.buckets, self.clock) for _ in range(self.instances)]

    def send(self, count: int = 1, user_id: str = "alice") -> int:
        """How many of so many at once were accepted."""
        before = self.accepted
        for _ in range(count):
            self.offered += 1
            try:
                self.limiters[self.offered % self.instances].take(user_id)
            except RateLimited as error:
                self.waits.append(error.retry_after_ms or 0)
            else:
                self.accepted += 1
        assert min(self.waits, default=1) > 0
        return self.accepted - before

    @property
    def writes(self) -> int:
        return len(self.stores.calls.made)

    @property
    def writes_per_message(self) -> float:
        return self.writes / self.offered


def most(harness: RateHarness, passed_ms: int) -> float:
    """What the docstring allows: the limit, and what each instance holds or lets through uncounted."""
    counted = harness.limit.burst + passed_ms * harness.limit.rate / 1_000
    return counted + harness.instances * (_FREE + passed_ms / _FREE_EVERY_MS) + 1


@pytest.fixture
def harness() -> RateHarness:
    return RateHarness()


@pytest.mark.parametrize("instances", [1, 3])
def test_who_writes_at_the_pace_of_a_person_costs_no_write(instances: int) -> None:
    harness = RateHarness(instances)
    for _ in range(100):
        assert harness.send() == 1
        harness.clock.advance(_FREE_EVERY_MS)
    assert harness.writes == 0


def test_the_first_messages_of_an_instance_cost_no_write(harness: RateHarness) -> None:
    harness.send(_FREE)
    assert harness.writes == 0
    harness.send()
    assert harness.writes == 1


def test_a_burst_goes_through_and_what_follows_is_told_how_long_to_wait(harness: RateHarness) -> None:
    assert harness.send(500) == LIMIT.burst + _FREE
    with pytest.raises(RateLimited) as refused:
        harness.limiters[0].take("alice")
    assert refused.value.retry_after_ms == 500  # ten tokens at twenty a second
    harness.clock.advance(499)
    assert harness.send() == 0
    harness.clock.advance(1)
    assert harness.send(100) == 10


def test_a_flood_is_refused_without_a_write(harness: RateHarness) -> None:
    harness.send(LIMIT.burst + _FREE + 1)
    writes = harness.writes
    assert harness.send(10_000) == 0
    assert harness.writes == writes


def test_whoever_floods_gets_the_rate_and_others_all_of_theirs(harness: RateHarness) -> None:
    harness.send(1_000)
    steady = 0
    for _ in range(100):
        harness.clock.advance(100)
        steady += harness.send(50)
    assert steady == pytest.approx(200, abs=10 + 2)  # ten seconds at twenty, and what is free meanwhile
    assert harness.send(5, user_id="bob") == 5


@pytest.mark.parametrize("block_of", [(1, 3), (5, 5), (50, 100)])
def test_small_and_large_limits_hold(block_of: tuple[int, int]) -> None:
    harness = RateHarness(limit=Limit(*block_of))
    assert harness.send(1_000) == block_of[1] // min(_BLOCK, block_of[1]) * min(_BLOCK, block_of[1]) + _FREE
    harness.clock.advance(3_600_000)
    assert harness.send(1_000) <= block_of[1] + _FREE


# (messages at once, pause in ms behind them) …
PATTERNS: dict[str, list[tuple[int, int]]] = {
    "a lively chat": [(1, 1_000)] * 300,
    "a burst a minute": [(100, 60_000)] * 20,
    "small bursts": [(5, 3_000)] * 200,
    "at the rate": [(1, 50)] * 2_000,
    "a flood": [(50, 100)] * 200,
    "a burst, then steady": [(200, 0), *[(2, 100)] * 300],
}


@pytest.mark.parametrize("instances", [1, 2, 5])
@pytest.mark.parametrize("name", PATTERNS)
def test_a_message_costs_at_most_a_fifth_of_a_write(name: str, instances: int) -> None:
    harness, pattern = RateHarness(instances), PATTERNS[name]
    for count, pause_ms in pattern:
        harness.send(count)
        harness.clock.advance(pause_ms)
    assert harness.writes_per_message <= WRITES_PER_MESSAGE
    assert harness.accepted <= most(harness, sum(pause_ms for _, pause_ms in pattern))


@settings(max_examples=100)
@given(st.integers(1, 5), st.lists(st.tuples(st.integers(1, 120), st.integers(0, 5_000)), max_size=30))
def test_nobody_gets_more_than_the_limit_and_what_instances_add(instances: int, pattern: list[tuple[int, int]]) -> None:
    harness = RateHarness(instances)
    passed = 0
    for count, pause_ms in pattern:
        harness.send(count)
        assert harness.accepted <= most(harness, passed)
        harness.clock.advance(pause_ms)
        passed += pause_ms


@settings(max_examples=50)
@given(st.lists(st.integers(0, 400), min_size=1, max_size=60))
def test_whoever_keeps_below_the_rate_is_never_refused_by_one_instance(pauses: list[int]) -> None:
    harness = RateHarness()
    for pause_ms in pauses:
        assert harness.send() == 1
        harness.clock.advance(max(50, pause_ms))


def test_an_instance_remembers_a_bounded_number_of_users(harness: RateHarness) -> None:
    for number in range(3_000):
        harness.send(user_id=f"u{number}")
    assert len(harness.limiters[0]._accounts) == 2_000


def test_a_bucket_that_cannot_be_reached_lets_nothing_through_uncounted() -> None:
    class Broken:
        def lease(self, user_id: str, tokens: int, *, limit: Limit, full_at: int, now: int) -> Lease:
            raise Unavailable

    limiter = RateLimiter(LIMIT, Broken(), FakeClock())
    for _ in range(_FREE):
        limiter.take("alice")
    for _ in range(2):
        with pytest.raises(Unavailable):
            limiter.take("alice")
