"""Those who moderate: shadow bans, words that are held or refused, decisions about what is held, and removals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.simulation.history import Operation
from tests.simulation.operations.acting import Actions, place, text
from tests.simulation.operations.talking import send_over_http
from tests.simulation.places import USERS
from tests.simulation.screens import BLOCKED_WORD, HELD_WORD

if TYPE_CHECKING:
    from tests.simulation.clients import Client
    from tests.simulation.scenario import Scenario

MODERATORS: Final = ("server", "moderator")
# Whom it is done to: mostly those who have devices in every history.
_MEANT: Final = ("bob", "bob", "bob", "carol", "alice")
_LOOK_AGAIN_MS: Final = 900.0


def _shadow_ban(_: Scenario, client: Client, number: int) -> None:
    """By the team's server; a user can't, nor who moderates."""
    user, by = _MEANT[number % len(_MEANT)], (None, "moderator", *["server"] * 8)[number % 10]
    client.http("shadow_ban", "PUT", "users", user, "shadow-ban", body={"reason": "spam"}, by=by, member=user)


def _lift(_: Scenario, client: Client, number: int) -> None:
    user = _MEANT[number % len(_MEANT)]
    client.http("lift_shadow_ban", "DELETE", "users", user, "shadow-ban", by="server", member=user)


def _send_words(scenario: Scenario, client: Client, number: int) -> None:
    """Something with a word of a list: over the connection, by HTTP with an id, or without one."""
    word = BLOCKED_WORD if number % 5 == 0 else HELD_WORD
    where, content = place(scenario, client, number), f"{text(scenario)} {word}"
    match number // 5 % 3:
        case 0:
            client.send(content, where=where)
        case 1:
            name = f"{client.name}-words-{next(scenario.numbers)}"
            send_over_http(client, where, {"content": content, "client_message_id": name})
        case _:
            parts = ("conversations", where, "messages")
            client.http(
                *("post", "POST"),
                *parts,
                body={"content": content},
                told=lambda given: given.get("seq"),
                conversation_id=where,
                content=content,
            )


def _decide(_: Scenario, client: Client, number: int) -> None:
    """Some of what waits, as two people do who look at the same list."""
    by = MODERATORS[number % 2]

    def listed(operation: Operation) -> None:
        waiting = operation.value["held"] if operation.outcome == "ok" else []
        for index, one in enumerate(waiting):
            if (number // 2 + index) % 4 == 3:
                continue  # left for somebody else
            decision = "approve" if (number // 8 + index) % 3 else "reject"
            decide(client, one["id"], decision, by)

    client.http("list_held", "GET", "held", by=by, then=listed)


def decide(client: Client, held_id: str, decision: str, by: str) -> None:
    body = {"decision": decision, "reason": "some reason"}
    parts = ("held", held_id, "decision")
    client.http("decide_held", "POST", *parts, body=body, by=by, held_id=held_id, decision=decision)


def _list_held(_: Scenario, client: Client, number: int) -> None:
    """By a user, who may not."""
    client.http("list_held", "GET", "held", by=None if number % 2 else "moderator")


def _remove_all(scenario: Scenario, client: Client, number: int) -> None:
    """All that a user has written; and then a look at how far that is."""
    user, by = _MEANT[number % len(_MEANT)], (None, *["moderator"] * 6)[number % 7]

    def look() -> None:
        client.http("removal", "GET", "users", user, "removal", by="server", member=user)

    client.http("remove_all", "POST", "users", user, "removal", by=by, member=user)
    for number_of_look in (1, 2, 4):
        scenario.hub.after(_LOOK_AGAIN_MS * number_of_look, look)


def _export(scenario: Scenario, client: Client, number: int) -> None:
    user = USERS[number % 3]

    def look() -> None:
        client.http("exported", "GET", "users", user, "export", by="server", member=user)

    client.http("export", "POST", "users", user, "export", by="server", member=user)
    scenario.hub.after(_LOOK_AGAIN_MS, look)


def _report(scenario: Scenario, client: Client, number: int) -> None:
    """One that may be hidden from whoever reports it."""
    where = place(scenario, client, number)
    body: dict[str, Any] = {"conversation_id": where, "seq": 1 + number // 2 % 8, "reason": "spam"}
    client.http("report", "POST", "reports", body=body, **body)


ACTIONS: Final[Actions] = {
    "shadow_ban": (_shadow_ban, 0),
    "lift_shadow_ban": (_lift, 0),
    "send_words": (_send_words, 0),
    "decide_held": (_decide, 0),
    "list_held": (_list_held, 0),
    "remove_all": (_remove_all, 0),
    "export": (_export, 0),
    "report": (_report, 0),
}
