"""Every function killed at every one of its steps: right before it takes effect, and right after."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.faults.harness import FaultHarness
from tests.faults.invariants import check, check_to_the_end, during
from tests.faults.operations import Operation, started
from tests.faults.steps import Killed, at, kill
from tests.faults.table import OPERATIONS


def deaths(operation: Operation) -> Iterator[tuple[FaultHarness, str]]:
    """A harness for each point at which the operation can die, in which it just has."""
    harness = started(operation)
    operation.act(harness)
    for number, step in enumerate(list(harness.steps.taken)):
        for when in ("before", "after"):
            harness = started(operation)
            harness.steps.begin(**{when: at(number, kill)})
            with contextlib.suppress(Killed):
                operation.act(harness)
                pytest.fail(f"it outlived its death {when} step {number}, {step.name}")
            harness.steps.begin()
            yield harness, f"killed {when} step {number}, {step.name}"


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name.replace(" ", "_"))
def test_wherever_it_dies_nothing_is_half_done_and_a_repetition_completes_it(operation: Operation) -> None:
    for harness, death in deaths(operation):
        with during(death):
            check(harness)
            harness.cold()
            operation.repeat(harness)
            check_to_the_end(harness)
            operation.holds(harness)


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name.replace(" ", "_"))
def test_wherever_it_dies_what_is_stored_is_in_order_though_nobody_comes_back(operation: Operation) -> None:
    for harness, death in deaths(operation):
        with during(death):
            harness.cold()
            harness.settle()
            check(harness)
