"""What a consumer of a stream reads after failures, driven against functions that fail in one way or another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from local.emulator.retries import FOR_EVER, Batch, Course, Policy

Function = Callable[[list[int]], int | None]


@dataclass
class Consumer:
    """Reads positions 0 to `length` in batches, and keeps what it handed over and what it gave up."""

    function: Function
    policy: Policy
    length: int = 10
    size: int = 10
    seen: list[list[int]] = field(default_factory=list)
    given_up: list[list[int]] = field(default_factory=list)
    pauses: int = 0

    def run(self, invocations: int = 200) -> Consumer:
        course, position = Course(), 0
        while position < self.length:
            assert len(self.seen) < invocations, "it does not get on"
            end = min(course.end(position, self.size), self.length)
            batch = Batch(range(position, end), end)
            self.seen.append(list(batch.positions))
            following = course.after(batch, self.function(self.seen[-1]), self.policy)
            if following.given_up:
                self.given_up.append(self.seen[-1])
            self.pauses += following.waits
            position = following.position
        return self


def reporting(*bad: int) -> Function:
    """Handles records up to the first bad one, and names that."""
    return lambda batch: next((index for index, position in enumerate(batch) if position in bad), len(batch))


def failing(*bad: int) -> Function:
    """Fails as a whole."""
    return lambda batch: None if set(bad) & set(batch) else len(batch)


def test_a_batch_that_is_handled_is_not_seen_again() -> None:
    done = Consumer(reporting(), Policy(5, bisects=True), size=4).run()
    assert (done.seen, done.given_up) == ([[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]], [])


def test_a_partial_response_begins_the_next_batch_at_the_record_that_failed() -> None:
    answers = iter([3, 7])
    done = Consumer(lambda _batch: next(answers), Policy(0, bisects=False)).run()
    assert done.seen == [list(range(10)), [3, 4, 5, 6, 7, 8, 9]]


def test_a_record_that_is_named_again_and_again_is_given_up_with_what_follows_it_in_its_batch() -> None:
    done = Consumer(reporting(6), Policy(2, bisects=True), size=8).run()
    assert done.seen == [[0, 1, 2, 3, 4, 5, 6, 7], *[[6, 7]] * 3, [8, 9]]
    assert done.given_up == [[6, 7]]
    assert done.pauses == 2


@pytest.mark.parametrize("bad", range(10))
def test_an_invocation_that_fails_is_halved_until_the_bad_record_is_alone(bad: int) -> None:
    done = Consumer(failing(bad), Policy(2, bisects=True)).run()
    assert done.given_up == [[bad]]
    assert done.seen.count([bad]) == 3
    assert done.pauses == 2


def test_halving_two_bad_records_hands_every_other_one_over_exactly_once_more() -> None:
    done = Consumer(failing(2, 7), Policy(0, bisects=True)).run()
    assert done.given_up == [[2], [7]]
    handled = sorted(position for batch in done.seen if not {2, 7} & set(batch) for position in batch)
    assert handled == [0, 1, 3, 4, 5, 6, 8, 9]


def test_without_bisecting_the_whole_batch_is_retried_and_given_up() -> None:
    done = Consumer(failing(2), Policy(1, bisects=False), size=5).run()
    assert (done.seen, done.given_up) == ([[0, 1, 2, 3, 4]] * 2 + [[5, 6, 7, 8, 9]], [[0, 1, 2, 3, 4]])


def test_a_failure_that_passes_costs_nothing_but_the_retry() -> None:
    answers = iter([None, None, 5, 5])
    done = Consumer(lambda _batch: next(answers), Policy(2, bisects=False), size=5).run()
    assert (done.given_up, len(done.seen)) == ([], 4)


def test_retries_are_counted_anew_for_each_batch() -> None:
    done = Consumer(failing(0, 5), Policy(1, bisects=False), size=5).run()
    assert done.given_up == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert len(done.seen) == 4


def test_without_a_limit_nothing_is_given_up() -> None:
    with pytest.raises(AssertionError, match="does not get on"):
        Consumer(failing(0), Policy(FOR_EVER, bisects=True)).run()
