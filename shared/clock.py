"""The clock that the functions hand to the core. Nothing else in shared/ asks for the time of day."""

from __future__ import annotations

import time


def now_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000
