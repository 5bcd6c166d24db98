"""An invocation's time: how long it waits for another attempt, and until when it starts a call."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from shared.adapters.aws.calls import GIVE_UP_AFTER_S, ApiGatewayConnections, ServiceError, retried
from shared.clock import FRAME_S, GRACE_S, REQUEST_S, Deadline
from shared.config import AwsEnvironment
from shared.domain.connections import PostOutcome
from shared.errors import Unavailable


@dataclass
class Time:
    """Passes where a caller sleeps. `naps` are how long each was."""

    now: float = 1_000.0
    naps: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds

    def deadline(self, seconds: float = 10.0, **terms: float) -> Deadline:
        made = Deadline(seconds, monotonic=self, sleep=self.sleep, backoff_s=lambda attempt: attempt / 10, **terms)
        made.begin()
        return made


def test_it_waits_as_long_as_there_is_time_for_another_attempt() -> None:
    time = Time()
    deadline = time.deadline(1.0)
    for attempt in range(20):
        deadline.pause(attempt)
    assert time.naps[:3] == [0.0, 0.1, pytest.approx(0.9 * 0.9 / 8)]
    assert time.naps[2:] == sorted(time.naps[2:], reverse=True)  # the less is left, the shorter the waits
    assert 0.2 < 1.0 - sum(time.naps) < 0.3
    time.now += 0.1
    with pytest.raises(Unavailable) as refused:
        deadline.pause(20)
    assert refused.value.retry_after_ms


def test_a_wait_of_known_length_ends_with_the_invocations_time() -> None:
    time = Time()
    deadline = time.deadline(1.0)
    for _ in range(3):
        deadline.wait_ms(300)
    assert time.naps == [0.3, 0.3, 0.3]
    with pytest.raises(Unavailable):
        deadline.wait_ms(300)  # a tenth of a second is left: no attempt comes to its end in that
    assert time.naps == [0.3, 0.3, 0.3]
    short = time.deadline(1.0)
    time.now += 0.7
    short.wait_ms(5_000)
    assert time.naps[3:] == [pytest.approx(0.3)]


def test_calls_are_started_for_a_while_longer() -> None:
    time = Time()
    deadline = time.deadline(1.0)
    time.now += 1.0 + GRACE_S
    deadline.check()
    time.now += 0.1
    with pytest.raises(Unavailable):
        deadline.check()


def test_each_invocation_has_its_own_time_and_none_before_the_first_has_an_end() -> None:
    time = Time()
    unbegun = Deadline(1.0, monotonic=time, sleep=time.sleep)
    time.now += 1_000
    unbegun.check()
    deadline = time.deadline(1.0)
    time.now += 100
    deadline.begin()
    deadline.check()


def test_a_service_that_is_throttled_is_asked_no_more_once_the_time_is_up() -> None:
    time, asked = Time(), []

    def once() -> None:
        asked.append(time.now)
        time.now += 3.0
        raise ServiceError("ThrottlingException", "", {}, is_transient=True)

    deadline = time.deadline(2.0, grace_s=0.0)
    with pytest.raises(Unavailable):
        retried(once, pause=deadline.pause, monotonic=time, check=deadline.check)
    with pytest.raises(Unavailable):
        retried(once, pause=deadline.pause, monotonic=time, check=deadline.check)
    assert len(asked) == 1


def test_posts_after_the_end_have_failed_and_hold_nobody_up() -> None:
    time = Time()
    deadline = time.deadline(1.0)
    time.now += 100
    nowhere = AwsEnvironment("us-east-1", "key", "secret", "", "")
    gateway = ApiGatewayConnections("http://localhost:1", nowhere, deadline=deadline)
    assert [posted.outcome for posted in gateway.post(["a", "b"], b"")] == [PostOutcome.FAILED] * 2


def test_the_times_leave_room_for_the_last_call_and_its_answer() -> None:
    """A gateway waits for 29 seconds; a call that was started takes 4 at most."""
    assert FRAME_S < REQUEST_S
    assert REQUEST_S + GRACE_S + 4 < 29
    assert GIVE_UP_AFTER_S < FRAME_S
