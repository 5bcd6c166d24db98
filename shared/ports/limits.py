"""What rate limits ask of storage."""

from __future__ import annotations

from typing import Protocol

from shared.domain.limits import Lease, Limit


class Buckets(Protocol):
    """The shared bucket of each user."""

    def lease(self, user_id: str, tokens: int, *, limit: Limit, full_at: int, now: int) -> Lease:
        """Take tokens, all or none: one conditional write where `full_at` is as known (0: nothing), else two."""
