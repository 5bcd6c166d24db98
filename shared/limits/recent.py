"""A memory of bounded size, for what one instance of a function keeps about users and connections."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, TypeVar

# Each entry is some hundred bytes, and forgetting one costs a read or a write more, never an answer.
_REMEMBERED: Final = 2_000

Value = TypeVar("Value")


class Recent(OrderedDict[str, Value]):
    """The 2,000 keys that were used last."""

    def remember(self, key: str, value: Value) -> None:
        """Keep a value, as the most recent one."""
        self[key] = value
        self.move_to_end(key)
        if len(self) > _REMEMBERED:
            self.popitem(last=False)

    def recall(self, key: str, new: Callable[[], Value]) -> Value:
        """What is kept under this key, or a new one; the most recent from now on."""
        value = self[key] if key in self else new()
        self.remember(key, value)
        return value
