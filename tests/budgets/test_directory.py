"""What the directory of users costs: counted on the real adapters, over simulated tables."""

from __future__ import annotations

from shared.domain.users import ACQUAINTED, EVERYONE, NOBODY, Reader
from shared.operations.users import put_user, put_users, search_users, users_for
from shared.operations.versions import versions_for
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
    # the log's tail, the record; both changed; the user's connections for the entry and for the event, who watches
    made = ["Query", "BatchGetItem", "TransactWriteItems", "BatchGetItem", "BatchGetItem", "Query"]
    assert meter.made == made
    assert (meter.reads, meter.writes) == (6, 8)
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


def test_versions_are_half_a_unit_each_and_a_call_for_a_hundred() -> None:
    meter = Meter(simulated().tables)
    stores, services = adapters(meter), rest_services()
    put_users([(f"u{number}", {"name": "Ann"}) for number in range(100)], is_told=False, **parts(stores))
    clear(meter)
    users = [f"u{number}" for number in range(150)]
    reader = Reader("alice", is_admin=False, visibility=EVERYONE)
    found = versions_for(reader, users, stores=stores, services=services)
    assert sum(1 for version in found.values() if version) == 100
    assert (meter.made, meter.reads) == (["BatchGetItem", "BatchGetItem"], 75)
    clear(meter)
    itself = Reader("u1", is_admin=False, visibility=NOBODY)
    assert versions_for(itself, ["u2"], stores=stores, services=services) == {}
    assert meter.made == []
