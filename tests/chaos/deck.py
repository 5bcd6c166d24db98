"""Faults dealt like cards: at random, and yet each kind comes before any comes again."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Deck(Generic[T]):
    """All cards once, shuffled, again and again: a short run meets as many kinds of fault as a long one."""

    def __init__(self, cards: Sequence[T], rng: random.Random) -> None:
        self._cards = cards
        self._rng = rng
        self._left: list[T] = []

    def deal(self, fits: Callable[[T], bool] = lambda _: True) -> T | None:
        """The next card that fits; None where no card of the whole deck does."""
        for _ in range(2):
            card = next((card for card in self._left if fits(card)), None)
            if card is not None:
                self._left.remove(card)
                return card
            # Those that are left stay on top: they have waited for a connection that they fit.
            self._left += self._rng.sample(self._cards, k=len(self._cards))
        return None
