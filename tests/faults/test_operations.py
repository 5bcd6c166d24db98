"""Every operation at its best: what it does when nothing goes wrong, and how many steps it takes."""

from __future__ import annotations

import pytest

from tests.faults.invariants import check
from tests.faults.operations import Operation, started
from tests.faults.table import OPERATIONS
from tests.faults.world import new_house


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name.replace(" ", "_"))
def test_without_faults_it_does_what_it_should(operation: Operation) -> None:
    house = started(operation)
    operation.act(house)
    assert house.steps.taken
    check(house)
    house.steps.begin()
    house.settle()
    check(house)
    operation.holds(house)
    operation.unharmed(house)


def test_the_small_world_is_in_order() -> None:
    check(new_house())
