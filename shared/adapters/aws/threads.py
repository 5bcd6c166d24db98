"""Work side by side on threads, for what waits in calls that are not our own."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class ThreadedMap:
    """Runs a function over many items, up to `width` at a time, on threads that start when needed, and are kept."""

    def __init__(self, width: int) -> None:
        self._threads = concurrent.futures.ThreadPoolExecutor(width)

    def __call__(self, function: Callable[[T], R], items: Iterable[T], /) -> Iterable[R]:
        everything = list(items)
        if len(everything) == 1:  # the usual case by far: one recipient, one device
            return [function(everything[0])]
        return list(self._threads.map(function, everything))
