"""What is told to people who aren't there."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """As much of a stored message as deciding about a push needs. No content: the push wakes, the sync carries."""

    conversation_id: str
    seq: int
    sender_id: str

    @property
    def message_id(self) -> str:
        return f"{self.conversation_id}/{self.seq}"


@dataclass(frozen=True, slots=True)
class Push:
    """One message for one user without a live connection."""

    user_id: str
    message: StoredMessage
