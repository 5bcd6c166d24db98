"""Groups and conversations: made, renamed, joined, left, hidden, and set up as their members like them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from shared.domain.text import is_group_id
from tests.simulation.history import Operation
from tests.simulation.operations.acting import Actions, group, other, place
from tests.simulation.places import CROWD, USERS

if TYPE_CHECKING:
    from tests.simulation.clients import Client
    from tests.simulation.scenario import Scenario


def _add(scenario: Scenario, client: Client, number: int) -> None:
    where = group(scenario, number)
    users = [("dave", "carol", "bob")[number % 3]] if number % 4 else list(CROWD[: 1 + number // 4 % len(CROWD)])
    client.http(
        "add",
        "POST",
        *("conversations", where, "members"),
        body={"users": users},
        conversation_id=where,
        users=users,
    )


def _remove(scenario: Scenario, client: Client, number: int) -> None:
    where, user = group(scenario, number), ("carol", "bob", "dave", "alice")[number % 4]
    client.http("remove", "DELETE", *("conversations", where, "members", user), conversation_id=where, member=user)


def _quit(scenario: Scenario, client: Client, number: int) -> None:
    where = group(scenario, number)
    client.http("quit", "DELETE", "conversations", where, conversation_id=where, member=client.user)


def _rename(scenario: Scenario, client: Client, number: int) -> None:
    where, name = group(scenario, number), f"name {number % 5}"
    client.http(
        "rename",
        "PATCH",
        *("conversations", where),
        body={"name": name},
        told=lambda given: given["name"],
        conversation_id=where,
        name=name,
    )


def _role(scenario: Scenario, client: Client, number: int) -> None:
    where, user = group(scenario, number), ("bob", "carol", "alice")[number % 3]
    role = ("owner", "admin", "member")[number // 3 % 3]
    client.http(
        "role",
        "PATCH",
        *("conversations", where, "members", user),
        body={"role": role},
        conversation_id=where,
        member=user,
        role=role,
    )


def _make_group(scenario: Scenario, client: Client, number: int) -> None:
    """Sometimes one that can be repeated, and is: by the same name."""
    members = [user for user in USERS if user != client.user][: 1 + number % 3]
    members += CROWD[: number // 3 % 4]
    named = {"client_conversation_id": f"{client.user}s-{number % 2}"} if number % 3 else {}
    body: dict[str, Any] = {"type": "group", "name": f"made {number % 3}", "members": members, **named}

    def made(operation: Operation) -> None:
        if operation.outcome == "ok" and operation.value["id"] not in scenario.groups:
            scenario.groups.append(operation.value["id"])

    client.http("make_group", "POST", "conversations", body=body, then=made, **body)


def _make_private(_: Scenario, client: Client, number: int) -> None:
    user = other(client, number)
    body = {"type": "private", "with": user}
    client.http("make_private", "POST", "conversations", body=body, other=user)


def _hide(scenario: Scenario, client: Client, number: int) -> None:
    """A private conversation. In place of a group it would be left."""
    where = place(scenario, client, number * 2)
    if not is_group_id(where):
        client.http("hide", "DELETE", "conversations", where, conversation_id=where)


def _prefer(scenario: Scenario, client: Client, number: int) -> None:
    where = place(scenario, client, number)
    choices: tuple[dict[str, Any], ...] = (
        {"notify": ("all", "mentions", "none")[number // 7 % 3]},
        {"muted_until": client.now_ms + (3_600_000 if number // 7 % 2 else -1)},
        {"pinned": number // 7 % 2 == 0, "archived": number // 14 % 2 == 0},
        {"muted_until": None},
    )
    changes = choices[number // 2 % len(choices)]
    client.http(
        "prefer",
        "PATCH",
        *("conversations", where, "settings"),
        body=changes,
        conversation_id=where,
        changes=changes,
    )


ACTIONS: Final[Actions] = {
    "add": (_add, 2),
    "remove": (_remove, 3),
    "quit": (_quit, 1),
    "rename": (_rename, 1),
    "role": (_role, 1),
    "make_group": (_make_group, 1),
    "make_private": (_make_private, 1),
    "hide": (_hide, 1),
    "prefer": (_prefer, 1),
}
