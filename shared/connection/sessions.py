"""Opening, keeping and closing connections, with exactly one "came online" and "went offline" per transition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from shared.connection.models import (
    HEARTBEAT_WINDOW_MS,
    Connection,
    LimitReached,
    Registered,
    heard_from,
    live,
)
from shared.connection.ports import Gateway, Sessions
from shared.errors import Unavailable

_MAX_ATTEMPTS: Final = 10


@dataclass(frozen=True, slots=True)
class Opened:
    """`came_online`: the user had no live connection before. `evicted`: closed in favour of this one."""

    came_online: bool
    evicted: Sequence[Connection]


def open_connection(
    connection: Connection,
    *,
    limit: int,
    sessions: Sessions,
    gateway: Gateway,
    farewell: bytes,
    now: int,
) -> Opened:
    """Register a connection; at the limit its user's stale ones go first, then the oldest.

    `farewell` is the frame an evicted connection is sent before it is closed, since closing can't say why.
    Raises Unavailable where the user's connections change faster than they can be counted.
    """
    drop: list[Connection] = []
    for _ in range(_MAX_ATTEMPTS):
        result = sessions.register(connection, limit=limit, drop=[stale.connection_id for stale in drop])
        if isinstance(result, Registered):
            evicted = live(drop, now)
            for old in evicted:
                gateway.post([old.connection_id], farewell)
                gateway.close(old.connection_id)
            return Opened(came_online=not live(result.others, now), evicted=evicted)
        drop = _to_drop(result, connection, limit=limit, now=now)
    raise Unavailable("Too many connections open at once: try again")


def _to_drop(full: LimitReached, newcomer: Connection, *, limit: int, now: int) -> list[Connection]:
    """All stale connections, and of the living the oldest, until there is room for one more."""
    current = [connection for connection in full.current if connection.connection_id != newcomer.connection_id]
    living = sorted(live(current, now), key=lambda connection: connection.connected_at)
    stale = [connection for connection in current if not connection.is_live(now)]
    return stale + living[: max(0, len(living) - limit + 1)]


def keep_alive(
    connection: Connection, *, limit: int, sessions: Sessions, gateway: Gateway, farewell: bytes, now: int
) -> Opened:
    """Note that the connection is alive, and register it again should it be missing: one write."""
    return open_connection(
        heard_from(connection, now), limit=limit, sessions=sessions, gateway=gateway, farewell=farewell, now=now
    )


def ensure_registered(
    connection: Connection,
    known: Sequence[Connection],
    *,
    register: Callable[[Connection], object],
    now: int,
) -> None:
    """Register a connection that its user's session lacks, or that is about to expire though it just spoke.

    For callers that have read the session anyway: healing costs a write only where there is something to heal.
    """
    stored = next((one for one in known if one.connection_id == connection.connection_id), None)
    refreshed = heard_from(connection, now)
    if stored is None:
        register(connection)
    elif stored.expires_at < min(refreshed.expires_at, now + HEARTBEAT_WINDOW_MS // 2):
        register(refreshed)


@dataclass(frozen=True, slots=True)
class Closed:
    """`went_offline`: this was the user's last live connection."""

    went_offline: bool


def close_connection(user_id: str, connection_id: str, *, sessions: Sessions, now: int) -> Closed:
    """Forget a connection that is over. Late and repeated calls remove nothing else and announce nothing."""
    result = sessions.remove(user_id, connection_id, now=now)
    was_live = result.removed is not None and result.removed.is_live(now)
    return Closed(went_offline=was_live and not live(result.others, now))
