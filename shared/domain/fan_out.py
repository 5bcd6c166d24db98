"""What the stream brings of a stored entry, and the shards in which a large group gets it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

# As many as one BatchGetItem reads the sessions of.
SHARD_SIZE: Final = 100


@dataclass(frozen=True, slots=True)
class Shard:
    """Members of a group, and the entry for them; `queued_at` (ms), when it was stored, is None where not known."""

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
    """As much of a stored entry as deciding about it needs; no content. `fan_out`: the stream side delivers it."""

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
