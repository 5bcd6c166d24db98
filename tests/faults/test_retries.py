"""Every call of every operation that fails once: the adapter's own retry is all that anybody sees of it.

That retry may meet its own write, where only the answer was lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.faults.house import House
from tests.faults.invariants import check
from tests.faults.operations import Operation
from tests.faults.steps import (
    SERVICE_CALLS,
    WRITES,
    Step,
    Trouble,
    at,
    contend,
    from_on,
    in_progress,
    lose,
    throttle,
)
from tests.faults.table import OPERATIONS
from tests.faults.test_kills import started

PASSING: Mapping[str, Mapping[str, Trouble]] = {
    "throttled": {"before": throttle},
    "lost before it took effect": {"before": lose},
    "done, and its answer lost": {"after": lose},
    "contended": {"before": contend},
    "in progress": {"before": in_progress},
}
# A ticket is taken by deleting it, and there is nothing left by which that could recognise itself: get another one.
USED_UP = ("connect with a ticket", "DeleteItem", "done, and its answer lost")
_EACH = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name.replace(" ", "_"))


def suffers(step: Step, fault: str) -> bool:
    """Whether this can happen to such a call."""
    if fault == "in progress":
        return step.name == "TransactWriteItems"
    return step.name in (WRITES if fault == "contended" else SERVICE_CALLS)


def calm(operation: Operation) -> tuple[Any, list[Step]]:
    """What it gives, and its steps, when nothing goes wrong."""
    house = started(operation)
    return operation.act(house), list(house.steps.taken)


@pytest.mark.parametrize("fault", PASSING, ids=lambda one: one.replace(" ", "_"))
@_EACH
def test_what_fails_once_is_made_good_unseen(operation: Operation, fault: str) -> None:
    expected, steps = calm(operation)
    for step in (step for step in steps if suffers(step, fault)):
        house = started(operation)
        house.steps.begin(**{when: at(step.number, trouble) for when, trouble in PASSING[fault].items()})
        try:
            if (operation.name, step.name, fault) == USED_UP:
                with pytest.raises(AssertionError, match="answered 403"):
                    operation.act(house)
                operation.repeat(house)
            else:
                assert operation.act(house) == expected
            house.steps.begin()
            check(house)
            house.settle()
            check(house)
            operation.holds(house)
            operation.unharmed(house)
        except AssertionError as error:
            raise AssertionError(f"step {step.number}, {step.name}: {fault}") from error


@_EACH
def test_an_outage_at_any_step_is_an_answer_and_nothing_half_done_and_a_repetition_completes_it(
    operation: Operation,
) -> None:
    """From this step on nothing in AWS answers, until it is over."""
    _, steps = calm(operation)
    for step in (step for step in steps if step.name in SERVICE_CALLS):
        house = started(operation)
        house.steps.begin(before=from_on(step.number, throttle))
        try:
            fails_cleanly(operation, house)
            house.steps.begin()
            check(house)
            house.cold()
            operation.repeat(house)
            house.settle()
            check(house)
            operation.holds(house)
        except AssertionError as error:
            raise AssertionError(f"from step {step.number}, {step.name}, on") from error


def fails_cleanly(operation: Operation, house: House) -> None:
    """It says that it may be tried again, or has nothing to say; nothing unforeseen comes out of it."""
    try:
        operation.act(house)
    except AssertionError as error:
        refused = str(error)
    else:
        return
    assert any(text in refused for text in ("'unavailable'", "comes again", "answered 50")), refused
