"""Sessions, watches, tickets and the gateway in memory."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import RLock
from typing import Any

from shared.domain.connections import (
    OFFLINE,
    ONLINE,
    Connection,
    Gone,
    LimitReached,
    Posted,
    PostOutcome,
    Registered,
    Removed,
    Session,
    SessionsByUser,
    Status,
    StoredTicket,
    Watch,
)


@dataclass
class FakeSessions:
    """`shown` is what watchers were last told, `hidden` who hides their presence."""

    connections: dict[str, dict[str, Connection]] = field(default_factory=dict)
    last_seen: dict[str, int] = field(default_factory=dict)
    shown: dict[str, Status] = field(default_factory=dict)
    hidden: dict[str, bool] = field(default_factory=dict)
    before_register: Callable[[Connection], object] = lambda _: None
    writes: int = 0
    reads: int = 0
    lock: Any = field(default_factory=RLock, repr=False, compare=False)

    def register(self, connection: Connection, *, limit: int, drop: Collection[str] = ()) -> Registered | LimitReached:
        self.before_register(connection)
        self.writes += 1
        with self.lock:
            user_id = connection.user_id
            mine = self.connections.setdefault(user_id, {})
            stored = mine.get(connection.connection_id)
            if stored is None:
                room = len(mine) < limit + len(drop)
            else:
                room = stored.authenticated_until <= connection.authenticated_until
            if not room or not set(drop) <= set(mine):
                return LimitReached(list(mine.values()))
            before = self._session(user_id)
            for gone in drop:
                del mine[gone]
            others = [one for key, one in mine.items() if key != connection.connection_id]
            shown = None if connection.connection_id in mine else before.shown
            mine[connection.connection_id] = connection
            self.shown[user_id] = ONLINE
            return Registered(others, shown, before.last_seen, before.hidden)

    def touch(self, connection: Connection, *, fresh_token: bool = False) -> Connection | None:
        self.writes += 1
        mine = self.connections.get(connection.user_id, {})
        before = mine.get(connection.connection_id)
        if before is not None and not (fresh_token and before.authenticated_until > connection.authenticated_until):
            until = connection.authenticated_until if fresh_token else before.authenticated_until
            touched = replace(before, expires_at=connection.expires_at, authenticated_until=until)
            mine[connection.connection_id] = touched
        return before

    def remove(self, user_id: str, connection_id: str, *, now: int) -> Removed:
        self.writes += 1
        mine = self.connections.get(user_id, {})
        removed = mine.pop(connection_id, None)
        just_now = removed is None and self.last_seen.get(user_id) == now
        if removed is not None:
            self.last_seen[user_id] = now
        return Removed(removed, list(mine.values()), just_now=just_now, shown=self.shown.get(user_id))

    def of(self, user_ids: Collection[str]) -> SessionsByUser:
        self.reads += 1
        return {user: list(self.connections[user].values()) for user in set(user_ids) if user in self.connections}

    def whole(self, user_ids: Collection[str]) -> Mapping[str, Session]:
        self.reads += 1
        return {user: self._session(user) for user in user_ids if user in {*self.connections, *self.hidden}}

    def show_offline(self, user_id: str, session: Session) -> bool:
        self.writes += 1
        with self.lock:
            now = {one.connection_id: one for one in self._session(user_id).connections}
            then = {one.connection_id: one for one in session.connections}
            if self.shown.get(user_id) != ONLINE or now != then:
                return False
            self.shown[user_id] = OFFLINE
            return True

    def hide(self, user_id: str, session: Session, *, hidden: bool, shown: Status) -> bool:
        self.writes += 1
        with self.lock:
            now = self._session(user_id)
            same_connections = _ids(now) == _ids(session)
            if not same_connections or (now.hidden, now.shown) != (session.hidden, session.shown):
                return False
            self.hidden[user_id] = hidden
            self.shown[user_id] = shown
            return True

    def connect(self, user_id: str, connection_id: str, *, at: int, expires_at: int | None = None) -> Connection:
        """Register straight away, for a test's setting."""
        connection = Connection(connection_id, user_id, "", at, expires_at or at + 7_200_000)
        self.connections.setdefault(user_id, {})[connection_id] = connection
        self.shown[user_id] = ONLINE
        return connection

    def _session(self, user_id: str) -> Session:
        return Session(
            connections=list(self.connections.get(user_id, {}).values()),
            last_seen=self.last_seen.get(user_id, 0),
            hidden=self.hidden.get(user_id, False),
            shown=self.shown.get(user_id),
        )


def _ids(session: Session) -> set[str]:
    return {one.connection_id for one in session.connections}


@dataclass
class FakeWatches:
    """`watches` are (watched, connection) → the watch; `lists` are (watcher, connection) → whom it
    watches, until `ends`.
    """

    watches: dict[tuple[str, str], Watch] = field(default_factory=dict)
    lists: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    ends: dict[tuple[str, str], int] = field(default_factory=dict)

    def replace(self, watcher: str, connection_id: str, users: Collection[str], *, expires_at: int) -> None:
        for gone in self.lists.get((watcher, connection_id), set()) - set(users):
            self.watches.pop((gone, connection_id), None)
        for user in users:
            self.watches[user, connection_id] = Watch(user, connection_id, watcher, expires_at)
        self.lists[watcher, connection_id] = set(users)
        self.ends[watcher, connection_id] = expires_at

    def prolong(self, watcher: str, connection_id: str, *, expires_at: int) -> None:
        for user in self.lists.get((watcher, connection_id), set()):
            self.watches[user, connection_id] = Watch(user, connection_id, watcher, expires_at)
        self.ends[watcher, connection_id] = expires_at

    def of(self, user_id: str) -> Sequence[Watch]:
        return [watch for (watched, _), watch in sorted(self.watches.items()) if watched == user_id]

    def by(self, user_id: str) -> Sequence[Watch]:
        mine = [(user, key) for key, users in sorted(self.lists.items()) if key[0] == user_id for user in sorted(users)]
        return [Watch(user, name, user_id, self.ends[user_id, name]) for user, (_, name) in mine]

    def remove(self, watch: Watch) -> None:
        self.watches.pop((watch.watched, watch.connection_id), None)


@dataclass
class FakePresenceChecks:
    scheduled: list[Gone] = field(default_factory=list)

    def schedule(self, gone: Gone) -> None:
        self.scheduled.append(gone)


@dataclass
class FakeGateway:
    """Keeps what was posted. `outcomes` names the connections that don't take posts."""

    posts: list[tuple[str, bytes]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    outcomes: dict[str, PostOutcome] = field(default_factory=dict)

    def post(self, connection_ids: Sequence[str], data: bytes) -> Sequence[Posted]:
        posted = [Posted(one, self.outcomes.get(one, PostOutcome.SENT)) for one in connection_ids]
        self.posts += [(one.connection_id, data) for one in posted if one.outcome is PostOutcome.SENT]
        return posted

    def close(self, connection_id: str) -> None:
        self.closed.append(connection_id)

    def received(self, connection_id: str) -> list[bytes]:
        return [data for target, data in self.posts if target == connection_id]


@dataclass
class FakeTickets:
    tickets: dict[str, StoredTicket] = field(default_factory=dict)

    def put(self, ticket: StoredTicket) -> None:
        self.tickets[ticket.ticket_hash] = ticket

    def take(self, ticket_hash: str) -> StoredTicket | None:
        return self.tickets.pop(ticket_hash, None)
