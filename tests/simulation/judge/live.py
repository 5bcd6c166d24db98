"""Live delivery: who was there gets what happens at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from parley_client.events import Entry as SeenEntry

from shared.domain.text import private_members
from tests.simulation.clients import Client
from tests.simulation.judge.case import Case
from tests.simulation.judge.past import inserted

# A live event takes some dozen steps and a way through a queue. Half a heartbeat is far more, and still shows that it
# was no heartbeat that brought it.
LIVE_MS: Final = 8_000.0
_LONG_S: Final = 60.0


def entries_come_at_once(case: Case) -> Iterator[str]:
    """Who was connected and caught up before an entry was written gets it live, or else at once by the sync it asks."""
    if case.scenario.plan.limits.token_s < _LONG_S:
        return  # a connection whose token has ended is told nothing
    seen = {client.name: _arrivals(client) for client in case.scenario.clients}
    for at, entry in inserted(case.past):
        name, seq = entry.conversation_id, entry.seq
        for client in case.scenario.clients:
            if _was_online(client, at, at + LIVE_MS) and _is_member(case, client.user, name, seq):
                got = seen[client.name].get((name, seq))
                if got is None or got > at + LIVE_MS:
                    yield f"{client.name} got {name}/{seq} of {at:.0f} at {got or 'no time'}, and not live"


def _arrivals(client: Client) -> dict[tuple[str, int], float]:
    found: dict[tuple[str, int], float] = {}
    for when, event in client.seen.events:
        place = _place(event)
        if place is not None:
            found.setdefault(place, when)
    return found


def _place(event: Any) -> tuple[str, int] | None:
    return (event.conversation_id, event.seq) if isinstance(event, SeenEntry) else None


def _is_member(case: Case, user: str, name: str, seq: int) -> bool:
    """Right before the entry, and to this day: who is removed meanwhile hears of that, and no more."""
    private = private_members(name)
    if private is not None:
        return user in private
    told = case.told(name)
    return user in told.before[seq] and all(user in inside for place, inside in told.after.items() if place >= seq)


def _was_online(client: Client, start: float, end: float) -> bool:
    return any(begins <= start and end <= ends for begins, ends in client.online)


AT_ONCE = (entries_come_at_once,)
