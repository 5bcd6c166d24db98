"""Opening, keeping and closing connections, with exactly one "came online" and "went offline" per transition."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

from shared.domain.bans import FOREVER
from shared.domain.connections import (
    EVICTED,
    ONLINE,
    REVOKED,
    Barred,
    Closing,
    Connection,
    Gone,
    Registered,
    Session,
    live,
)
from shared.errors import Banned, Revoked, Unavailable

if TYPE_CHECKING:  # a disconnect loads nothing of them
    from shared.ports.services import PresenceServices
    from shared.ports.stores import PresenceStores, SessionStores

_MAX_ATTEMPTS: Final = 10
# A handshake is over by then, repetitions of its calls included.
_HANDSHAKE_MS: Final = 30_000


@dataclass(frozen=True, slots=True)
class Opened:
    """`came_online`: none was live before. `evicted`: closed for this one. `announce`: watchers have to be told."""

    came_online: bool
    evicted: Sequence[Connection]
    announce: bool = False


def open_connection(
    connection: Connection, *, limit: int, stores: PresenceStores, services: PresenceServices, now: int
) -> Opened:
    """Register a connection; at the limit its user's stale ones go first, then the oldest, which is told why.

    In a large group that its user is listed in it becomes an attendee, before its client can sync.
    Raises Unavailable where the user's connections change faster than they can be counted, Banned and Revoked for whom
    an administrator keeps out: the write itself says so.
    """
    drop: list[Connection] = []
    dropped: list[Connection] = []
    for _ in range(_MAX_ATTEMPTS):
        result = stores.sessions.register(connection, limit=limit, drop=[stale.connection_id for stale in drop])
        if isinstance(result, Registered):
            if result.large_groups:
                stores.attendance.enter(connection, result.large_groups)
            evicted = live([*dropped, *drop], now)
            for old in evicted:
                services.gateway.post([old.connection_id], services.encode(EVICTED))
                services.gateway.close(old.connection_id)
            came_online = not live(result.others, now)
            # Or this registration met itself, and others came in between, who told no one. Twice does no harm.
            is_news = came_online or (result.shown is None and now - connection.connected_at < _HANDSHAKE_MS)
            before = Session(result.others, result.last_seen, result.hidden, result.shown)
            # A reconnect within the grace period leaves no trace. Who decayed is told of once more.
            announce = is_news and not result.hidden and not before.is_just_away(now)
            return Opened(came_online, evicted, announce)
        if isinstance(result, Barred):
            refuse(result)
        there = {one.connection_id: one for one in result.current}
        if connection.connection_id in there:  # by the last attempt, whose answer was lost: these are gone with it
            dropped += [one for one in drop if one.connection_id not in there]
            # Or a later token was shown meanwhile, side by side with this one.
            stored = there[connection.connection_id]
            connection = connection.extended(stored.authenticated_until).with_token_of(stored.issued_at)
        drop = _to_drop(result.current, connection, limit=limit, now=now)
    raise Unavailable("Too many connections open at once: try again")


def refuse(barred: Barred) -> NoReturn:
    """Raises Banned or Revoked."""
    if barred.until is None:
        raise Revoked
    raise Banned(until=None if barred.until == FOREVER else barred.until)


def _to_drop(there: Sequence[Connection], newcomer: Connection, *, limit: int, now: int) -> list[Connection]:
    """All stale connections, and of the living the oldest, until there is room for one more."""
    current = [connection for connection in there if connection.connection_id != newcomer.connection_id]
    living = sorted(live(current, now), key=lambda connection: connection.connected_at)
    stale = [connection for connection in current if not connection.is_live(now)]
    return stale + living[: max(0, len(living) - limit + 1)]


def ends_soon(connection: Connection, *, within_ms: int, now: int) -> Gone | None:
    """What is to be looked after at the connection's end, if that is so near.

    A token that ends makes no sound: the connection stays, its client may never send another frame, and those who watch
    the user would think that they are online for as long as the gateway keeps it.
    """
    is_near = now < connection.expires_at <= now + within_ms
    return Gone(connection.user_id, connection.expires_at) if is_near else None


def close_connection(user_id: str, connection_id: str, *, stores: SessionStores, now: int) -> bool:
    """Forget a connection that is over. Returns whether its user went offline. Late and repeated calls do nothing else.

    They did where no live connection is left, and those who watch were last told that there is one: what counts is not
    whether this connection was live. Its token may have ended before it did, and who removed it first may have died.
    """
    result = stores.sessions.remove(user_id, connection_id, now=now)
    return result.shown == ONLINE and not live(result.others, now)


def live_connections(user_id: str, *, stores: SessionStores, now: int) -> list[Connection]:
    """A user's live connections, the oldest first."""
    connections = live(stores.sessions.of([user_id]).get(user_id, ()), now)
    return sorted(connections, key=lambda connection: (connection.connected_at, connection.connection_id))


def close_all(user_id: str, *, stores: SessionStores, services: PresenceServices, now: int) -> int:
    """Close every connection of a user, each after it was told why. Returns how many were live."""
    connections = stores.sessions.of([user_id]).get(user_id, ())
    return close_these(connections, REVOKED, stores=stores, services=services, now=now)


def close_these(
    connections: Sequence[Connection], why: Closing, *, stores: SessionStores, services: PresenceServices, now: int
) -> int:
    """Close and forget connections, the living after they were told why. Returns how many those were."""
    living = live(connections, now)
    if living:
        services.gateway.post([connection.connection_id for connection in living], services.encode(why))
    for connection in connections:
        services.gateway.close(connection.connection_id)
        stores.sessions.remove(connection.user_id, connection.connection_id, now=now)
    return len(living)
