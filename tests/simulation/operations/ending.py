"""Where messages are kept for some days: rules of conversations' own, legal holds, and rows that DynamoDB deletes."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from tests.simulation.operations.acting import Actions
from tests.simulation.places import DM, GROUP

if TYPE_CHECKING:
    from tests.simulation.clients import Client
    from tests.simulation.scenario import Scenario

_DAYS: Final = (1, 2, 3, 6, 12, None)


def _reap(scenario: Scenario, _: Client, number: int) -> None:
    """Some of the rows that have expired, in whatever order."""
    scenario.reap(Random(number))


def _keep_for(_: Scenario, client: Client, number: int) -> None:
    """Mostly by the team's server, as Alice; else by a user, who may in a group that they own, and nowhere else."""
    where, days = _where(number), _DAYS[number // 2 % len(_DAYS)]
    by, acting_as = (None, None) if number // 12 % 4 == 0 else ("server", "alice")
    client.http(
        "keep_for",
        "PATCH",
        *("conversations", where),
        body={"retention_days": days},
        by=by,
        acting_as=acting_as,
        conversation_id=where,
        days=days,
    )


def _hold(_: Scenario, client: Client, number: int) -> None:
    where, by = _where(number), None if number % 9 == 0 else "server"
    body = {"reason": "some words"}
    client.http("hold", "PUT", "conversations", where, "hold", body=body, by=by, conversation_id=where)


def _release(_: Scenario, client: Client, number: int) -> None:
    where = _where(number)
    client.http("release", "DELETE", "conversations", where, "hold", by="server", conversation_id=where)


def _where(number: int) -> str:
    return GROUP if number % 2 else DM


ACTIONS: Final[Actions] = {
    "reap": (_reap, 0),
    "keep_for": (_keep_for, 0),
    "hold": (_hold, 0),
    "release": (_release, 0),
}
