"""What the stream brings of a stored entry, and the shards in which a large group gets it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

from shared.domain.connections import Connection

# As many as one BatchGetItem reads the sessions of; and as many connections as are posted to by one message's work.
SHARD_SIZE: Final = 100


Attendee = tuple[str, str, int]
"""A connection's id, its user, and when it was opened (ms)."""

P = TypeVar("P", str, tuple[str, str, int])


@dataclass(frozen=True, slots=True)
class Shard:
    """Members of a group, and the entry for them; `queued_at` (ms), when it was stored, is None where not known.

    `attendees` are the connections to post to, each as its id, its user and when it was opened (ms). Where they are
    None the members' sessions tell. `quiet`: who is away is woken only if the message mentions them. `begins`: from
    which entry on they see the log, of those who do not see all of it.
    """

    conversation_id: str
    seq: int
    users: tuple[str, ...]
    queued_at: int | None = None
    attendees: tuple[Attendee, ...] | None = None
    quiet: bool = False
    begins: tuple[tuple[str, int], ...] = ()

    def connections(self, *, until: int) -> list[Connection]:
        """The attendees as connections; they were live when this was queued, and are taken for it `until` then."""
        return [
            Connection(connection_id, user_id, "", connected_at, until)
            for connection_id, user_id, connected_at in self.attendees or ()
        ]


def shards(
    conversation_id: str, seq: int, members: Iterable[str], *, queued_at: int, quiet: bool = False
) -> list[Shard]:
    """Members of the group in shards, always cut alike."""
    portions = _portions(members)
    return [Shard(conversation_id, seq, tuple(portion), queued_at, quiet=quiet) for portion in portions]


def _portions(those: Iterable[P]) -> Iterator[list[P]]:
    """So many of them to each shard, in their order, whatever order they come in."""
    ordered = sorted(those)
    return (ordered[start : start + SHARD_SIZE] for start in range(0, len(ordered), SHARD_SIZE))


def attended_shards(
    conversation_id: str, seq: int, connections: Iterable[Connection], *, queued_at: int, quiet: bool = False
) -> list[Shard]:
    """The group's attendees in shards, whose `users` are those that the connections belong to."""
    portions = _portions((one.user_id, one.connection_id, one.connected_at) for one in connections)
    return [
        Shard(
            conversation_id,
            seq,
            tuple(dict.fromkeys(user for user, _, _ in portion)),
            queued_at,
            tuple((connection_id, user, opened) for user, connection_id, opened in portion),
            quiet,
        )
        for portion in portions
    ]


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """As much of a stored entry as deciding about it needs; no content. `fan_out`: the stream side delivers it.

    `deletes` is the message that it takes away. `keep_seq`: by which entry its conversation is kept as itself says.
    """

    conversation_id: str
    seq: int
    sender_id: str
    is_message: bool = True
    fan_out: bool = False
    created_at: int = 0
    roster_seq: int | None = None
    mentions: tuple[str, ...] = ()
    deletes: int | None = None
    keep_seq: int | None = None

    @property
    def message_id(self) -> str:
        return f"{self.conversation_id}/{self.seq}"
