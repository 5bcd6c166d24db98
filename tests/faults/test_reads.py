"""What DynamoDB may do to readers: answer from before the last write, end pages early, leave keys unprocessed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from shared.adapters.dynamodb.client import Calls
from tests.calls import Unhurried
from tests.dynamodb import FaultModel, NoFaults
from tests.faults.invariants import check
from tests.faults.operations import Operation, calm, fails_cleanly, started
from tests.faults.table import OPERATIONS

_EACH = pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.name.replace(" ", "_"))


class Stale(NoFaults):
    """Every read that is not strongly consistent is behind."""

    def stale(self) -> bool:
        return True


class ShortPages(NoFaults):
    """A query's page holds one item."""

    def page(self) -> int | None:
        return 1


@dataclass
class Unprocessed(NoFaults):
    """Every other batch comes back with its last half undone, or with none of it done."""

    all_of_it: bool
    turn: bool = False

    def unprocessed(self, keys: int) -> int:
        self.turn = not self.turn
        return (keys if self.all_of_it else (keys + 1) // 2) if self.turn else 0


@dataclass
class Later(NoFaults):
    """Comes once everything is set up: who is read too late there is pushed to at once, and not looked at later."""

    weather: FaultModel
    has_come: bool = False

    def stale(self) -> bool:
        return self.has_come and self.weather.stale()

    def page(self) -> int | None:
        return self.weather.page() if self.has_come else None

    def unprocessed(self, keys: int) -> int:
        return self.weather.unprocessed(keys) if self.has_come else 0


@dataclass
class EmptyPages(Unhurried):
    """A query's first page is empty, though more follows: its items were filtered out, or deleted just now."""

    calls: Calls

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation != "Query":
            return self.calls.call(operation, request)
        start = request.get("ExclusiveStartKey")
        if start is None:
            return {"Items": [], "Count": 0, "ScannedCount": 0, "LastEvaluatedKey": _BEGINNING}
        given = {name: value for name, value in request.items() if name != "ExclusiveStartKey"}
        return self.calls.call(operation, given if start == _BEGINNING else request)


@dataclass
class NeverProcessing(Unhurried):
    """Batches come back undone, however often they are asked for."""

    calls: Calls

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        match operation:
            case "BatchGetItem":
                return {"Responses": {}, "UnprocessedKeys": request["RequestItems"]}
            case "BatchWriteItem":
                return {"UnprocessedItems": request["RequestItems"]}
        return self.calls.call(operation, request)


_BEGINNING = {"pk": {"S": "the beginning"}}


@pytest.mark.parametrize(
    "fault_model",
    [Stale, ShortPages, lambda: Unprocessed(all_of_it=False), lambda: Unprocessed(all_of_it=True)],
    ids=["stale", "short_pages", "half_unprocessed", "all_unprocessed"],
)
@_EACH
def test_in_any_weather_it_does_what_it_should(operation: Operation, fault_model: type[FaultModel]) -> None:
    expected, _ = calm(operation)
    weather = Later(fault_model())
    harness = started(operation, weather)
    weather.has_come = True
    assert operation.act(harness) == expected
    harness.settle()
    check(harness)
    operation.holds(harness)
    operation.unharmed(harness)


@_EACH
def test_an_empty_page_is_not_the_end(operation: Operation) -> None:
    expected, _ = calm(operation)
    harness = started(operation)
    harness.dynamodb.store = EmptyPages(harness.store)
    assert operation.act(harness) == expected
    harness.settle()
    check(harness)
    operation.holds(harness)
    operation.unharmed(harness)


@_EACH
def test_keys_that_stay_unprocessed_are_an_answer_and_a_repetition_completes_it(operation: Operation) -> None:
    harness = started(operation)
    harness.dynamodb.store = NeverProcessing(harness.store)
    fails_cleanly(operation, harness)
    harness.dynamodb.store = harness.store
    check(harness)
    harness.cold()
    operation.repeat(harness)
    harness.settle()
    check(harness)
    operation.holds(harness)
