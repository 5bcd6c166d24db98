"""Who tells everybody something, and who holds it up: the team's server, at times two of them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.simulation.operations.acting import Actions

if TYPE_CHECKING:
    from tests.simulation.clients import Client
    from tests.simulation.scenario import Scenario

# So many names are used again and again: each request is the same one, or has another text under the same name.
_NAMES: Final = 4


def _by(number: int) -> str | None:
    """Mostly the team's server; a user may not."""
    return "server" if number % 9 else None


def _broadcast(scenario: Scenario, client: Client, number: int) -> None:
    name = f"all-{number % _NAMES}" if number // _NAMES % 3 else None
    title = f"all {next(scenario.numbers)}" if name is None or number % 11 == 0 else f"told {name}"
    said: dict[str, Any] = {"title": title, "store": number % 2 == 1}
    body = {**said, "body": "more", **({} if name is None else {"broadcast_id": name})}
    client.http("broadcast", "POST", "broadcasts", body=body, by=_by(number), broadcast_id=name, **said)


def _some(scenario: Scenario, number: int) -> str:
    """One that was begun, mostly; or whatever has a name."""
    asked = [one for one in scenario.operations if one.kind == "broadcast" and one.outcome != "fail"]
    known = [one.value["id"] if one.outcome == "ok" else one.detail["broadcast_id"] for one in asked]
    known = [name for name in known if name is not None]
    return str(known[-1 - number % min(len(known), 3)]) if known and number % 8 else f"all-{number % _NAMES}"


def _pause(scenario: Scenario, client: Client, number: int) -> None:
    _hold(scenario, client, number, "pause")


def _resume(scenario: Scenario, client: Client, number: int) -> None:
    _hold(scenario, client, number, "resume")


def _cancel(scenario: Scenario, client: Client, number: int) -> None:
    _hold(scenario, client, number, "cancel")


def _hold(scenario: Scenario, client: Client, number: int, how: str) -> None:
    name = _some(scenario, number)
    client.http(f"{how}_broadcast", "POST", "broadcasts", name, how, by=_by(number), broadcast_id=name)


def _look(scenario: Scenario, client: Client, number: int) -> None:
    name = _some(scenario, number)
    client.http("look_at_broadcast", "GET", "broadcasts", name, by=_by(number), broadcast_id=name)


def _list(_: Scenario, client: Client, number: int) -> None:
    client.http("list_broadcasts", "GET", "broadcasts", by=_by(number))


def _acknowledge(scenario: Scenario, client: Client, number: int) -> None:
    name = _some(scenario, number)
    client.http("acknowledge", "DELETE", "notifications", name, notification_id=name)


def _notices(_: Scenario, client: Client, __: int) -> None:
    client.http("get_notifications", "GET", "notifications")


ACTIONS: Final[Actions] = {
    "broadcast": (_broadcast, 0),
    "pause_broadcast": (_pause, 0),
    "resume_broadcast": (_resume, 0),
    "cancel_broadcast": (_cancel, 0),
    "look_at_broadcast": (_look, 0),
    "list_broadcasts": (_list, 0),
    "acknowledge_broadcast": (_acknowledge, 0),
    "notices": (_notices, 0),
}
