"""From one event to every live connection that should see it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from shared.domain.connections import NOBODY, Connection, Delivered, Gone, PostOutcome, SessionsByUser, live
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
    return connection.missing_in(delivered.sessions, now)


def check_presence(gone: Gone, *, services: Services) -> None:
    """Have it checked whether a user is offline. Where that can't be queued no one is told; who asks sees the truth."""
    try:
        services.presence_checks.schedule(gone)
    except Exception as error:  # noqa: BLE001  # whatever it is, what it comes after has succeeded
        services.observer.failed("presence check not queued", error)
        services.observer.count("PresenceChecksFailed")


def broadcast(
    event: Event, *, to: Iterable[str], skip: str, stores: SessionStores, services: PresenceServices, now: int
) -> Delivered:
    """Post `event` to every live connection of the users `to`, but for the connection `skip`, which gets the reply.

    Call it after the event is durable: a client registers its connection first and syncs second, so a client that this
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
        return Delivered(known)
    targets = {connection.connection_id: connection for connection in connections}
    outcomes = services.gateway.post(list(targets), services.encode(event))
    dead = [targets[posted.connection_id] for posted in outcomes if posted.outcome is PostOutcome.GONE]
    failed = sum(posted.outcome is PostOutcome.FAILED for posted in outcomes)
    forgotten = tuple(one for one in dead if not one.may_be_connecting(now))
    gone = tuple(_forget(forgotten, stores.sessions, now))
    return Delivered(known, failed, gone, forgotten, len(outcomes) - len(dead) - failed)


def _forget(connections: Iterable[Connection], sessions: Sessions, now: int) -> Iterator[Gone]:
    for connection in connections:
        result = sessions.remove(connection.user_id, connection.connection_id, now=now)
        if (result.removed is not None or result.just_now) and not live(result.others, now):
            yield Gone(connection.user_id, now)
