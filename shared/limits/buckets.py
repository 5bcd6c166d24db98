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
from typing import Final, Protocol

from shared.errors import RateLimited
from shared.limits.recent import Recent

_BLOCK: Final = 10
_FREE: Final = 3
_FREE_EVERY_MS: Final = 5_000
_MS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Limit:
    """`rate` in each `per_s` seconds in the long run, `burst` at once."""

    rate: int
    burst: int
    per_s: int = 1

    @property
    def interval_ms(self) -> float:
        return _MS * self.per_s / self.rate

    @property
    def block(self) -> int:
        """How many tokens are leased at once; never so many that a full bucket could not give them."""
        return min(_BLOCK, self.burst)

    def wait_ms(self, tokens: int, full_at: int, now: int) -> int:
        """How long until a bucket that is full again at `full_at` holds as many tokens; 0 if it does now."""
        return max(0, full_at + self.cost_ms(tokens) - now - round(self.burst * self.interval_ms))

    def cost_ms(self, tokens: int) -> int:
        """By how much taking tokens puts off the time when the bucket is full again."""
        return round(tokens * self.interval_ms)


@dataclass(frozen=True, slots=True)
class Lease:
    """Whether the tokens were given, and when the bucket will be full again (ms)."""

    given: bool
    full_at: int


class Buckets(Protocol):
    """The shared bucket of each user."""

    def lease(self, user_id: str, tokens: int, *, limit: Limit, full_at: int, now: int) -> Lease:
        """Take tokens, all or none, atomically. `full_at` is what the caller last knew of the bucket (0: nothing).

        One conditional write where that still holds, two where it does not.
        """
        ...


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
