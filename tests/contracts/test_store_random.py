"""What holds of the simulation's tables whatever is asked of them. `python -m tests.contracts` has them judged."""

from __future__ import annotations

from random import Random

import pytest

from shared.adapters.aws.calls import ServiceError
from tests.contracts.comparison import answer, difference
from tests.contracts.random_requests import Requests
from tests.dynamodb import Store, Written
from tests.dynamodb.values import Item


@pytest.mark.parametrize("seed", range(5))
def test_what_is_told_of_writes_is_what_is_there_and_a_refusal_changes_nothing(seed: int) -> None:
    told: list[Written] = []
    store = Store(on_write=told.append)
    requests, there = Requests(Random(seed)), dict[str, Item]()
    refusals = 0
    for _ in range(400):
        operation, request = requests.one()
        before, told_before = store.snapshot(), len(told)
        try:
            store.call(operation, request)
        except ServiceError:
            refusals += 1
            assert store.snapshot() == before
            assert len(told) == told_before
        for write in told[told_before:]:
            assert there.get(str(write.key)) == write.old
            assert write.new != write.old
            there.pop(str(write.key), None)
            if write.new is not None:
                there[str(write.key)] = write.new
    assert sorted(map(str, there.values())) == sorted(map(str, store.snapshot()["log"].values()))
    assert 50 < refusals < 350
    assert len(told) > 50


def test_the_same_requests_have_the_same_answers() -> None:
    assert difference(Store(), Store(), requests=500, seed=1) is None


def test_a_difference_is_found() -> None:
    other = Store()
    other.call("PutItem", {"TableName": "log", "Item": {"conversation_id": {"S": "c"}, "seq": {"N": "7"}}})
    found = difference(Store(), other, requests=500, seed=1)
    assert found is not None
    assert "judge: " in found


def test_the_words_of_a_refusal_are_no_difference() -> None:
    store = Store()
    assert answer(store, "PutItem", {"TableName": "log", "Item": {}}) == {
        "code": "ValidationException",
        "item": None,
        "reasons": [],
    }
