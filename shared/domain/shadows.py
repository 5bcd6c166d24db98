"""Users who are shadow-banned: they see their messages, and nobody else does.

Such a message takes its place in the log like any other, so every log is gapless for everyone. It is stored as what a
version that knows nothing of this shows least of, a deleted message, and what it says stands apart, in `shadow`. It
counts nothing: not among the messages, not as what its sender has written, not as something that has happened now.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# How long an instance of a function goes by what it has read of who is shadow-banned.
SHADOWS_KEPT_MS: Final = 3_000


@dataclass(frozen=True, slots=True)
class ShadowBan:
    """Since when (ms), by whom, and why: for administrators to read."""

    user_id: str
    at: int
    by: str
    reason: str = ""
