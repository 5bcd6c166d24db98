"""Time, nonces, pushes, and doing things one after the other."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from threading import RLock
from typing import Any, TypeVar

from shared.domain.pushes import Push, PushResult, Sent
from shared.domain.text import private_conversation_id

DM = private_conversation_id("alice", "bob")

T = TypeVar("T")
R = TypeVar("R")


def in_turn(function: Callable[[T], R], items: Iterable[T], /) -> Iterable[R]:
    """A Spread that isn't parallel."""
    return [function(item) for item in items]


@dataclass(eq=False)  # hashable: it stands where a function does
class FakeClock:
    """Milliseconds, and only as many as a test lets pass."""

    ms: int = 1_795_431_200_000

    def __call__(self) -> int:
        return self.ms

    def advance(self, ms: int) -> int:
        self.ms += ms
        return self.ms


@dataclass
class FakeNonces:
    """n1, n2, n3 …"""

    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def __call__(self) -> str:
        return f"n{next(self.numbers)}"


@dataclass
class FakeObserver:
    """`counted` are the metrics, `said` what was noted, `failures` the errors that what was asked for survived."""

    counted: Counter[str] = field(default_factory=Counter)
    said: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    failures: list[tuple[str, Exception]] = field(default_factory=list)

    def count(self, name: str, value: int = 1) -> None:
        self.counted[name] += value

    def noted(self, what: str, **fields: object) -> None:
        self.said.append((what, fields))

    def failed(self, what: str, error: Exception) -> None:
        self.failures.append((what, error))


@dataclass
class FakePushGateway:
    """`pushes` is everything that was handed over; `answer` decides what becomes of it."""

    pushes: list[Push] = field(default_factory=list)
    answer: Callable[[Push], PushResult] = lambda _: Sent()
    lock: Any = field(default_factory=RLock, repr=False, compare=False)

    def push(self, push: Push) -> PushResult:
        with self.lock:
            self.pushes.append(push)
            return self.answer(push)
