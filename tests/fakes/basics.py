"""Time, nonces, pushes, and doing things one after the other."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from shared.notification.models import Push

T = TypeVar("T")
R = TypeVar("R")


def in_turn(function: Callable[[T], R], items: Iterable[T], /) -> Iterable[R]:
    """A Spread that isn't parallel."""
    return [function(item) for item in items]


@dataclass
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
class FakePushGateway:
    pushes: list[Push] = field(default_factory=list)
    refuse: Callable[[Push], object] = lambda _: None

    def push(self, push: Push) -> None:
        self.refuse(push)
        self.pushes.append(push)
