"""How many users one may put into groups, how much one may report, how many exports all begin: exact, rarely asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from shared.domain.limits import Limit
from shared.errors import RateLimited

if TYPE_CHECKING:  # a port costs nothing where it is not used
    from shared.ports.people import Buckets

HOUR_S: Final = 3_600
DAY_S: Final = 24 * HOUR_S


@dataclass(frozen=True, slots=True)
class InviteLimiter:
    """The limit of each user, over all functions: nothing is given out from memory. `now` is milliseconds."""

    limit: Limit
    buckets: Buckets
    now: Callable[[], int]
    refusal: str = "Too many users added to groups"

    def take_one(self, user_id: str) -> None:
        """Count one."""
        self.take(user_id, 1)

    def take_one_of_all(self) -> None:
        """Count one of what all users together may do."""
        self.take("", 1)

    def take(self, user_id: str, users: int) -> None:
        """Count users to add: one conditional write, or two; more than fit take a full bucket. Raises RateLimited."""
        tokens, now = min(users, self.limit.burst), self.now()
        if tokens <= 0:
            return
        lease = self.buckets.lease(user_id, tokens, limit=self.limit, full_at=0, now=now)
        if not lease.given:
            wait_ms = max(1, self.limit.wait_ms(tokens, lease.full_at, now))
            raise RateLimited(self.refusal, retry_after_ms=wait_ms)
