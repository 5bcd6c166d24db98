"""How much one instance of a function lets a user and a connection do."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from shared.clock import SECOND_MS
from shared.domain.limits import Limit
from shared.errors import RateLimited

if TYPE_CHECKING:  # a port costs nothing where it is not used
    from shared.ports.people import Buckets

# Each entry is some hundred bytes, and forgetting one costs a read or a write more, never an answer.
_REMEMBERED: Final = 2_000

Value = TypeVar("Value")


class Recent(OrderedDict[str, Value]):
    """What one instance keeps about users and connections: the 2,000 keys that were used last."""

    def remember(self, key: str, value: Value) -> None:
        """Keep a value, as the most recent one."""
        self[key] = value
        self.move_to_end(key)
        if len(self) > _REMEMBERED:
            self.popitem(last=False)

    def recall(self, key: str, new: Callable[[], Value]) -> Value:
        """What is kept under this key, or a new one; the most recent from now on."""
        value = self[key] if key in self else new()
        self.remember(key, value)
        return value


_FREE: Final = 3
_FREE_EVERY_MS: Final = 5_000


@dataclass(slots=True, eq=False, repr=False)
class _Account:
    """What one instance may give one user."""

    free: float
    free_at: int
    leased: int = 0
    full_at: int = 0


@dataclass(slots=True)
class RateLimiter:
    """How many messages a user may send: one token bucket for all functions, at a fraction of a write for each.

    An instance takes tokens from the shared bucket in blocks, and gives them out itself. Slow writers, as nearly
    all are, never get that far: each instance lets each user have a few messages that are not counted.

    So the limit is exact but for what the instances hold: each adds at most `_FREE` messages and `_BLOCK` leased ones
    at once, and one message in five seconds over time (`_FREE_EVERY_MS`). A lease is one write for `_BLOCK` messages,
    or two where other instances have taken from the bucket meanwhile. An instance remembers when the bucket will be
    full again, which others can only put off, and so refuses a flood without writing. `now` is milliseconds.
    """

    limit: Limit
    buckets: Buckets
    now: Callable[[], int]
    _accounts: Recent[_Account] = field(default_factory=Recent)

    def take(self, user_id: str) -> None:
        """Count one message. Raises RateLimited, with how long to wait."""
        now = self.now()
        account = self._accounts.recall(user_id, lambda: _Account(_FREE, now))
        earned = max(0, now - account.free_at) / _FREE_EVERY_MS
        account.free, account.free_at = min(_FREE, account.free + earned), now
        if account.free >= 1:
            account.free -= 1
            return
        if account.leased == 0:
            self._lease(user_id, account, now)
        account.leased -= 1

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


_MINUTE_MS: Final = 60 * SECOND_MS


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: int


@dataclass(slots=True, eq=False, repr=False)
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
