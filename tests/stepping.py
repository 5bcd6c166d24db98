"""Runs a few operations in every interleaving of their port calls: a small stateless model checker.

Each process is a plain function that reaches the scenario through ports wrapped by `Stepper.wrap`. Before each call
it waits for its turn, so exactly one runs at a time, and `explore` can try every order there is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass
class _Process:
    function: Callable[[], object]
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    done: bool = False
    error: BaseException | None = None


class Stepper:
    """One run: processes, and the order in which they take their steps."""

    def __init__(self) -> None:
        self._processes: list[_Process] = []
        self._current = threading.local()

    def add(self, function: Callable[[], object]) -> None:
        self._processes.append(_Process(function))

    def wrap(self, port: T, *, only: Collection[str] = ()) -> T:
        """The same port; each call of one of its methods is a step of the process that makes it.

        With `only`, the other methods run together with the step before them: fewer orders where many are alike.
        """
        return _Stepping(port, self, frozenset(only))  # type: ignore[return-value]

    def wait_for_turn(self) -> None:
        process: _Process | None = getattr(self._current, "process", None)
        if process is not None:
            process.arrived.release()
            process.go.acquire()

    def run(self, choices: Sequence[int]) -> list[int]:
        """Run everything to its end. Returns how many processes could have gone at each step."""
        widths: list[int] = []
        threads = [threading.Thread(target=self._body, args=(process,)) for process in self._processes]
        for thread, process in zip(threads, self._processes, strict=True):
            thread.start()
            process.arrived.acquire()
        while runnable := [process for process in self._processes if not process.done]:
            choice = choices[len(widths)] if len(widths) < len(choices) else 0
            widths.append(len(runnable))
            runnable[choice].go.release()
            runnable[choice].arrived.acquire()
        for thread, process in zip(threads, self._processes, strict=True):
            thread.join()
            if process.error is not None:
                raise process.error
        return widths

    def _body(self, process: _Process) -> None:
        self._current.process = process
        self.wait_for_turn()
        try:
            process.function()
        except BaseException as error:  # noqa: BLE001  # handed to the test's own thread
            process.error = error
        process.done = True
        process.arrived.release()


class _Stepping:
    def __init__(self, port: Any, stepper: Stepper, only: frozenset[str]) -> None:
        self._port = port
        self._stepper = stepper
        self._only = only

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if not callable(method) or (self._only and name not in self._only):
            return method

        def step(*args: Any, **kwargs: Any) -> Any:
            self._stepper.wait_for_turn()
            return method(*args, **kwargs)

        return step


def explore(build: Callable[[Stepper], T]) -> Iterator[T]:
    """Build the scenario anew for every interleaving, run it, and hand it over to be checked."""
    choices: list[int] = []
    while True:
        stepper = Stepper()
        scenario = build(stepper)
        widths = stepper.run(choices)
        yield scenario
        choices += [0] * (len(widths) - len(choices))
        while choices and choices[-1] + 1 >= widths[len(choices) - 1]:
            choices.pop()
        if not choices:
            return
        choices[-1] += 1
