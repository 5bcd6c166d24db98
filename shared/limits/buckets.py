"""How many messages a user may send: one token bucket for all functions, at a fraction of a write for each message.

A function's instance takes tokens from the shared bucket in blocks, and gives them out itself. Slow writers, who are
nearly everybody, never get that far: each instance lets each user have a few messages that nobody counts.

So the limit is exact but for what the instances hold: each adds at most `_FREE` messages and `_BLOCK` leased ones at
once, and one message in five seconds over time (`_FREE_EVERY_MS`). A lease is one write for `_BLOCK` messages, or two
where other instances have taken from the bucket meanwhile. An instance remembers when the bucket will be full again,
which others can only put off, and so refuses a flood without writing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from shared.domain.limits import Limit
from shared.errors import RateLimited
from shared.limits.recent import Recent
from shared.ports.limits import Buckets

_FREE: Final = 3
_FREE_EVERY_MS: Final = 5_000


@dataclass(slots=True)
class _Account:
    """What one instance may give one user."""

    free: float
    free_at: int
    leased: int = 0
    full_at: int = 0


@dataclass(slots=True)
class RateLimiter:
    """One instance's share of the limit. `now` is milliseconds."""

    limit: Limit
    buckets: Buckets
    now: Callable[[], int]
    _accounts: Recent[_Account] = field(default_factory=Recent)

    def take(self, user_id: str) -> None:
        """Count one message. Raises RateLimited, with how long to wait."""
        now = self.now()
        account = self._account(user_id, now)
        if account.free >= 1:
            account.free -= 1
            return
        if account.leased == 0:
            self._lease(user_id, account, now)
        account.leased -= 1

    def _account(self, user_id: str, now: int) -> _Account:
        account = self._accounts.recall(user_id, lambda: _Account(_FREE, now))
        earned = max(0, now - account.free_at) / _FREE_EVERY_MS
        account.free, account.free_at = min(_FREE, account.free + earned), now
        return account

    def _lease(self, user_id: str, account: _Account, now: int) -> None:
        tokens = self.limit.block
        wait_ms = self.limit.wait_ms(tokens, account.full_at, now)
        if not wait_ms:
            lease = self.buckets.lease(user_id, tokens, limit=self.limit, full_at=account.full_at, now=now)
            account.full_at = lease.full_at
            if lease.given:
                account.leased = tokens
                return
            wait_ms = max(1, self.limit.wait_ms(tokens, lease.full_at, now))
        raise RateLimited("Too many messages", retry_after_ms=wait_ms)
