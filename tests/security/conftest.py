"""Handlers read their environment when they are imported, so it is there before any test module is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

import tests.functions.environment  # noqa: F401


@dataclass
class Tried:
    """How many attacks one test has made: the audit's summary counts them."""

    number: int = 0

    def __call__(self, number: int = 1) -> None:
        self.number += number


@pytest.fixture
def tried(request: pytest.FixtureRequest) -> Iterator[Tried]:
    counted = Tried()
    yield counted
    request.node.user_properties.append(("tried", counted.number))
