"""In-memory stand-ins for every port. The contract suites hold them to what the real adapters do."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from shared.chat.identifiers import private_conversation_id
from shared.chat.models import Draft, Entry, Lookup, Member
from shared.connection.models import Connection, LimitReached, Registered, Removed, SessionsByUser
from shared.connection.ports import Posted, PostOutcome, StoredTicket
from shared.notification.models import Push

T = TypeVar("T")
R = TypeVar("R")

DM = private_conversation_id("alice", "bob")


def in_turn(function: Callable[[T], R], items: Iterable[T], /) -> Iterable[R]:
    """A Spread that isn't parallel."""
    return [function(item) for item in items]


@dataclass
class FakeClock:
    """Milliseconds, and only as many as a test lets pass."""

    ms: int = 1_795_431_200_000

    def __call__(self) -> int:
        return self.ms

    def advance(self, ms: int) -> int:
        self.ms += ms
        return self.ms


@dataclass
class FakeNonces:
    """n1, n2, n3 …"""

    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def __call__(self) -> str:
        return f"n{next(self.numbers)}"


@dataclass
class FakeMemberships:
    members: dict[tuple[str, str], Member] = field(default_factory=dict)

    def of_user(self, user_id: str) -> list[Member]:
        return [member for (_, user), member in sorted(self.members.items()) if user == user_id]

    def get(self, conversation_id: str, user_id: str) -> Member | None:
        return self.members.get((conversation_id, user_id))

    def join(self, conversation_id: str, user_ids: Sequence[str], joined_at: int) -> None:
        for user_id in user_ids:
            self.members.setdefault((conversation_id, user_id), Member(conversation_id, user_id, joined_at))

    def create(self, conversation_id: str, user_ids: Sequence[str], *, joined_at: int) -> bool:
        if any((conversation_id, user_id) in self.members for user_id in user_ids):
            return False
        self.join(conversation_id, user_ids, joined_at)
        return True

    def move_read(self, member: Member) -> bool:
        stored = self.members.get((member.conversation_id, member.user_id))
        if stored is None or stored.read_seq >= member.read_seq:
            return False
        moved = replace(stored, read_seq=member.read_seq, read_number=member.read_number)
        self.members[member.conversation_id, member.user_id] = moved
        return True

    def move_delivered(self, member: Member) -> bool:
        stored = self.members.get((member.conversation_id, member.user_id))
        if stored is None or stored.delivered_seq >= member.delivered_seq:
            return False
        moved = replace(stored, delivered_seq=member.delivered_seq)
        self.members[member.conversation_id, member.user_id] = moved
        return True


@dataclass
class FakeLog:
    """`before_put` runs right before each put: the place for a test to let somebody else be quicker."""

    memberships: FakeMemberships = field(default_factory=FakeMemberships)
    entries: dict[str, list[Entry]] = field(default_factory=dict)
    before_put: Callable[[Entry], object] = lambda _: None
    puts: int = 0
    reads: int = 0
    unseen: set[int] = field(default_factory=set)

    def put(self, entry: Entry, *, new_members: Sequence[str] = ()) -> Entry | None:
        self.before_put(entry)
        self.puts += 1
        log = self.entries.setdefault(entry.conversation_id, [])
        if entry.seq <= len(log):
            return log[entry.seq - 1]
        assert entry.seq == len(log) + 1, "a hole in the log"
        log.append(entry)
        self.memberships.join(entry.conversation_id, new_members, entry.created_at)
        return None

    def lookup(
        self, conversation_id: str, *, seqs: Sequence[int], member_id: str | None = None, consistent: bool = False
    ) -> Lookup:
        self.reads += 1
        log = self.entries.get(conversation_id, [])
        missed = set() if consistent else self.unseen
        found = {seq: log[seq - 1] for seq in seqs if 1 <= seq <= len(log) and seq not in missed}
        return Lookup(found, self.memberships.get(conversation_id, member_id) if member_id is not None else None)

    def read(self, conversation_id: str, *, start: int, limit: int) -> list[Entry]:
        self.reads += 1
        return self.entries.get(conversation_id, [])[max(start, 1) - 1 :][:limit]

    def read_back(self, conversation_id: str, *, before: int | None = None, limit: int) -> list[Entry]:
        self.reads += 1
        log = self.entries.get(conversation_id, [])
        below = log if before is None else log[: max(before - 1, 0)]
        return below[::-1][:limit]

    def write(self, sender_id: str, *texts: str, conversation_id: str = DM, at: int = 1) -> list[Entry]:
        """Append straight away, for a test's setting."""
        written = []
        for text in texts:
            log = self.entries.setdefault(conversation_id, [])
            draft = Draft(conversation_id, sender_id, text, nonce=f"w{len(log)}", client_message_id=f"c{len(log)}")
            log.append(draft.following(log[-1] if log else None, at))
            written.append(log[-1])
        self.memberships.join(conversation_id, conversation_id.split(":")[1:], at)
        return written


@dataclass
class FakeSessions:
    connections: dict[str, dict[str, Connection]] = field(default_factory=dict)
    last_seen: dict[str, int] = field(default_factory=dict)
    before_register: Callable[[Connection], object] = lambda _: None
    writes: int = 0
    reads: int = 0

    def register(self, connection: Connection, *, limit: int, drop: Collection[str] = ()) -> Registered | LimitReached:
        self.before_register(connection)
        self.writes += 1
        mine = self.connections.setdefault(connection.user_id, {})
        room = connection.connection_id in mine or len(mine) < limit + len(drop)
        if not room or not set(drop) <= set(mine):
            return LimitReached(list(mine.values()))
        for gone in drop:
            del mine[gone]
        others = [one for key, one in mine.items() if key != connection.connection_id]
        mine[connection.connection_id] = connection
        return Registered(others)

    def remove(self, user_id: str, connection_id: str, *, now: int) -> Removed:
        self.writes += 1
        mine = self.connections.get(user_id, {})
        removed = mine.pop(connection_id, None)
        if removed is not None:
            self.last_seen[user_id] = now
        return Removed(removed, list(mine.values()))

    def of(self, user_ids: Collection[str]) -> SessionsByUser:
        self.reads += 1
        return {user: list(self.connections[user].values()) for user in set(user_ids) if user in self.connections}

    def connect(self, user_id: str, connection_id: str, *, at: int, expires_at: int | None = None) -> Connection:
        """Register straight away, for a test's setting."""
        connection = Connection(connection_id, user_id, "", at, expires_at or at + 7_200_000)
        self.connections.setdefault(user_id, {})[connection_id] = connection
        return connection


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


@dataclass
class FakePushGateway:
    pushes: list[Push] = field(default_factory=list)
    refuse: Callable[[Push], object] = lambda _: None

    def push(self, push: Push) -> None:
        self.refuse(push)
        self.pushes.append(push)
