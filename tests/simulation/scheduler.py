"""Virtual time, and tasks that stop at each of their steps: everything that happens is decided by one seed.

A task is ordinary, blocking code in a greenlet: the real handlers and adapters run in one each, and know nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from heapq import heappop, heappush
from itertools import count
from random import Random
from typing import Any, TypeVar, cast

from greenlet import getcurrent, greenlet

T = TypeVar("T")
R = TypeVar("R")


class Killed(BaseException):
    """The process that ran this task is gone. No `except Exception` of the code under test may hold it up."""


class Process:
    """What dies together: one invocation of a function, with the calls that it makes side by side.

    `dies_in` is the number of steps after which it is killed; None for never. `instance` is what it runs in, `began`
    and `ended` are when. `wrote` is what it has written, when each; `posted` what it has tried to send to connections.
    """

    __slots__ = ("began", "dead", "dies_in", "ended", "instance", "name", "posted", "wrote")

    def __init__(self, name: str, *, instance: object = None, began: float = 0.0, dies_in: int | None = None) -> None:
        self.name = name
        self.began = began
        self.instance = instance
        self.dies_in = dies_in
        self.dead = False
        self.ended = float("inf")
        self.wrote: list[tuple[float, Any]] = []
        self.posted: list[tuple[Any, dict[str, Any]]] = []


class Task(greenlet):  # type: ignore[misc]  # it comes without types
    """One flow of control."""

    process: Process
    finished = False


class Hub:
    """The event loop. Times are milliseconds since the history began."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.now = 0.0
        self.steps = 0
        self._events: list[tuple[float, int, Callable[[], Any]]] = []
        self._order = count()
        self._greenlet = getcurrent()

    # --- for whoever schedules

    def after(self, delay: float, act: Callable[[], Any]) -> None:
        heappush(self._events, (self.now + delay, next(self._order), act))

    def spawn(self, process: Process, function: Callable[[], Any], ended: Callable[[], Any] | None = None) -> Task:
        """Start a task now; `ended` is called when it is over, also when it was killed."""

        def body() -> None:
            try:
                function()
            except Killed:
                process.dead = True
            task.finished = True
            if ended is not None:
                ended()

        task = Task(body, self._greenlet)
        task.process = process
        self.after(0.0, task.switch)
        return task

    def run(self, until: float) -> None:
        """Let everything happen that is due by then."""
        events = self._events
        while events and events[0][0] <= until:
            self.now, _, act = heappop(events)
            act()
        self.now = until

    # --- for tasks

    @property
    def process(self) -> Process | None:
        """Whose code runs right now; None outside of any task."""
        current = getcurrent()
        return current.process if isinstance(current, Task) else None

    def wait(self, delay: float) -> None:
        """Let others go on for a while. Raises Killed where there is nobody to come back to."""
        task = cast("Task", getcurrent())
        heappush(self._events, (self.now + delay, next(self._order), task.switch))
        self._greenlet.switch()
        if task.process.dead:
            raise Killed

    def step(self) -> None:
        """The next call to the world outside takes its time. Here processes are killed."""
        process = cast("Task", getcurrent()).process
        if process.dies_in is not None:
            process.dies_in -= 1
            if process.dies_in < 0:
                process.dead = True
                raise Killed
        self.steps += 1
        self.wait(1.0 + self.random.random() * 8.0)

    def parallel_map(self, function: Callable[[T], R], items: Iterable[T], /) -> Sequence[R]:
        """`ParallelMap`: side by side, each in a task of its own."""
        everything = list(items)
        if len(everything) <= 1:
            return [function(one) for one in everything]
        parent = cast("Task", getcurrent())
        results: dict[int, R] = {}
        errors: list[Exception] = []
        waiting = len(everything)

        def ended() -> None:
            nonlocal waiting
            waiting -= 1
            if not waiting:
                self.after(0.0, parent.switch)

        def run(number: int, item: T) -> None:
            try:
                results[number] = function(item)
            except Exception as error:  # noqa: BLE001  # the caller's, as from a thread pool
                errors.append(error)

        for number, item in enumerate(everything):
            self.spawn(parent.process, partial(run, number, item), ended)
        self._greenlet.switch()
        if parent.process.dead:
            raise Killed
        if errors:
            raise errors[0]
        return [results[number] for number in range(len(everything))]
