"""Calls in parallel, on threads that are kept for the next invocation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class ThreadedMap:
    """Runs a function over many items, up to `width` at a time. Threads start with the first call that needs them."""

    def __init__(self, width: int) -> None:
        self._threads = ThreadPoolExecutor(width)

    def __call__(self, function: Callable[[T], R], items: Iterable[T], /) -> Iterable[R]:
        everything = list(items)
        if len(everything) == 1:  # the usual case by far: one recipient, one device
            return [function(everything[0])]
        return list(self._threads.map(function, everything))
