"""Connections: they come and go, are kept alive, and are used by whoever has no business there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tests.simulation.faults import Fault
from tests.simulation.operations import reading
from tests.simulation.operations.acting import EMOJI, Actions, place, text
from tests.simulation.places import DM, GROUP
from tests.simulation.strangers import Stranger

if TYPE_CHECKING:
    from tests.simulation.clients import Client
    from tests.simulation.scenario import Scenario


def _intrude(scenario: Scenario, client: Client, number: int) -> None:
    """Somebody tries what is none of their business, if they are no member."""
    where = GROUP if number % 2 else DM
    match number // 2 % 4:
        case 0:
            client.send(text(scenario), where=where)
        case 1:
            client.change("react", where, 1, emoji=EMOJI[0], remove=False)
        case 2:
            client.read(where, 1)
        case _:
            reading.look(client, where)


def _ping(scenario: Scenario, client: Client, number: int) -> None:
    where = place(scenario, client, number)
    held = client.core.held(where)
    if held is not None:
        fields = {"conversation_id": where, "seq": held}
        client.frame("ping", "ping", fields, **fields)


def _mishap(fault: Fault, act: Callable[[Client], None]) -> Callable[[Scenario, Client, int], None]:
    def happen(scenario: Scenario, client: Client, _: int) -> None:
        scenario.fault_model.struck[fault] += 1
        act(client)

    return happen


def _stranger(scenario: Scenario, client: Client, number: int) -> None:
    Stranger(scenario, client).run(number)


ACTIONS: Final[Actions] = {
    "stranger": (_stranger, 2),
    "intrude": (_intrude, 1),
    "ping": (_ping, 1),
    "leave": (lambda _, client, __: client.leave(), 2),
    "come_back": (lambda _, client, __: client.come_back(), 2),
    "cut": (_mishap(Fault.CUT, lambda client: client.cut()), 0),
    "half_open": (_mishap(Fault.HALF_OPEN, lambda client: client.cut(half_open=True)), 0),
    "restart": (_mishap(Fault.RESTARTED, lambda client: client.restart()), 0),
}
