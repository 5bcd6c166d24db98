"""Answers over HTTP that are none of the server's: a proxy's page, say, with status 200."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from parley_client.errors import ParleyError
from parley_client.events import Frame

T = TypeVar("T")


def understood(make: Callable[[Frame], T]) -> Callable[[Frame], T]:
    """What `make` makes of an answer. ParleyError `unreachable` where that is not what the protocol says."""

    @wraps(make)
    def read(body: Frame) -> T:
        try:
            return make(body)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as exc:
            raise ParleyError("unreachable", "The answer is not the server's", retryable=True) from exc

    return read


def listed(name: str, make: Callable[[Any], T], body: Frame) -> tuple[T, ...]:
    """What `make` makes of each in a list of the answer. Raises as above."""
    return understood(lambda answer: tuple(make(each) for each in answer[name]))(body)
