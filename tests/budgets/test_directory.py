"""What the directory of users costs: counted on the real adapters, over simulated tables."""

from __future__ import annotations

from shared.domain.users import ACQUAINTED, EVERYONE
from shared.operations.users import Reader, put_user, put_users, search_users, users_for
from tests.metering import Meter
from tests.stores import adapters, simulated
from tests.wiring import parts, rest_services


def clear(meter: Meter) -> None:
    meter.made.clear()
    meter.reads = meter.writes = 0


def test_a_record_is_a_read_and_a_transaction() -> None:
    meter = Meter(simulated().tables)
    stores = adapters(meter)
    put_user("bob", {"name": "Bob"}, **parts(stores))
    assert meter.made == ["Query", "BatchGetItem", "TransactWriteItems", "BatchGetItem"]
    assert (meter.reads, meter.writes) == (4, 8)
    clear(meter)
    put_user("bob", {"name": "Bob"}, **parts(stores, 2))
    assert meter.made == ["Query", "BatchGetItem"]
    clear(meter)
    put_user("bob", {"name": "Bob Builder"}, **parts(stores, 3))
    assert meter.writes == 2 * (2 + 2 + 1 + 1)


def test_a_search_is_a_query_and_a_read_of_those_found() -> None:
    meter = Meter(simulated().tables)
    stores, services = adapters(meter), rest_services()
    records = [(f"u{number}", {"name": f"Ann {number}"}) for number in range(40)]
    put_users(records, **parts(stores))
    clear(meter)
    reader = Reader("alice", is_admin=False, visibility=EVERYONE)
    found = search_users(reader, "ann", after=None, limit=30, stores=stores, services=services)
    assert len(found.users) == 30
    assert meter.made == ["Query", "BatchGetItem"]


def test_who_may_see_all_is_asked_of_nobody() -> None:
    meter = Meter(simulated().tables)
    stores, services = adapters(meter), rest_services()
    users_for(Reader("alice", is_admin=False, visibility=EVERYONE), ["bob", "carol"], stores=stores, services=services)
    assert meter.made == ["BatchGetItem"]
    clear(meter)
    users_for(Reader("alice", is_admin=False, visibility=ACQUAINTED), ["bob"], stores=stores, services=services)
    assert meter.made == ["BatchGetItem", "Query"]
