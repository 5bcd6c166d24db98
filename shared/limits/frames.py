"""What one instance of a function puts up with from one connection: frames that nobody counts centrally, and abuse."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from shared.clock import SECOND_MS
from shared.errors import RateLimited
from shared.limits.recent import Recent

_MINUTE_MS: Final = 60 * SECOND_MS


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: int


@dataclass(slots=True)
class FrameLimiter:
    """A token bucket for each connection in this instance's memory: `rate` frames a second, `burst` at once."""

    rate: int
    burst: int
    now: Callable[[], int]
    _buckets: Recent[_Bucket] = field(default_factory=Recent)

    def take(self, connection_id: str) -> None:
        """Count one frame. Raises RateLimited, with how long to wait."""
        now = self.now()
        bucket = self._buckets.recall(connection_id, lambda: _Bucket(self.burst, now))
        bucket.tokens = min(self.burst, bucket.tokens + max(0, now - bucket.at) * self.rate / SECOND_MS)
        bucket.at = now
        if bucket.tokens < 1:
            missing = (1 - bucket.tokens) * SECOND_MS / self.rate
            raise RateLimited("Too many frames", retry_after_ms=max(1, round(missing)))
        bucket.tokens -= 1


@dataclass(slots=True)
class AbuseWatch:
    """Counts how often a connection was told to slow down, and did not."""

    limit: int
    now: Callable[[], int]
    _refusals: Recent[deque[int]] = field(default_factory=Recent)

    def refused(self, connection_id: str) -> bool:
        """Note one refusal. True when there were `limit` of them within a minute: the connection has to go."""
        now = self.now()
        times = self._refusals.recall(connection_id, lambda: deque(maxlen=self.limit))
        times.append(now)
        return len(times) == self.limit and now - times[0] <= _MINUTE_MS
