"""Legal holds: what must be kept for a court or an inquiry, whatever users or retention ask for."""

from __future__ import annotations

from dataclasses import dataclass

from shared.errors import Conflict

MAX_REASON_CHARACTERS = 500


@dataclass(frozen=True, slots=True)
class Hold:
    """Nothing of a user is removed for good by an erasure. Since when (ms), by whom, and why.

    Or nothing of a conversation by anything but its members' own acts: its id stands for a user's then.
    """

    user_id: str
    reason: str
    at: int
    by: str


def check_not_held(hold: Hold | None) -> None:
    """Raises Conflict where the user is on hold."""
    if hold is not None:
        raise Conflict("This user is on legal hold: nothing of theirs may be erased")
