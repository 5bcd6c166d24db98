"""What stand-ins for calls have in common: no time passes between two attempts."""

from __future__ import annotations

from collections.abc import Callable

from shared.clock import Deadline


class Unhurried:
    """The half of `Calls` that takes time."""

    def pause(self, attempt: int) -> None:
        """What is there now would be there after a while, too."""


class Unslept(Deadline):
    """There is always time, and nothing waits but `wait`. `pauses` are the attempts that would have been waited for."""

    def __init__(self, wait: Callable[[int], None] = lambda _: None) -> None:
        super().__init__(float("inf"), sleep=lambda _: None)
        self.pauses: list[int] = []
        self._wait = wait

    def pause(self, attempt: int) -> None:
        self.pauses.append(attempt)
        self._wait(attempt)

    def delay_s(self, attempt: int) -> float:
        self.pauses.append(attempt)
        return 0.0
