"""What rate limits ask of storage."""

from __future__ import annotations

from typing import Protocol

from shared.domain.limits import Lease, Limit


class Buckets(Protocol):
    """The shared bucket of each user."""

    def lease(self, user_id: str, tokens: int, *, limit: Limit, full_at: int, now: int) -> Lease:
        """Take tokens, all or none, atomically. `full_at` is what the caller last knew of the bucket (0: nothing).

        One conditional write where that still holds, two where it does not.
        """
