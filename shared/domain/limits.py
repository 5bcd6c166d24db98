"""How much of something a user may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from shared.clock import SECOND_MS

_BLOCK: Final = 10


def is_on(setting: str) -> bool:
    """Whether a deployment has what a setting is about: not where it is off, or where a function is told nothing."""
    return setting not in {"", "off"}


@dataclass(frozen=True, slots=True)
class Limit:
    """`rate` in each `per_s` seconds in the long run, `burst` at once."""

    rate: int
    burst: int
    per_s: int = 1

    @property
    def interval_ms(self) -> float:
        return SECOND_MS * self.per_s / self.rate

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
