"""What the stream brings of a stored entry, and the shards in which a large group gets it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# As many as one BatchGetItem reads the sessions of.
SHARD_SIZE: Final = 100


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of a group's members, and the entry that they should see.

    `queued_at` (ms) is when it began to wait; by then the entry was stored. None where that is not known.
    """

    conversation_id: str
    seq: int
    users: tuple[str, ...]
    queued_at: int | None = None


def shards(conversation_id: str, seq: int, members: Sequence[str], *, queued_at: int) -> list[Shard]:
    """The group's members in shards, always cut alike."""
    ordered = sorted(members)
    portions = (ordered[start : start + SHARD_SIZE] for start in range(0, len(ordered), SHARD_SIZE))
    return [Shard(conversation_id, seq, tuple(portion), queued_at) for portion in portions]


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """As much of a stored entry as deciding about it needs. No content: the push wakes, the sync carries.

    `fan_out`: it was left to the stream side to deliver it. `roster_seq` and `created_at` (ms) are the entry's.
    """

    conversation_id: str
    seq: int
    sender_id: str
    is_message: bool = True
    fan_out: bool = False
    created_at: int = 0
    roster_seq: int | None = None

    @property
    def message_id(self) -> str:
        return f"{self.conversation_id}/{self.seq}"
