"""A partition takes so many units a second; what is beyond them is throttled, and takes nothing."""

from __future__ import annotations

from typing import Any

import pytest

from shared.adapters.aws.calls import ServiceError
from shared.domain.entries import Draft, Entry
from tests.dynamodb import Store
from tests.dynamodb.capacity import READ_UNITS, WRITE_UNITS, Limited
from tests.stores import adapters

DM = "dm:alice:bob"


class ReminderScheduler:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def limited(*, writes: float = WRITE_UNITS, reads: float = READ_UNITS) -> tuple[Limited, ReminderScheduler]:
    clock = ReminderScheduler()
    return Limited(Store(), clock, writes=writes, reads=reads), clock


def entry(seq: int, content: str = "x") -> Entry:
    base = Draft(DM, "alice", "x", "n").following(None, 1)
    return (
        base
        if seq == 1
        else Draft(DM, "alice", content, f"n{seq}").following(Entry(DM, seq - 1, "alice", 1, seq - 1), 1)
    )


def refusal_of(call: Any) -> ServiceError:
    with pytest.raises(ServiceError) as refused:
        call()
    return refused.value


def test_writes_beyond_the_limit_are_throttled_until_there_are_units_again() -> None:
    calls, clock = limited(writes=3)
    log = adapters(calls).log
    for seq in (1, 2, 3):
        assert log.put(entry(seq)) is None
    assert refusal_of(lambda: log.put(entry(4))).is_transient
    assert (calls.throttled, calls.spent["write"]) == (1, 3)
    clock.now += 400
    assert log.put(entry(4)) is None
    other = Draft("dm:carol:dave", "carol", "x", "n").following(None, 1)
    assert log.put(other) is None  # another partition


def test_a_refused_write_costs_as_much_as_what_is_there_and_a_large_one_by_the_kilobyte() -> None:
    calls, _ = limited()
    log = adapters(calls).log
    log.put(entry(1))
    log.put(entry(2, "x" * 5_000))
    calls.spent.clear()
    assert log.put(entry(2, "y")) is not None
    assert calls.spent["write"] == 6


def test_a_transaction_costs_double_and_is_cancelled_where_one_of_its_partitions_is_hot() -> None:
    calls, _ = limited(writes=9)
    log = adapters(calls).log
    first = entry(1)
    assert log.put(first, new_members=("alice", "bob")) is None
    assert calls.spent["write"] == 10
    calls.call("PutItem", {"TableName": "log", "Item": {"conversation_id": {"S": DM}, "seq": {"N": "7"}, "x": _long()}})
    error = refusal_of(lambda: log.put(entry(2), new_members=("alice",)))
    assert (error.reasons, error.is_transient) == (frozenset({"ThrottlingError", "None"}), True)


def _long() -> dict[str, str]:
    return {"S": "x" * 9_000}


def test_reads_are_counted_by_four_kilobytes_and_half_where_they_may_be_stale() -> None:
    calls, _ = limited(reads=3)
    stores = adapters(calls)
    stores.log.put(entry(1))
    stores.log.read_back(DM, limit=1)
    stores.log.lookup(DM, seqs=[1])
    assert calls.spent["read"] == 1.5
    stores.log.fetch([(DM, 1), (DM, 2)])
    assert refusal_of(lambda: stores.log.read_back(DM, limit=1)).is_transient
