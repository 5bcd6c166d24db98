"""A user's live connections, and who stands behind one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Final, Literal

Status = Literal["online", "offline"]
ONLINE: Final = "online"
OFFLINE: Final = "offline"

ADMIN: Final = "admin"
# The scope that takes away: docs/adr/0054-guests.md.
GUEST: Final = "guest"
# Of a token, wherever it comes: longer ones are refused before they are looked at.
MAX_TOKEN_CHARACTERS: Final = 8_192
# The gateway closes every connection after two hours, whatever it does.
MAX_LIFETIME_MS: Final = 2 * 60 * 60 * 1_000
# Clients ping about every four minutes; three missed pings mean that its client is gone.
HEARTBEAT_WINDOW_MS: Final = 12 * 60 * 1_000
# The longest that a queue can wait, and so the furthest ahead that a connection's end can be looked after.
FORESIGHT_MS: Final = 15 * 60 * 1_000
# In what is left of a connection by then, a client pings once more.
LAST_PING_MS: Final = 5 * 60 * 1_000
# The longest that a deployment can wait before it announces that a user went offline.
MAX_GRACE_MS: Final = 15 * 60 * 1_000
# While $connect runs, posting to its connection answers 410. The $connect Lambda is given 5 s, so a 410 from a
# connection registered less than that ago is no proof of death.
CONNECTING_MS: Final = 5 * 1_000
# As many large groups of a user have their connections as attendees: as many rows as one BatchWriteItem takes. Members
# of more are looked up in their sessions there.
MAX_LARGE_GROUPS: Final = 25
# As many channels is a user in, beside those: a channel looks nobody up in their session.
MAX_CHANNELS: Final = 25


@dataclass(frozen=True, slots=True)
class Identity:
    """A verified user. `expires_at` (ms) is the token's: checked again at every frame. `issued_at` (ms), 0: unknown."""

    user_id: str
    expires_at: int
    scopes: frozenset[str] = frozenset()
    issued_at: int = 0

    @property
    def is_guest(self) -> bool:
        """Whether the token gives a guest's rights, whatever other scopes it has."""
        return GUEST in self.scopes

    @property
    def is_admin(self) -> bool:
        """Whether it gives an administrator's rights: a guest's does not, whatever other scopes it has."""
        return ADMIN in self.scopes and not self.is_guest


@dataclass(frozen=True, slots=True)
class Connection:
    """One live connection. Times are ms; `authenticated_until` is the end of its token, or of a later one (`auth`).

    `heard_at` is its last ping since it was opened, or shown a fresh token; 0 before the first one. `large_groups` are
    those that its user's connections are attendees of, channels among them, as of when it was read from the session.
    `issued_at` is when the latest token that it was shown was issued; 0 where that is not known.
    """

    connection_id: str
    user_id: str
    device_id: str
    connected_at: int
    expires_at: int
    authenticated_until: int = 0
    heard_at: int = 0
    large_groups: frozenset[str] = frozenset()
    issued_at: int = 0

    @property
    def ends_at(self) -> int:
        """When it ends, should its client go on pinging: with the gateway's two hours or with its token."""
        return min(self.connected_at + MAX_LIFETIME_MS, self.authenticated_until or self.expires_at)

    @property
    def last_heard_at(self) -> int:
        """Its last ping; before the first one, when it was opened."""
        return self.heard_at or self.connected_at

    def is_live(self, now: int) -> bool:
        """Stale ones stay stored until their user's connections change: every reader filters."""
        return self.expires_at > now

    def may_be_connecting(self, now: int) -> bool:
        return now - self.connected_at < CONNECTING_MS

    def heard_from(self, now: int) -> Connection:
        """As it is after a ping: who pings is expected to go on pinging, so it expires soon if that stops."""
        return replace(self, expires_at=min(now + HEARTBEAT_WINDOW_MS, self.expires_at), heard_at=now)

    def extended(self, until: int) -> Connection:
        """As it is after it was authenticated until then; never for less than before."""
        authenticated_until = max(until, self.authenticated_until)
        expires_at = min(self.connected_at + MAX_LIFETIME_MS, authenticated_until)
        return replace(self, expires_at=expires_at, authenticated_until=authenticated_until, heard_at=0)

    def with_token_of(self, issued_at: int) -> Connection:
        """As it is after it was shown a token that was issued then, if that is a later one."""
        return replace(self, issued_at=max(issued_at, self.issued_at))

    def missing_in(self, known: SessionsByUser, now: int) -> Connection | None:
        """As it is to be registered again, having just spoken: its user's session lacks it, or has it expire soon.

        None where the session says enough.
        """
        mine = known.get(self.user_id, ())
        stored = next((one for one in mine if one.connection_id == self.connection_id), None)
        if stored is None:
            return self
        # No later than it will expire once it is refreshed: most are far from that, and need no copy to tell.
        if stored.expires_at >= now + HEARTBEAT_WINDOW_MS // 2:
            return None
        refreshed = self.extended(stored.authenticated_until).with_token_of(stored.issued_at).heard_from(now)
        return refreshed if stored.expires_at < refreshed.expires_at else None


def opened(connection_id: str, identity: Identity, *, device_id: str, connected_at: int) -> Connection:
    """A connection as it is first registered: it ends with the gateway's two hours or with the token."""
    expires_at = min(connected_at + MAX_LIFETIME_MS, identity.expires_at)
    until, issued_at = identity.expires_at, identity.issued_at
    return Connection(connection_id, identity.user_id, device_id, connected_at, expires_at, until, issued_at=issued_at)


def live(connections: Iterable[Connection], now: int) -> list[Connection]:
    return [connection for connection in connections if connection.is_live(now)]


@dataclass(frozen=True, slots=True)
class Registered:
    """The connection is stored. `others` are the user's connections beside it, stale ones included.

    The rest is how the user stood right before: what watchers had last been told (None: nothing yet, or it is not known
    since this connection was stored already), when the last connection had been closed, whether the user hides, and
    the large groups and channels that this connection is to be an attendee of.
    """

    others: Sequence[Connection]
    shown: Status | None = None
    last_seen: int = 0
    hidden: bool = False
    large_groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class LimitReached:
    """Nothing was stored: the user has this many connections already."""

    current: Sequence[Connection]


@dataclass(frozen=True, slots=True)
class Removed:
    """`removed` is None where the connection was not there (any more). `shown` is what watchers were told last.

    `just_now`: one was removed at this very moment, perhaps by this call, whose answer was lost.
    """

    removed: Connection | None
    others: Sequence[Connection]
    just_now: bool = False
    shown: Status | None = None


@dataclass(frozen=True, slots=True)
class Barred:
    """Nothing was stored: the user is banned `until` then (FOREVER: without an end), or (None) the token is revoked."""

    until: int | None


SessionsByUser = Mapping[str, Sequence[Connection]]


@dataclass(frozen=True, slots=True)
class Session:
    """Everything that is known of a user's connections at one moment, stale ones included.

    `large_groups` has those that the connections are attendees of, and since when (ms); so has `channels`.
    """

    connections: Sequence[Connection] = ()
    last_seen: int = 0
    hidden: bool = False
    shown: Status | None = None
    large_groups: Mapping[str, int] = field(default_factory=dict)
    channels: Mapping[str, int] = field(default_factory=dict)

    def is_online(self, now: int) -> bool:
        return any(connection.is_live(now) for connection in self.connections)

    def is_just_away(self, now: int) -> bool:
        """Whether watchers still think of the user as online. One without a `$disconnect` is followed by no check."""
        return self.shown == ONLINE and not self.connections and now - self.last_seen < MAX_GRACE_MS

    def shown_as(self, user_id: str, now: int) -> Presence:
        """The user's presence, for those who may see it: online in the grace period, too."""
        if self.is_just_away(now) and not self.hidden:
            return Presence(user_id, ONLINE)
        return self.as_it_is(user_id, now)

    def as_it_is(self, user_id: str, now: int) -> Presence:
        if self.hidden:
            return Presence(user_id, OFFLINE)
        if self.is_online(now):
            return Presence(user_id, ONLINE)
        # A connection that decayed was last heard of a heartbeat window before it expired, or when it was opened.
        decayed = (max(one.connected_at, one.expires_at - HEARTBEAT_WINDOW_MS) for one in self.connections)
        return Presence(user_id, OFFLINE, max([self.last_seen, *decayed]) or None)


@dataclass(frozen=True, slots=True)
class Presence:
    """A user's presence, as it may be shown. `last_seen` is None while they are online, or where it is not told."""

    user_id: str
    status: Status
    last_seen: int | None = None


@dataclass(frozen=True, slots=True)
class PresenceChange:
    """A presence that changed, for those who watch it."""

    presence: Presence
    timestamp: int


@dataclass(frozen=True, slots=True)
class News:
    """What has happened beside the logs, for those whom it concerns: a type of event, and what it says."""

    kind: str
    said: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Watch:
    """A connection that wants to hear of a user's presence."""

    watched: str
    connection_id: str
    watcher: str
    expires_at: int


class PostOutcome(Enum):
    """What became of one post. A 200 is no receipt: only the client's `delivered` is."""

    SENT = "sent"
    GONE = "gone"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Posted:
    connection_id: str
    outcome: PostOutcome


@dataclass(frozen=True, slots=True)
class Gone:
    """A user whose last live connection ended at `at` (ms), or will end then with its token."""

    user_id: str
    at: int


@dataclass(frozen=True, slots=True)
class StoredTicket:
    """A ticket as it is kept: by its hash, so that reading the table lets no one in."""

    ticket_hash: str
    user_id: str
    token_expires_at: int
    expires_at: int
    token_issued_at: int = 0
    is_guest: bool = False


@dataclass(frozen=True, slots=True)
class Closing:
    """What a connection is told before the server closes it, since closing can't carry a reason."""

    code: str


EVICTED: Final = Closing("connection_limit")
ABUSED: Final = Closing("rate_limited")
REVOKED: Final = Closing("revoked")
BANNED: Final = Closing("banned")


@dataclass(frozen=True, slots=True)
class Delivered:
    """What became of one broadcast.

    `sessions` is what was read for it, for callers that need it again; None where nothing had to be read. `gone` are
    users whose last connection turned out to be dead, `forgotten` all connections that were; `reached` were posted to.
    """

    sessions: SessionsByUser | None = None
    failed: int = 0
    gone: tuple[Gone, ...] = ()
    forgotten: tuple[Connection, ...] = ()
    reached: int = 0


NOBODY: Final = Delivered()
