"""What is done to messages: edits, deletions, reactions, and reading them; over connections and by HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from parley_client.changes import ChangeKind

from tests.simulation.operations.acting import EMOJI, Actions, other, place, text

if TYPE_CHECKING:
    from tests.simulation.clients import Client
    from tests.simulation.scenario import Scenario

_OVER_HTTP: Final = 3  # every third


def _entry_seq(given: Any) -> Any:
    return given["entry_seq"]


def _change(kind: ChangeKind, **fields: Callable[[Scenario, int], Any]) -> Callable[[Scenario, Client, int], None]:
    def act(scenario: Scenario, client: Client, number: int) -> None:
        where = place(scenario, client, number)
        messages = client.messages(where, own=kind != "react" and number % 5 != 0)
        if not messages:
            return
        made = {name: make(scenario, number) for name, make in fields.items()}
        given = {name: value for name, value in made.items() if value is not ...}
        seq = messages[-1 - number // 2 % len(messages)].seq
        if number % _OVER_HTTP:
            client.change(kind, where, seq, **given)
        else:
            _over_http(client, kind, where, seq, given)

    return act


def _over_http(client: Client, kind: str, where: str, seq: int, given: dict[str, Any]) -> None:
    parts: tuple[object, ...] = ("conversations", where, "messages", seq)
    detail = {"conversation_id": where, "seq": seq, **given}
    if kind == "edit":
        client.http(kind, "PATCH", *parts, body=given, told=_entry_seq, **detail)
    elif kind == "delete":
        client.http(kind, "DELETE", *parts, told=_entry_seq, **detail)
    else:
        method = "DELETE" if given["remove"] else "PUT"
        client.http(kind, method, *parts, "reactions", given["emoji"], told=_entry_seq, **detail)


def _moderate(scenario: Scenario, client: Client, number: int) -> None:
    """Take off another's reaction."""
    where, user = place(scenario, client, number), other(client, number)
    messages = client.messages(where)
    if not messages:
        return
    seq, emoji = messages[-1 - number // 2 % len(messages)].seq, EMOJI[number % 2]
    parts = ("conversations", where, "messages", seq, "reactions", emoji)
    detail: dict[str, Any] = {"conversation_id": where, "seq": seq, "emoji": emoji, "remove": True, "owner": user}
    client.http("take_off", "DELETE", *parts, query={"user_id": user}, told=_entry_seq, **detail)


def _read(_: Scenario, client: Client, number: int) -> None:
    where = place(_, client, number)
    held = client.core.held(where)
    if held:
        client.read(where, max(1, held - number % 3))


def _note_read(scenario: Scenario, client: Client, number: int) -> None:
    """Without waiting: with the next message, which may come at once, or be typed for a while."""
    where = place(scenario, client, number)
    held = client.core.held(where)
    if not held:
        return
    client.note_read(where, max(1, held - number % 3))
    if number % 4 == 0:
        typing = {"conversation_id": where, "active": number % 8 == 0}
        client.frame("typing", "typing", typing, **typing)
    if number % 4 == 1:
        client.send(text(scenario), where=where)


def _read_over_http(scenario: Scenario, client: Client, number: int) -> None:
    """As a server does it for its user: beside whatever their devices say. Sometimes beyond what there is."""
    where = place(scenario, client, number)
    seq = 1 + number // 2 % max(2, (client.core.held(where) or 0) + (number % 10 == 0))
    client.http(
        "read",
        "POST",
        *("conversations", where, "read"),
        body={"seq": seq},
        told=lambda given: given["seq"],
        conversation_id=where,
        seq=seq,
    )


def _type(scenario: Scenario, client: Client, number: int) -> None:
    where, active = place(scenario, client, number), number % 3 > 0
    client.frame("typing", "typing", {"conversation_id": where, "active": active}, conversation_id=where, active=active)


def _data(_: Scenario, number: int) -> Any:
    """Half of the edits leave it as it is."""
    return {1: {"edited": number}, 2: None}.get(number % 4, ...)


ACTIONS: Final[Actions] = {
    "edit": (_change("edit", content=lambda scenario, _: text(scenario), data=_data), 2),
    "delete": (_change("delete"), 1),
    "react": (_change("react", emoji=lambda _, number: EMOJI[number % 2], remove=lambda _, number: number % 5 == 0), 2),
    "moderate": (_moderate, 1),
    "read": (_read, 3),
    "note_read": (_note_read, 3),
    "read_over_http": (_read_over_http, 2),
    "type": (_type, 2),
}
