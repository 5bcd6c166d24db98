"""One user floods, on several connections, while others chat as if nothing was."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.e2e.raw_client import RawClient, new_users
from tests.load.crowd import dial, hang_up, is_open
from tests.load.load_run import Ended, LoadRun

_AT_ONCE = 40
_TOLD = {"type": "disconnect", "code": "rate_limited", "reconnect": False}


@dataclass
class Pair:
    """Two who talk by turns, and how far they are."""

    names: tuple[str, str]
    clients: tuple[RawClient, RawClient]
    turns: int = 0


async def flood(load_run: LoadRun, *, pairs: int, connections: int = 2) -> None:
    """The flooder is told to wait, and for how long; at last each of its connections is closed. It may come again.

    Beside each burst `pairs` take a turn: nothing of theirs is refused, comes twice, or out of order.
    """
    flooder, victim, *chatters = new_users(2 * pairs + 2)
    talking = [await _pair(load_run, *names) for names in zip(chatters[::2], chatters[1::2], strict=True)]
    flooding = await asyncio.gather(*(dial(load_run, flooder) for _ in range(connections)))
    while remaining := [client for client in flooding if client is not None and is_open(client)]:
        bursts = (_shoot(load_run, client, victim, number) for client in remaining for number in range(_AT_ONCE))
        await asyncio.gather(*bursts, *(_turn(load_run, pair) for pair in talking))
    for client in filter(None, flooding):
        load_run.check(_TOLD in client.events, f"the flooder was told {client.events[-1:]}")
    for pair in talking:
        await _turn(load_run, pair)
        check_heard(load_run, pair)
        await hang_up(pair.clients)
    await _come_again(load_run, flooder, victim)


async def _shoot(load_run: LoadRun, client: RawClient, victim: str, number: int) -> None:
    """A frame without a thought. A client that asks for presences goes over a limit on the slowest of machines."""
    kind, fields = ("presence", {"users": [victim]}) if number % 2 else ("message", {"to": victim, "content": "spam"})
    try:
        reply = await load_run.call(client, kind, **fields)
    except Ended:
        return
    if not reply["success"]:
        is_right = reply["code"] == "rate_limited" and reply["retryable"] and reply["retry_after_ms"] > 0
        load_run.check(is_right, f"the flooder was answered {reply}")


async def _come_again(load_run: LoadRun, flooder: str, victim: str) -> None:
    """Sent away is not shut out: a client that waits as long as it is told is served."""
    client = await dial(load_run, flooder)
    assert client is not None
    while not (reply := await load_run.call(client, "message", to=victim, content="sorry"))["success"]:
        load_run.check(reply["code"] == "rate_limited", f"who came again was answered {reply['code']}")
        await asyncio.sleep(reply["retry_after_ms"] / 1_000)  # what is told is how long to wait
    await hang_up([client])


# --- the others


async def _pair(load_run: LoadRun, one: str, other: str) -> Pair:
    clients = await asyncio.gather(dial(load_run, one), dial(load_run, other))
    assert clients[0] is not None
    assert clients[1] is not None
    return Pair((one, other), (clients[0], clients[1]))


async def _turn(load_run: LoadRun, pair: Pair) -> None:
    """One says something, and the other has heard it."""
    seq, turn = pair.turns + 1, pair.turns % 2
    speaker, listener = pair.clients[turn], pair.clients[1 - turn]
    fields: dict[str, Any] = {"to": pair.names[1 - turn], "content": f"turn {seq}", "after": seq - 1}
    ack = await load_run.ask(speaker, "message", client_message_id=str(seq), **fields)
    load_run.check(ack["seq"] == seq, f"turn {seq} was acknowledged at {ack['seq']}")
    load_run.check_new(ack)
    await listener.until(lambda: seq in _order(listener))
    await load_run.ask(listener, "delivered", conversation_id=ack["conversation_id"], seq=seq)
    pair.turns = seq


def check_heard(load_run: LoadRun, pair: Pair) -> None:
    for number, client in enumerate(pair.clients):
        expected = list(range(2 - number, pair.turns + 1, 2))
        load_run.check(_order(client) == expected, f"{_order(client)} was heard of {pair.turns} turns")


def _order(client: RawClient) -> Sequence[int]:
    """Places in the order of their first coming: a second look may have brought one once more."""
    return list(dict.fromkeys(event["seq"] for event in client.of_type("new_message")))
