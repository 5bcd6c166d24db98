"""Every call of every operation that fails once: the adapter's own retry is all that anybody sees of it.

That retry may meet its own write, where only the answer was lost.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from shared.errors import Unavailable
from tests.faults.invariants import check, check_to_the_end, during
from tests.faults.operations import Operation, calm, fails_cleanly, started
from tests.faults.steps import SERVICE_CALLS, WRITES, Step, Trouble, at, contend, from_on, in_progress, lose, throttle
from tests.faults.table import OPERATIONS

PASSING: Mapping[str, Mapping[str, Trouble]] = {
    "throttled": {"before": throttle},
    "lost before it took effect": {"before": lose},
    "done, and its answer lost": {"after": lose},
    "contended": {"before": contend},
    "in progress": {"before": in_progress},
}
# S3 and the scheduler, whose own retries are tested with their adapters.
BESIDE = {"look_at_upload", "read_upload", "keep", "put_thumbnail", "drop_upload", "delete", "schedule", "cancel"}
# A ticket is taken by deleting it, and there is nothing left by which that could recognise itself: get another one.
USED_UP = ("connect with a ticket", "DeleteItem", "done, and its answer lost")
CHANGES = [
    one
    for one in OPERATIONS
    if one.name in {"first message", "file message", "edit", "delete", "reaction", "remove", "leave", "rename", "role"}
]
_EACH = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name.replace(" ", "_"))


def suffers(step: Step, fault: str) -> bool:
    """Whether this can happen to such a call."""
    if fault == "in progress":
        return step.name == "TransactWriteItems"
    return step.name in (WRITES if fault == "contended" else SERVICE_CALLS)


@pytest.mark.parametrize("fault", PASSING, ids=lambda one: one.replace(" ", "_"))
@_EACH
def test_what_fails_once_is_made_good_unseen(operation: Operation, fault: str) -> None:
    expected, steps = calm(operation)
    for step in (step for step in steps if suffers(step, fault)):
        harness = started(operation)
        harness.steps.begin(**{when: at(step.number, trouble) for when, trouble in PASSING[fault].items()})
        with during(f"step {step.number}, {step.name}: {fault}"):
            if (operation.name, step.name, fault) == USED_UP:
                with pytest.raises(AssertionError, match="answered 403"):
                    operation.act(harness)
                operation.repeat(harness)
            else:
                assert operation.act(harness) == expected
            harness.steps.begin()
            check_to_the_end(harness)
            operation.holds(harness)
            operation.unharmed(harness)


@pytest.mark.parametrize("operation", CHANGES, ids=lambda one: one.name.replace(" ", "_"))
def test_a_change_whose_answer_is_lost_until_its_token_is_forgotten_recognises_its_entry(operation: Operation) -> None:
    """DynamoDB remembers a transaction's token for ten minutes."""
    expected, steps = calm(operation)
    (step,) = (step for step in steps if step.name == "TransactWriteItems")
    harness = started(operation)

    def lose_and_forget(_: Step) -> None:
        harness.store._done.clear()
        lose(step)

    harness.steps.begin(after=at(step.number, lose_and_forget))
    assert operation.act(harness) == expected
    harness.steps.begin()
    check_to_the_end(harness)
    operation.holds(harness)


@_EACH
def test_an_outage_at_any_step_is_an_answer_and_nothing_half_done_and_a_repetition_completes_it(
    operation: Operation,
) -> None:
    """From this step on nothing in AWS answers, until it is over."""
    _, steps = calm(operation)
    for step in (step for step in steps if step.name in SERVICE_CALLS):
        harness = started(operation)
        harness.steps.begin(before=from_on(step.number, throttle))
        with during(f"from step {step.number}, {step.name}, on"):
            fails_cleanly(operation, harness)
            harness.steps.begin()
            check(harness)
            harness.cold()
            operation.repeat(harness)
            harness.settle()
            check(harness)
            operation.holds(harness)


def fail(_: Step) -> None:
    raise Unavailable


@_EACH
def test_a_store_of_objects_or_a_scheduler_that_fails_is_an_answer_and_a_repetition_completes_it(
    operation: Operation,
) -> None:
    _, steps = calm(operation)
    for step in (step for step in steps if step.name in BESIDE):
        harness = started(operation)
        harness.steps.begin(before=at(step.number, fail))
        with during(f"step {step.number}, {step.name}"):
            with pytest.raises(AssertionError, match=r"'unavailable'|comes again"):
                operation.act(harness)
            harness.steps.begin()
            check(harness)
            operation.repeat(harness)
            harness.settle()
            check(harness)
            operation.holds(harness)


@_EACH
def test_a_post_that_gets_no_answer_fails_nothing(operation: Operation) -> None:
    """Not the operation, not what is stored, and no other post."""
    expected, steps = calm(operation)
    for step in (step for step in steps if step.name in {"PostToConnection", "DeleteConnection"}):
        harness = started(operation)
        harness.steps.begin(before=at(step.number, lose))
        with during(f"step {step.number}, {step.name}"):
            assert operation.act(harness) == expected
            posts = [name for name in harness.steps.names if name == "PostToConnection"]
            assert posts == [one.name for one in steps if one.name == "PostToConnection"]
            harness.steps.begin()
            harness.settle()
            check(harness)
