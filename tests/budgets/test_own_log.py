"""What a change of a user's own costs, and a sync that names their log."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from shared.operations.contacts import block_user, request_contact, update_profile
from shared.operations.conversations import create_private, hide, set_preferences
from shared.operations.devices import NewTarget, register_device
from shared.operations.own_log import OwnAsked, own_since
from tests.fakes import DM
from tests.metering import Meter
from tests.stores import adapters, simulated
from tests.wiring import parts

CHANGES: dict[str, tuple[Callable[..., object], tuple[float, float]]] = {
    "a setting": (lambda given: set_preferences(DM, {"pinned": True}, user_id="alice", **given), (3, 4)),
    "a hide": (lambda given: hide(DM, user_id="alice", **given), (4, 4)),
    "a private conversation that is there": (lambda given: create_private("alice", "bob", **given), (1, 4)),
    "a block": (lambda given: block_user("alice", "bob", **given), (4, 4)),
    "a profile": (lambda given: update_profile("alice", {"previews": False}, **given), (3, 4)),
    "a contact": (lambda given: request_contact("alice", "bob", **given), (9, 8)),
    "a device": (lambda given: register_device("alice", "p", NewTarget("fcm", "t"), **given), (5, 6)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_a_transaction_and_the_reads_that_it_rests_on(name: str) -> None:
    stores = simulated()
    stores.join(DM, "alice", "bob")
    stores.write("bob", "hi")
    meter = Meter(stores.tables)
    call, expected = CHANGES[name]
    call(parts(adapters(meter)))
    assert (meter.reads, meter.writes) == expected, meter.made


def test_what_is_so_already_is_not_written() -> None:
    stores = simulated()
    stores.join(DM, "alice", "bob")
    given: dict[str, Any] = parts(stores)
    for call in (
        lambda given: set_preferences(DM, {"pinned": True}, user_id="alice", **given),
        lambda given: block_user("alice", "bob", **given),
        lambda given: update_profile("alice", {"previews": False}, **given),
    ):
        call(given)
        meter = Meter(stores.tables)
        call({**given, "stores": adapters(meter)})
        assert meter.writes == 0


def test_a_sync_that_names_the_log_is_a_query_more() -> None:
    stores = simulated()
    stores.join(DM, "alice", "bob")
    set_preferences(DM, {"pinned": True}, user_id="alice", **parts(stores))
    meter = Meter(stores.tables)
    asked = OwnAsked("alice", 1, page=100, room=31_000)
    assert own_since(asked, size=lambda _: 100, stores=adapters(meter))[0].head == 1
    assert (meter.made, meter.reads) == (["Query"], 1)
