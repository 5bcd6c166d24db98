"""A user's live connections, and who stands behind one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

# The gateway closes every connection after two hours, whatever it does.
MAX_LIFETIME_MS: Final = 2 * 60 * 60 * 1_000
# Clients ping about every four minutes; three missed pings mean that nobody is there.
HEARTBEAT_WINDOW_MS: Final = 12 * 60 * 1_000
# While $connect runs, posting to its connection answers 410. The $connect Lambda is given 5 s, so a 410 from a
# connection registered less than that ago is no proof of death.
CONNECTING_MS: Final = 5 * 1_000


@dataclass(frozen=True, slots=True)
class Identity:
    """A verified user. `expires_at` (ms) is the token's: checked again at every frame."""

    user_id: str
    expires_at: int


@dataclass(frozen=True, slots=True)
class Connection:
    """One live connection. Times are milliseconds since the epoch."""

    connection_id: str
    user_id: str
    device_id: str
    connected_at: int
    expires_at: int

    def is_live(self, now: int) -> bool:
        """Stale ones stay stored until somebody looks: every reader filters."""
        return self.expires_at > now

    def may_be_connecting(self, now: int) -> bool:
        return now - self.connected_at < CONNECTING_MS


def opened(connection_id: str, identity: Identity, *, device_id: str, connected_at: int) -> Connection:
    """A connection as it is first registered: it ends with the gateway's two hours or with the token.

    A client that never pings may live that long; one that does is bounded by its heartbeat, too.
    """
    expires_at = min(connected_at + MAX_LIFETIME_MS, identity.expires_at)
    return Connection(connection_id, identity.user_id, device_id, connected_at, expires_at)


def heard_from(connection: Connection, now: int) -> Connection:
    """An `opened` connection after a ping: who pings is expected to go on pinging, so it expires soon if that stops."""
    return replace(connection, expires_at=min(now + HEARTBEAT_WINDOW_MS, connection.expires_at))


def live(connections: Iterable[Connection], now: int) -> list[Connection]:
    return [connection for connection in connections if connection.is_live(now)]


@dataclass(frozen=True, slots=True)
class Registered:
    """The connection is stored. `others` are the user's connections beside it, stale ones included."""

    others: Sequence[Connection]


@dataclass(frozen=True, slots=True)
class LimitReached:
    """Nothing was stored: the user has this many connections already."""

    current: Sequence[Connection]


@dataclass(frozen=True, slots=True)
class Removed:
    """`removed` is None where the connection was not there (any more)."""

    removed: Connection | None
    others: Sequence[Connection]


SessionsByUser = Mapping[str, Sequence[Connection]]
