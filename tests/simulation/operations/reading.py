"""What is read over HTTP: history and the inbox in pages, single things, and every list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.simulation.history import Operation
from tests.simulation.operations.acting import Actions, place
from tests.simulation.places import USERS

if TYPE_CHECKING:
    from tests.simulation.clients import Client
    from tests.simulation.scenario import Scenario


def look(client: Client, where: str) -> None:
    """The latest messages of a conversation."""
    client.http(
        "look",
        "GET",
        *("conversations", where, "messages"),
        query={"limit": 20},
        told=lambda given: [(one["seq"], one.get("client_message_id")) for one in given["messages"]],
        conversation_id=where,
    )


def _look(scenario: Scenario, client: Client, number: int) -> None:
    look(client, place(scenario, client, number))


def _page(scenario: Scenario, client: Client, number: int) -> None:
    """One page of history, and then the next one, to its end."""
    where, limit = place(scenario, client, number), 1 + number % 3
    read_pages(client, where, "before" if number % 4 else "after", None if number % 4 else 0, limit)


def read_pages(client: Client, where: str, direction: str, start: int | None, limit: int) -> None:
    """History, page after page."""

    def then(operation: Operation) -> None:
        if operation.outcome == "ok" and operation.value["has_more"] and operation.value["messages"]:
            read_pages(client, where, direction, operation.value["messages"][-1]["seq"], limit)

    query = {"limit": limit, **({} if start is None else {direction: start})}
    client.http(
        "page",
        "GET",
        *("conversations", where, "messages"),
        query=query,
        then=then,
        conversation_id=where,
        direction=direction,
        start=start,
        limit=limit,
    )


def _inbox(_: Scenario, client: Client, number: int) -> None:
    read_inbox(client, 1 + number % 3)


def read_inbox(client: Client, limit: int, cursor: str | None = None) -> None:
    """Page after page."""

    def then(operation: Operation) -> None:
        if operation.outcome == "ok" and operation.value["next_cursor"]:
            read_inbox(client, limit, operation.value["next_cursor"])

    query = {"limit": limit, **({"cursor": cursor} if cursor else {})}
    client.http("inbox", "GET", "conversations", query=query, then=then, limit=limit, cursor=cursor)


def _summary(scenario: Scenario, client: Client, number: int) -> None:
    where = place(scenario, client, number)
    client.http("summary", "GET", "conversations", where, conversation_id=where)


def _members(scenario: Scenario, client: Client, number: int) -> None:
    where = place(scenario, client, number)
    client.http("members", "GET", "conversations", where, "members", conversation_id=where)


def _message(scenario: Scenario, client: Client, number: int) -> None:
    where, seq = place(scenario, client, number), 1 + number // 2 % 6
    client.http("message", "GET", "conversations", where, "messages", seq, conversation_id=where, seq=seq)


def _list(_: Scenario, client: Client, number: int) -> None:
    name = ("contacts", "blocks", "devices", "notifications", "reminders", "me")[number % 6]
    client.http(f"get_{name}", "GET", name)


def _presence(_: Scenario, client: Client, number: int) -> None:
    users = [USERS[number % len(USERS)], USERS[number // 4 % len(USERS)]]
    client.http("presence", "GET", "presence", query={"users": ",".join(users)}, users=users)


def _service(_: Scenario, client: Client, number: int) -> None:
    """What anybody may ask, and what there is not."""
    match number % 4:
        case 0:
            client.http("health", "GET", "health")
        case 3:
            client.http("openapi", "GET", "openapi.json", told=lambda given: given["openapi"])
        case 1:
            client.http("nonsense", "GET", "nothing", wrong="not_found")
        case _:
            client.http("nonsense", "GET", "conversations", query={"cursor": "made-up"}, wrong="bad_request")


ACTIONS: Final[Actions] = {
    "look": (_look, 2),
    "page": (_page, 2),
    "inbox": (_inbox, 3),
    "summary": (_summary, 2),
    "members": (_members, 1),
    "message": (_message, 2),
    "list": (_list, 3),
    "presence": (_presence, 2),
    "service": (_service, 1),
}
