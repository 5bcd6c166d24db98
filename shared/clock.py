"""What times are counted in, and the clock that functions hand to operations: nothing else asks for the time of day."""

from __future__ import annotations

import time
from typing import Final

SECOND_MS: Final = 1_000


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
