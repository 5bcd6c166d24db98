"""From one event to every live connection that should see it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from shared.domain.connections import Connection, PresenceChange, SessionsByUser, live
from shared.domain.entries import Entry, Receipt, Typing
from shared.ports.connections import Gateway, Gone, PostOutcome, Sessions

if TYPE_CHECKING:  # only who sends notices pays for loading what they are
    from shared.domain.pushes import Notice

Event: TypeAlias = "Entry | Receipt | Typing | PresenceChange | Notice"


@dataclass(frozen=True, slots=True)
class Posting:
    """How an event gets to connections: whose they are, the way there, and its bytes."""

    sessions: Sessions
    gateway: Gateway
    encode: Callable[[Event], bytes]


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of one broadcast.

    `sessions` is what was read for it, for callers that need it again; None where nothing had to be read. `gone` are
    users whose last connection turned out to be dead.
    """

    sent: int
    forgotten: int
    failed: int
    sessions: SessionsByUser | None
    gone: tuple[Gone, ...] = ()


NOBODY = Delivered(0, 0, 0, None)


def over(user_id: str, now: int) -> Delivered:
    """Nothing was posted; it turned out that a connection of the user is of no use any more, perhaps the last one."""
    return Delivered(0, 0, 0, None, gone=(Gone(user_id, now),))


def broadcast(event: Event, *, to: Iterable[str], skip: str, posting: Posting, now: int) -> Delivered:
    """Post `event` to every live connection of the users `to`, but for the connection `skip`, which gets the reply.

    Call it after the event is durable: a client registers its connection first and syncs second, so whoever this
    strongly consistent read does not see registers after the append, and finds the event in its sync.
    Connections that are gone are forgotten, unless they are so young that they may still be connecting.
    """
    users = list(to)
    if not users:
        return NOBODY
    known = posting.sessions.of(users)
    connections = [
        connection
        for of_user in known.values()
        for connection in live(of_user, now)
        if connection.connection_id != skip
    ]
    return post(event, connections, known=known, posting=posting, now=now)


def post(
    event: Event,
    connections: Collection[Connection],
    *,
    known: SessionsByUser | None = None,
    posting: Posting,
    now: int,
) -> Delivered:
    """Post `event` to these connections, and forget those that are gone."""
    if not connections:
        return Delivered(0, 0, 0, known)
    targets = {connection.connection_id: connection for connection in connections}
    outcomes = posting.gateway.post(list(targets), posting.encode(event))
    dead = [targets[posted.connection_id] for posted in outcomes if posted.outcome is PostOutcome.GONE]
    forgotten, gone = _forget(dead, posting.sessions, now)
    return Delivered(
        sent=sum(posted.outcome is PostOutcome.SENT for posted in outcomes),
        forgotten=forgotten,
        failed=sum(posted.outcome is PostOutcome.FAILED for posted in outcomes),
        sessions=known,
        gone=gone,
    )


def _forget(connections: Iterable[Connection], sessions: Sessions, now: int) -> tuple[int, tuple[Gone, ...]]:
    dead = [connection for connection in connections if not connection.may_be_connecting(now)]
    gone = []
    for connection in dead:
        result = sessions.remove(connection.user_id, connection.connection_id, now=now)
        if (result.removed is not None or result.just_now) and not live(result.others, now):
            gone.append(Gone(connection.user_id, now))
    return len(dead), tuple(gone)
