"""What a person sees: a line per step, short and aligned, and how long it took."""

import errno
import io
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

LABEL = 14
# The reader of a pipe has left, or the terminal is gone.
GONE = {errno.EPIPE, errno.EIO, errno.EBADF}


class _Output(io.BufferedIOBase):
    """A descriptor whose reader may leave. What only shows something ends then; what does something goes on unseen.

    It keeps nothing back: a buffer that a signal interrupts writes its line twice.
    """

    def __init__(self, descriptor: int, *, ends: bool) -> None:
        self._descriptor = descriptor
        self._ends = ends
        self._broken = False

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def isatty(self) -> bool:
        return os.isatty(self._descriptor)

    def write(self, data: bytes) -> int:  # type: ignore[override]
        rest = memoryview(data)
        try:
            while rest and not self._broken:  # broken once is enough: the interpreter tries again at its end
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            self._broken = True
            if error.errno not in GONE or self._ends:
                raise
        return len(data)


def open_streams(*, ends: bool) -> None:
    """Lines appear as they happen, also in a pipe; an odd locale spoils nothing, nor does a stream that is closed.

    `ends`: a reader that leaves raises BrokenPipeError.
    """
    sys.stdout = _stream(sys.stdout, 1, ends=ends)
    sys.stderr = _stream(sys.stderr, 2, ends=False)


def _stream(stream: TextIO | None, descriptor: int, *, ends: bool) -> TextIO:
    """A closed descriptor gets the null device in its place, so that no file of ours is opened there."""
    if stream is None:
        null = os.open(os.devnull, os.O_RDWR)
        if null != descriptor:
            os.dup2(null, descriptor)
    encoding = stream.encoding if stream else "utf-8"
    output: Any = _Output(descriptor, ends=ends)
    return io.TextIOWrapper(output, encoding=encoding, errors="replace", line_buffering=True)


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
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        raise
    except BaseException:
        print("failed", flush=True)
        raise
    print(f"{current.result} ({time.monotonic() - started:.1f} s)", flush=True)


def ask(question: str) -> str:
    """The answer of a person at the terminal; nothing, where there is none or it is closed."""
    if sys.stdin is None or not sys.stdin.isatty():
        return ""
    try:
        return input(question).strip()
    except EOFError:
        print()
        return ""
    except KeyboardInterrupt:
        print()
        raise


def fact(label: str, value: object) -> None:
    print(f"  {label:<{LABEL}}{value}")


def fail(message: str, hint: str) -> None:
    print(f"error: {message}", file=sys.stderr)
    if hint:
        print(f"  {hint}", file=sys.stderr)
