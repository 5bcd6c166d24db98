"""How many requests a function serves at a time: each one is a process here, and a laptop has few processors.

A hundred processes that start at once take two processors longer than the requests' own deadlines; the same hundred
requests, a few at a time, are all served. So further ones wait, which Lambda would start at once.
"""

import os
import threading
from collections import defaultdict
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Final

FOR_EACH_PROCESSOR: Final = 2
FEWEST: Final = 4
FEWEST_FRAMES: Final = 2


def at_once(processors: int | None) -> int:
    """Requests of one function at a time on so many processors; None where that is not known."""
    return max(FEWEST, FOR_EACH_PROCESSOR * (processors or 1))


def frames_at_once(processors: int | None) -> int:
    """Frames: each takes a processor for a few milliseconds, and more at once only hold up each other."""
    return max(FEWEST_FRAMES, processors or 1)


class Turns:
    """Requests and frames of each function, at most so many at a time, begun in the order in which they came.

    Nothing else waits: what comes from queues and streams has bounds of its own. No function waits for a request to
    another one or to itself, so they can't wait for each other in a circle.
    """

    def __init__(self, most: int, frames: int | None = None) -> None:
        self._functions: dict[str, threading.Semaphore] = defaultdict(lambda: threading.BoundedSemaphore(most))
        self._frames: dict[str, threading.Semaphore] = defaultdict(lambda: threading.BoundedSemaphore(frames or most))
        self._lock = threading.Lock()

    def of(self, function: str, event: object) -> AbstractContextManager[Any]:
        """To be held while the function works on this event."""
        if not isinstance(event, Mapping) or "requestContext" not in event:
            return nullcontext()
        is_frame = event["requestContext"].get("eventType") == "MESSAGE"
        with self._lock:
            return (self._frames if is_frame else self._functions)[function]


def of_this_machine() -> Turns:
    return Turns(at_once(os.cpu_count()), frames_at_once(os.cpu_count()))
