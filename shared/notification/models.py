"""What is told to people who aren't there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """As much of a stored entry as deciding about it needs. No content: the push wakes, the sync carries.

    `fan_out`: it was left to the stream side to deliver it.
    """

    conversation_id: str
    seq: int
    sender_id: str
    is_message: bool = True
    fan_out: bool = False

    @property
    def message_id(self) -> str:
        return f"{self.conversation_id}/{self.seq}"


@dataclass(frozen=True, slots=True)
class Push:
    """One message for one user without a live connection."""

    user_id: str
    message: StoredEntry
