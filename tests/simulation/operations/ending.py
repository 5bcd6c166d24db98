"""DynamoDB deletes rows that have expired: some of them, in whatever order, where messages are kept for some days."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from tests.simulation.operations.acting import Actions

if TYPE_CHECKING:
    from tests.simulation.clients import Client
    from tests.simulation.scenario import Scenario


def _reap(scenario: Scenario, _: Client, number: int) -> None:
    scenario.reap(Random(number))


ACTIONS: Final[Actions] = {"reap": (_reap, 0)}
