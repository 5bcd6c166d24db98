"""What a person sees: a line per step, short and aligned, and how long it took."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

LABEL = 14


class Step:
    """The line of one step; set `result` to what it came to."""

    def __init__(self) -> None:
        self.result = "done"


@contextmanager
def step(label: str) -> Iterator[Step]:
    """Show that something goes on, and at its end what came of it."""
    current = Step()
    print(f"  {label:<{LABEL}}", end="", flush=True)
    started = time.monotonic()
    try:
        yield current
    except BaseException:
        print("failed", flush=True)
        raise
    print(f"{current.result} ({time.monotonic() - started:.1f} s)", flush=True)


def fact(label: str, value: object) -> None:
    print(f"  {label:<{LABEL}}{value}")


def fail(message: str, hint: str) -> None:
    print(f"error: {message}", file=sys.stderr)
    if hint:
        print(f"  {hint}", file=sys.stderr)
