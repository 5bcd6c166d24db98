"""Notifications and reminders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.simulation.operations.acting import Actions, place
from tests.simulation.places import USERS

if TYPE_CHECKING:
    from tests.simulation.clients import Client
    from tests.simulation.scenario import Scenario


def _notify(scenario: Scenario, client: Client, number: int) -> None:
    """By a server; by a user it is refused. Some can be repeated, and are."""
    users = list(USERS[: 1 + number % 3])
    named = {"notification_id": f"told-{number % 3}"} if number % 2 else {}
    said: dict[str, Any] = {"users": users, "title": f"title {next(scenario.numbers)}", **named}
    by = "server" if number % 7 else None
    client.http("notify", "POST", "notifications", body={**said, "body": "more"}, by=by, **said)


def _acknowledge(scenario: Scenario, client: Client, number: int) -> None:
    known = [
        one.value["notification_id"] for one in scenario.operations if one.kind == "notify" and one.outcome == "ok"
    ]
    name = known[number % len(known)] if known and number % 5 else f"told-{number % 3}"
    client.http("acknowledge", "DELETE", "notifications", name, notification_id=name)


def _remind(scenario: Scenario, client: Client, number: int) -> None:
    """Soon, so that it comes within the history; or much later; or too late."""
    where = place(scenario, client, number)
    messages = client.messages(where)
    if not messages:
        return
    seq = messages[-1 - number // 2 % len(messages)].seq
    ahead = (500, 500, 1_000, 3_600_000, -1)[number % 5]
    at = client.now_ms // 1_000 * 1_000 + ahead if number % 3 else client.now_ms + ahead
    client.http(
        "remind",
        "POST",
        *("conversations", where, "messages", seq, "reminders"),
        body={"at": at},
        conversation_id=where,
        seq=seq,
        at=at,
    )


def _cancel(scenario: Scenario, client: Client, number: int) -> None:
    mine = [one for one in scenario.operations if one.kind == "remind" and one.outcome == "ok"]
    if mine:
        name: Any = mine[number % len(mine)].value["reminder_id"]
        client.http("cancel_reminder", "DELETE", "reminders", name, reminder_id=name)


ACTIONS: Final[Actions] = {
    "notify": (_notify, 1),
    "acknowledge": (_acknowledge, 1),
    "remind": (_remind, 2),
    "cancel_reminder": (_cancel, 1),
}
