"""Time: what it is counted in, the clock that functions hand to operations, and how long an invocation goes on trying.

A gateway gives up on a function after 29 seconds, and its client then learns nothing. So each invocation begins with
`Deadline.begin`; from `seconds` on none waits for another attempt, and `grace_s` later no call is started any more.
What was decided until then can still be told. A call that has been started ends by its own timeouts, 4 seconds at most.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Final

from shared.errors import Unavailable

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60 * SECOND_MS
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def whole_seconds(ms: int) -> int:
    """The first whole second that is not before this, or so many as it takes at most."""
    return -(-ms // SECOND_MS)


# Of a frame: its sender sends it again anyway. Of an HTTP request: just short enough for the gateway.
FRAME_S: Final = 10.0
REQUEST_S: Final = 20.0
# Of a handshake, which is refused after 5 s in any case.
HANDSHAKE_S: Final = 2.5
# What no client waits for. The functions' own timeouts are 10 s (presence, $disconnect) and 60 s (batches).
SHORT_S: Final = 5.0
BATCH_S: Final = 40.0
GRACE_S: Final = 4.0

_BASE_DELAY_S: Final = 0.025
_MAX_DELAY_S: Final = 3.2
# Who has waited for long waits less from one attempt to the next, and so is served before those who have just come: at
# most an eighth of the time that is left, and with half of the time gone half of that.
_PART_OF_THE_REST: Final = 8
# With less than this left, another attempt would not come to its end.
_LAST_S: Final = 0.2


def backoff_s(attempt: int) -> float:
    """Full jitter: 0 to 25, 50, 100 … at most 3.2 s."""
    return random.uniform(0, longest_s(attempt))  # noqa: S311  # no secret


def longest_s(attempt: int) -> float:
    """What that is at the most."""
    return min(_MAX_DELAY_S, _BASE_DELAY_S * 2.0 ** min(attempt, 10))


class Deadline:
    """One instance of a function has one; it serves one invocation at a time."""

    def __init__(
        self,
        seconds: float,
        *,
        grace_s: float = GRACE_S,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        backoff_s: Callable[[int], float] = backoff_s,
    ) -> None:
        self._seconds = seconds
        self._grace_s = grace_s
        self._monotonic = monotonic
        self._sleep = sleep
        self._backoff_s = backoff_s
        self._end = float("inf")

    def begin(self) -> None:
        """An invocation begins."""
        self._end = self._monotonic() + self._seconds

    def pause(self, attempt: int) -> None:
        """Wait a jittered while before the next attempt (from 0). Raises Unavailable where there is no time for one."""
        self._sleep(self.delay_s(attempt))

    def delay_s(self, attempt: int) -> float:
        """As long as `pause` waits, for who has something else to do meanwhile. Raises Unavailable as that does."""
        left = self._end - self._monotonic()
        part = left / self._seconds if left > 0 else 0.0
        delay = min(self._backoff_s(attempt), part * left / _PART_OF_THE_REST)
        if left < _LAST_S:
            raise Unavailable
        return delay

    def wait_ms(self, ms: int) -> None:
        """Wait as long as told, for who knows how long it is to another attempt. Raises Unavailable as `pause` does."""
        left = self._end - self._monotonic()
        if left < _LAST_S:
            raise Unavailable
        self._sleep(min(ms / SECOND_MS, left))

    def check(self) -> None:
        """Before each call. Raises Unavailable where it is too late to start one."""
        if self._monotonic() > self._end + self._grace_s:
            raise Unavailable
