"""Ways into the group: openly, on request, by links for a few; what newcomers see; and pins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.simulation.history import Operation
from tests.simulation.operations.acting import Actions, place
from tests.simulation.places import GROUP

if TYPE_CHECKING:
    from tests.simulation.clients import Client
    from tests.simulation.scenario import Scenario

_TERMS: Final = ({"history": "from_joining"}, {"join": "open"}, {"join": "request"}, {"history": "all"})


def _govern(_: Scenario, client: Client, number: int) -> None:
    by, terms = ("alice" if number % 5 else None), _TERMS[number // 5 % len(_TERMS)]
    client.http("govern", "PATCH", "conversations", GROUP, body=terms, by=by, conversation_id=GROUP, terms=terms)


def _hide_the_past(_: Scenario, client: Client, __: int) -> None:
    terms = _TERMS[0]
    client.http("govern", "PATCH", "conversations", GROUP, body=terms, by="alice", conversation_id=GROUP, terms=terms)


def _make_link(scenario: Scenario, client: Client, number: int) -> None:
    """For one, or for two."""
    most = 1 + number % 2

    def made(operation: Operation) -> None:
        if operation.outcome == "ok":
            scenario.links.append(operation.value["token"])

    body = {"max_uses": most}
    client.http("make_link", "POST", "conversations", GROUP, "invites", body=body, by="alice", then=made, most=most)


def _come_by_link(scenario: Scenario, client: Client, number: int) -> None:
    """Most of those who are not in it yet, at once."""
    if not scenario.links:
        return
    token = scenario.links[-1 - number % len(scenario.links)]
    for user in ("dave", "mallory", "erin", "frank")[: 1 + number // 3 % 4]:
        client.http("come_by_link", "POST", "invites", token, by=user, token=token)


def _come_in(_: Scenario, client: Client, number: int) -> None:
    user = ("dave", "mallory", "carol")[number % 3]
    client.http("come_in", "PUT", "conversations", GROUP, "members", user, by=user, member=user)


def _let_in(_: Scenario, client: Client, number: int) -> None:
    """By two who look at the same requests."""

    def listed(operation: Operation) -> None:
        for one in operation.value["requests"] if operation.outcome == "ok" else []:
            user, status = one["user_id"], "accepted" if number % 4 else "declined"
            parts = ("conversations", GROUP, "requests", user)
            client.http("let_in", "PATCH", *parts, body={"status": status}, by="alice", member=user, status=status)

    client.http("list_requests", "GET", "conversations", GROUP, "requests", by="alice", then=listed)


def _read_as_newcomer(_: Scenario, client: Client, number: int) -> None:
    """By HTTP, which needs no device."""
    user, seq = ("dave", "mallory", "erin")[number % 3], 1 + number // 3 % 9
    parts = ("conversations", GROUP, "messages")
    client.http("look_around", "GET", *parts, query={"limit": 50, "notices": "true"}, by=user)
    client.http("look_around", "GET", *parts, seq, by=user)
    client.http("look_around", "GET", "conversations", by=user)
    client.http("look_around", "GET", "conversations", GROUP, "pins", by=user)


def _pin(scenario: Scenario, client: Client, number: int) -> None:
    where = place(scenario, client, number)
    messages = client.messages(where)
    if messages:
        seq, method = messages[-1 - number // 4 % len(messages)].seq, "DELETE" if number % 4 == 0 else "PUT"
        client.http("pin", method, "conversations", where, "pins", seq, conversation_id=where, seq=seq)


def _list_pins(scenario: Scenario, client: Client, number: int) -> None:
    where = place(scenario, client, number)
    client.http("list_pins", "GET", "conversations", where, "pins", conversation_id=where)


ACTIONS: Final[Actions] = {
    "govern": (_govern, 0),
    "hide_the_past": (_hide_the_past, 0),
    "make_link": (_make_link, 0),
    "come_by_link": (_come_by_link, 0),
    "come_in": (_come_in, 0),
    "let_in": (_let_in, 0),
    "read_as_newcomer": (_read_as_newcomer, 0),
    "pin": (_pin, 0),
    "list_pins": (_list_pins, 0),
}
