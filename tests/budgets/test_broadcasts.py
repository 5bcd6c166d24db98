"""What a broadcast costs: counted on the real adapters, over simulated tables."""

from __future__ import annotations

from collections import Counter

from shared.operations.broadcast_pages import carry_on
from shared.operations.broadcasts import BroadcastRequest, start_broadcast
from tests.fakes import FakeClock
from tests.harness import Harness
from tests.metering import Meter
from tests.stores import adapters
from tests.wiring import make_context

USERS = 40


def counted(*, is_stored: bool) -> tuple[tuple[float, float], Counter[str], tuple[float, float], int]:
    """Units of the request; calls and units of its jobs, and how many there were."""
    harness = Harness()
    harness.connect(*(f"u{number}" for number in range(USERS)))
    meter = Meter(harness.stores.tables)
    stores, context = adapters(meter), make_context(FakeClock(), harness.nonces, fan_out_rate=500)
    asked = BroadcastRequest("Hello", is_stored=is_stored)
    start_broadcast(asked, by="shop", stores=stores, services=harness.services, context=context)
    begun = meter.reads, meter.writes
    meter.reset()
    jobs = 0
    while harness.broadcasts.jobs:
        carry_on(harness.broadcasts.jobs.pop(0), stores=stores, services=harness.push_services, context=context)
        jobs += 1
    assert len(harness.gateway.posts) == USERS
    return begun, meter.count, (meter.reads, meter.writes), jobs


def test_a_page_is_its_row_twice_and_a_scan_and_nothing_for_each_user() -> None:
    begun, calls, units, jobs = counted(is_stored=False)
    assert list(begun) == [2, 6]
    assert calls == Counter(GetItem=jobs, Scan=jobs, UpdateItem=jobs)
    assert jobs == 8
    assert units == (2 * jobs, jobs)


def test_stored_it_is_a_write_for_each_and_a_scan_of_what_there_is() -> None:
    begun, calls, units, jobs = counted(is_stored=True)
    assert list(begun) == [2, 8]
    assert jobs == 16
    assert calls == Counter(GetItem=jobs, Scan=jobs, UpdateItem=jobs, PutItem=2 * USERS), "each is met by both scans"
    assert units == (8 * 2 + 8 * 1.5, 2 * jobs + 2 * USERS)
