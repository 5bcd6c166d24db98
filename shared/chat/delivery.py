"""From one event to every live connection that should see it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from shared.chat.models import Entry, Receipt
from shared.connection.models import Connection, SessionsByUser, live
from shared.connection.ports import Gateway, PostOutcome, Sessions

Event = Entry | Receipt


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of one broadcast. `sessions` is what was read for it, for callers that need it again."""

    sent: int
    forgotten: int
    failed: int
    sessions: SessionsByUser


def broadcast(
    event: Event,
    *,
    to: Iterable[str],
    skip: str,
    sessions: Sessions,
    gateway: Gateway,
    encode: Callable[[Event], bytes],
    now: int,
) -> Delivered:
    """Post `event` to every live connection of the users `to`, but for the connection `skip`, which gets the reply.

    Call it after the event is durable: a client registers its connection first and syncs second, so whoever this
    strongly consistent read does not see registers after the append, and finds the event in its sync.
    Connections that are gone are forgotten, unless they are so young that they may still be connecting.
    """
    known = sessions.of(list(to))
    targets = {
        connection.connection_id: connection
        for connections in known.values()
        for connection in live(connections, now)
        if connection.connection_id != skip
    }
    if not targets:
        return Delivered(0, 0, 0, known)
    outcomes = gateway.post(list(targets), encode(event))
    gone = [targets[posted.connection_id] for posted in outcomes if posted.outcome is PostOutcome.GONE]
    return Delivered(
        sent=sum(posted.outcome is PostOutcome.SENT for posted in outcomes),
        forgotten=_forget(gone, sessions, now),
        failed=sum(posted.outcome is PostOutcome.FAILED for posted in outcomes),
        sessions=known,
    )


def _forget(gone: Iterable[Connection], sessions: Sessions, now: int) -> int:
    dead = [connection for connection in gone if not connection.may_be_connecting(now)]
    for connection in dead:
        sessions.remove(connection.user_id, connection.connection_id, now=now)
    return len(dead)
