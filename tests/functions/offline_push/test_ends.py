"""Where messages are kept for some days: the stream's reader has the row before each new one go some day."""

from __future__ import annotations

from typing import Any

from functions.offline_push.handler import look_at
from shared.clock import DAY_MS, SECOND_MS
from shared.domain.retention import Retention, Trimming
from tests.fakes import DM, FakeClock
from tests.functions.events import stream_record
from tests.functions.offline_push.test_offline_push import OfflinePushHarness
from tests.stores import LOG, Simulated, simulated

AT = 1_795_431_200_000
ENDS = AT // SECOND_MS + 7 * DAY_MS // SECOND_MS


def trimmed() -> OfflinePushHarness:
    stores = simulated(trimming=Trimming(Retention(private_days=7), FakeClock()))
    stores.write("alice", "one", "two", "three", at=AT)
    return OfflinePushHarness(stores=stores)


def noted(stores: Simulated) -> list[tuple[Any, Any]]:
    return [(row.get("ends"), row.get("ttl")) for row in stores.rows(LOG, conversation_id=DM)]


def test_the_first_row_and_the_last_stay_and_the_others_go_a_day_after_their_end() -> None:
    harness = trimmed()
    assert look_at([stream_record(1), stream_record(2), stream_record(3)], harness.wired()) == {"batchItemFailures": []}
    assert noted(harness.stores) == [(ENDS, None), (ENDS, ENDS + DAY_MS // SECOND_MS), (None, None)]


def test_a_record_whose_row_can_not_be_changed_comes_again() -> None:
    harness = trimmed()
    harness.stores.calls.fail("ends = :ends")
    record = stream_record(3)
    number = record["dynamodb"]["SequenceNumber"]
    assert look_at([record], harness.wired()) == {"batchItemFailures": [{"itemIdentifier": number}]}
    harness.stores.calls.let_through()
    assert look_at([record], harness.wired()) == {"batchItemFailures": []}
    assert noted(harness.stores)[1] == (ENDS, ENDS + DAY_MS // SECOND_MS)
