"""Token buckets in memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from shared.domain.limits import Lease, Limit


@dataclass
class FakeBuckets:
    """`writes` counts as the real one's updates do, refused ones included."""

    full_at: dict[str, int] = field(default_factory=dict)
    writes: int = 0
    lock: Any = field(default_factory=Lock, repr=False, compare=False)

    def lease(self, user_id: str, tokens: int, *, limit: Limit, full_at: int, now: int) -> Lease:
        with self.lock:
            for _ in range(2):
                self.writes += 1
                stored = self.full_at.get(user_id, 0)
                # One update is for a bucket that is full, another for one that is not: the caller's word says which.
                is_right = (stored <= now) == (full_at <= now)
                if is_right and not limit.wait_ms(tokens, stored, now):
                    self.full_at[user_id] = max(stored, now) + limit.cost_ms(tokens)
                    return Lease(given=True, full_at=self.full_at[user_id])
                full_at = stored
                if limit.wait_ms(tokens, stored, now):
                    break
            return Lease(given=False, full_at=full_at)
