"""Messages about as heavy as they may be: a few bytes of JSON more or less decide."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final

from tests.simulation.operations.acting import EMOJI, Actions, place, text
from tests.simulation.operations.repeating import one_by_one
from tests.simulation.operations.talking import send_over_http

if TYPE_CHECKING:
    from tests.simulation.clients import Client
    from tests.simulation.scenario import Scenario

_ESCAPED: Final = "\u0001"  # takes six bytes
_MOST: Final = (3_000, 4_000, 4_040, 4_060, 4_065, 4_070)


def _heavy(scenario: Scenario, client: Client, number: int) -> None:
    """One, or as many as no single answer can hold; and something is hung onto the last."""
    random = Random(number)
    where = place(scenario, client, number)
    names = [f"{client.name}-heavy-{next(scenario.numbers)}" for _ in range(random.choice((1, 1, 2, 6)))]
    said = [_said(scenario, name, random) for name in names]
    one_by_one(
        scenario,
        [
            *(lambda each=each: send_over_http(client, where, each) for each in said),
            lambda: _react(scenario, client, where, names[-1]),
        ],
    )


def _said(scenario: Scenario, name: str, random: Random) -> dict[str, Any]:
    filled = text(scenario) + _ESCAPED * random.choice(_MOST) + "x" * random.randrange(60)
    return {"content": filled, "client_message_id": name}


def _react(scenario: Scenario, client: Client, where: str, name: str) -> None:
    sent = [one for one in scenario.operations if one.detail.get("client_message_id") == name and one.outcome == "ok"]
    if not sent:
        return
    seq, emoji = sent[0].value, EMOJI[0]
    parts = ("conversations", where, "messages", seq, "reactions", emoji)
    detail: dict[str, Any] = {"conversation_id": where, "seq": seq, "emoji": emoji, "remove": False}
    client.http("react", "PUT", *parts, told=lambda given: given["entry_seq"], **detail)


ACTIONS: Final[Actions] = {"heavy": (_heavy, 0)}
