"""At the end, when all is quiet, one user reads everything there is: each answer has one right content then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.simulation.operations import reading

if TYPE_CHECKING:
    from tests.simulation.clients import Client
    from tests.simulation.scenario import Scenario

_SHARE: Final = 3  # one history of so many, and every long one
_LONG: Final = 20
_ANSWER_MS: Final = 150.0
_MOST_ROUNDS: Final = 60
_MOST_READ: Final = 3  # conversations


@dataclass(slots=True)
class Round:
    """A sync from what a client says to hold, played to its end. `held` is what it said first, `got` what came to it.

    `heads` are the conversations that it learned of, each as often as it came; `refused` those that it is not in.
    `over` is when that was.
    """

    client: Client
    held: Mapping[str, int]
    got: dict[str, list[int]] = field(default_factory=dict)
    heads: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    is_over: bool = False
    over: float = 0.0


def look_round(scenario: Scenario) -> None:
    """In some histories, and as that history's number says."""
    number = scenario.plan.seed
    if number % _SHARE and len(scenario.plan.actions) < _LONG:
        return
    client = scenario.client(number // _SHARE)
    rows = [row for row in scenario.store.items("members") if row["sk"].startswith("conversation#")]
    names = sorted(row["conversation_id"] for row in rows if row["user_id"] == client.user)
    reading.read_inbox(client, 1 + number % 3)
    for place, name in enumerate(names[:_MOST_READ]):
        direction, start = ("after", 0) if (number + place) % 2 else ("before", None)
        reading.read_pages(client, name, direction, start, 1 + (number + place) % 3)
        for kind, parts in (("summary", ()), ("members", ("members",))):
            client.http(kind, "GET", "conversations", name, *parts, conversation_id=name)
        seq = 1 + number % 5
        client.http("message", "GET", "conversations", name, "messages", seq, conversation_id=name, seq=seq)
    scenario.hub.run(scenario.hub.now + _ANSWER_MS)
    if client.core.connection == "online":
        heads = scenario.heads()
        held = {name: min(heads.get(name, 0), number % 4) for place, name in enumerate(names) if (number + place) % 3}
        scenario.rounds.append(_play(scenario, Round(client, {**held, "group:ffffffffffffffff": 1})))


def _play(scenario: Scenario, one: Round) -> Round:
    held, cursor = dict(one.held), None
    for _ in range(_MOST_ROUNDS):
        fields: dict[str, Any] = {"conversations": dict(held), **({} if cursor is None else {"cursor": cursor})}
        asked = one.client.frame("sync", "sync", fields)
        scenario.hub.run(scenario.hub.now + _ANSWER_MS)
        if asked.outcome != "ok":
            return one
        for shown in asked.value["conversations"]:
            seqs = [entry["seq"] for entry in shown["entries"]]
            if shown["id"] in held:
                one.got.setdefault(shown["id"], []).extend(seqs)
                held[shown["id"]] = max([held[shown["id"]], *seqs])
            else:
                one.heads.append(shown["id"])
                held[shown["id"]] = shown["head"]
        one.refused |= set(asked.value.get("refused", ()))
        held = {name: seq for name, seq in held.items() if name not in one.refused}
        cursor = asked.value.get("next_cursor")
        if not (asked.value["has_more"] or any(shown["has_more"] for shown in asked.value["conversations"])):
            one.is_over, one.over = True, scenario.hub.now
            return one
    return one
