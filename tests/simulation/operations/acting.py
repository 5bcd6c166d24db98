"""What all actions share: texts, and where something is done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from tests.simulation.places import DM, FIRST, GROUP, USERS

if TYPE_CHECKING:
    from tests.simulation.clients import Client
    from tests.simulation.scenario import Scenario

Act = Callable[["Scenario", "Client", int], Any]
Actions = Mapping[str, tuple[Act, int]]
"""By name: what is done, and how often beside others; 0 where only a plan asks for it."""

EMOJI: Final = ("👍", "🎉")


def text(scenario: Scenario) -> str:
    return f"text {next(scenario.numbers)}"


def private(client: Client) -> tuple[str, str] | None:
    """The private conversation that this user is in, and who else is."""
    return {"alice": (DM, "bob"), "bob": (DM, "alice"), "carol": (FIRST, "bob")}.get(client.user)


def place(scenario: Scenario, client: Client, number: int) -> str:
    """Where something is done: in the group, privately, or in a group that was made meanwhile."""
    if scenario.groups and number % 7 == 0:
        return scenario.groups[number // 7 % len(scenario.groups)]
    if number % 2 == 0 and client.user == "carol" and number % 4:
        return FIRST
    return GROUP if number % 2 else DM


def group(scenario: Scenario, number: int) -> str:
    """The group, or one that was made meanwhile."""
    return scenario.groups[number % len(scenario.groups)] if scenario.groups and number % 5 == 0 else GROUP


def other(client: Client, number: int, among: Sequence[str] = USERS) -> str:
    """Another user."""
    others = [user for user in among if user != client.user]
    return others[number % len(others)]
