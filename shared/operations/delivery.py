"""From one event to every live connection that should see it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from shared.domain.connections import Connection, Gone, PostOutcome, PresenceChange, SessionsByUser, live
from shared.domain.entries import Entry, Receipt, Typing
from shared.domain.fan_out import Shard
from shared.ports.connections import Sessions
from shared.ports.conversations import ConversationLog
from shared.ports.services import Gateway

if TYPE_CHECKING:  # only who sends notifications pays for loading what they are
    from shared.domain.notifications import Notification

Event: TypeAlias = "Entry | Receipt | Typing | PresenceChange | Notification"
# As long as a shard may wait until it is asked whether it is still of use. A client that syncs costs more than a few
# posts, so in the usual case, without a backlog, everything is posted.
STALE_MS: Final = 3_000
# So far may the clocks of two functions be apart.
_SKEW_MS: Final = 10_000
_MOST_KNOWN: Final = 1_000
# A shard posts in this many portions a second.
_PORTIONS: Final = 10


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


@dataclass(frozen=True, slots=True)
class ShardDelivered:
    """`absent` are the members of the shard without a live connection."""

    delivered: Sequence[Delivered]
    absent: tuple[str, ...]


class LaterEntries:
    """One instance's memory of entries that shards have found behind their own: where they are, they stay.

    With it one look at the tail serves all shards up to there, and so a client that has to sync does so once for all
    that was not posted, and not for every other entry.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, int] = OrderedDict()

    def note(self, entry: Entry) -> None:
        """There is this entry, and it has shards of its own."""
        name = entry.conversation_id
        self._known[name] = max(entry.seq, self._known.get(name, 0))
        self._known.move_to_end(name)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)

    def known_behind(self, shard: Shard) -> bool:
        """Whether one behind the shard's entry is known."""
        return self._known.get(shard.conversation_id, 0) > shard.seq


def is_superseded(shard: Shard, *, log: ConversationLog, later: LaterEntries, now: int) -> bool:
    """Whether the posts of this shard are of no use any more, since a later entry's will make its members sync.

    That entry has to be one that is left to shards, too: it is delivered at least once to everybody in this one who is
    still a member. No call for a shard that has not waited for long, or where a later entry is known; else one query.
    """
    if later.known_behind(shard):
        return True
    if shard.queued_at is None or now - shard.queued_at < STALE_MS:
        return False
    for tail in log.read_back(shard.conversation_id, limit=1):
        if tail.fan_out:
            later.note(tail)
    return later.known_behind(shard)


def deliver(
    entry: Entry,
    shard: Shard,
    *,
    is_posted: bool = True,
    rate: int,
    posting: Posting,
    now: Callable[[], int],
    pause_ms: Callable[[int], None],
) -> ShardDelivered:
    """Post an entry to every live connection of the shard's members, at most `rate` posts a second.

    Posts of a shard that is delivered twice come twice; receivers tell by the `seq`. What is not `is_posted` only finds
    out who is there.
    """
    known = posting.sessions.of(shard.users)
    present = {user: connections for user, found in known.items() if (connections := live(found, now()))}
    waiting = [
        connection
        for connections in present.values()
        for connection in connections
        if is_posted and not _is_opened_since(connection, shard)
    ]
    portion = max(1, rate // _PORTIONS)
    delivered = []
    for start in range(0, len(waiting), portion):
        began = now()
        targets = waiting[start : start + portion]
        delivered.append(post(entry, targets, posting=posting, now=began))
        is_last = start + portion >= len(waiting)
        rest_ms = round(1_000 * len(targets) / rate) - (now() - began)
        if not is_last and rest_ms > 0:
            pause_ms(rest_ms)
    return ShardDelivered(delivered, tuple(user for user in shard.users if user not in present))


def _is_opened_since(connection: Connection, shard: Shard) -> bool:
    """Whether its client has synced, or is about to, and finds the entry there: it was stored before."""
    return shard.queued_at is not None and connection.connected_at > shard.queued_at + _SKEW_MS
