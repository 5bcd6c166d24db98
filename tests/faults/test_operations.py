"""Every operation at its best: what it does when nothing goes wrong, and how many steps it takes."""

from __future__ import annotations

import pytest

from tests.faults.beginning import new_harness
from tests.faults.invariants import check
from tests.faults.operations import Operation, started
from tests.faults.table import OPERATIONS


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name.replace(" ", "_"))
def test_without_faults_it_does_what_it_should(operation: Operation) -> None:
    harness = started(operation)
    operation.act(harness)
    assert harness.steps.taken
    check(harness)
    harness.steps.begin()
    harness.settle()
    check(harness)
    operation.holds(harness)
    operation.unharmed(harness)


def test_what_every_operation_starts_from_is_in_order() -> None:
    check(new_harness())
