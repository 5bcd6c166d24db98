"""From one event to every live connection that should see it."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from shared.domain.connections import (
    NOBODY,
    Connection,
    Delivered,
    Gone,
    PostOutcome,
    SessionsByUser,
    live,
    unregistered,
)
from shared.errors import ParleyError
from shared.ports.connections import Sessions
from shared.ports.services import Event, PresenceServices, Services
from shared.ports.stores import SessionStores


def report(delivered: Delivered, *, services: Services) -> None:
    """Count posts that failed, and have it checked whether users whose last connection was dead are offline."""
    if delivered.failed:
        services.observer.count("PostsFailed", delivered.failed)
    for gone in delivered.gone:
        check_presence(gone, services=services)


def settle(delivered: Delivered, connection: Connection | None, *, services: Services, now: int) -> Connection | None:
    """Report a broadcast's outcome, and look at the session of who made it, which was read for it anyway.

    Returns that `connection` where it has to be registered again: it is missing there, or about to expire.
    """
    report(delivered, services=services)
    if connection is None or delivered.sessions is None:
        return None
    return unregistered(connection, delivered.sessions, now)


def check_presence(gone: Gone, *, services: Services) -> None:
    """Have it checked whether a user is offline. Where that can't be queued nobody is told; who asks sees the truth."""
    try:
        services.presence_checks.schedule(gone)
    except ParleyError:
        services.observer.count("PresenceChecksFailed")


def over(user_id: str, now: int) -> Delivered:
    """Nothing was posted; it turned out that a connection of the user is of no use any more, perhaps the last one."""
    return Delivered(0, 0, 0, None, gone=(Gone(user_id, now),))


def broadcast(
    event: Event, *, to: Iterable[str], skip: str, stores: SessionStores, services: PresenceServices, now: int
) -> Delivered:
    """Post `event` to every live connection of the users `to`, but for the connection `skip`, which gets the reply.

    Call it after the event is durable: a client registers its connection first and syncs second, so whoever this
    strongly consistent read does not see registers after the append, and finds the event in its sync.
    Connections that are gone are forgotten, unless they are so young that they may still be connecting.
    """
    users = list(to)
    if not users:
        return NOBODY
    known = stores.sessions.of(users)
    connections = [
        connection
        for of_user in known.values()
        for connection in live(of_user, now)
        if connection.connection_id != skip
    ]
    return post(event, connections, known=known, stores=stores, services=services, now=now)


def post(
    event: Event,
    connections: Collection[Connection],
    *,
    known: SessionsByUser | None = None,
    stores: SessionStores,
    services: PresenceServices,
    now: int,
) -> Delivered:
    """Post `event` to these connections, and forget those that are gone."""
    if not connections:
        return Delivered(0, 0, 0, known)
    targets = {connection.connection_id: connection for connection in connections}
    outcomes = services.gateway.post(list(targets), services.encode(event))
    dead = [targets[posted.connection_id] for posted in outcomes if posted.outcome is PostOutcome.GONE]
    forgotten, gone = _forget(dead, stores.sessions, now)
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
