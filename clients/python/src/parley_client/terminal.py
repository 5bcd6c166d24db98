"""Lines in and out of a terminal, or of a pipe.

On a terminal the prompt stays at the bottom: what is shown comes above it, and what was typed so far is drawn again.
Without one there is no prompt and no escape sequence, so that the program can be piped.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
import threading
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from shutil import get_terminal_size
from typing import Any, Final

try:
    import readline
    import termios
except ImportError:  # not every system has them; lines are read all the same
    readline = None  # type: ignore[assignment]
    termios = None  # type: ignore[assignment]

_DIM, _PLAIN, _ERASE, _UP = "\x1b[2m", "\x1b[0m", "\r\x1b[K", "\x1b[1A"
_CHUNK: Final = 65_536
# What could move the cursor, end the line, or turn what follows around: controls, line breaks, direction marks, and
# what is no character. The rest is shown, be it newer than this Python's tables: joiners and tags hold emoji together.
_HARMFUL: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufdd0-\ufdef"
    r"\ufeff\ufff9-\ufffb\ufffe\uffff]"
)


def harmless(text: str) -> str:
    """What others wrote, without anything that could move the cursor, or change what is on the screen already."""
    return "\n    ".join(_HARMFUL.sub("\N{REPLACEMENT CHARACTER}", line) for line in text.splitlines() or [""])


@dataclass(slots=True)
class Terminal:
    """`lines` gives what was typed, and None at the end of the input. Each line is to be accepted."""

    prompt: str = ""
    interactive: bool = field(default_factory=lambda: sys.stdin.isatty() and sys.stdout.isatty())
    lines: asyncio.Queue[str | None] = field(default_factory=asyncio.Queue)
    _prompting: bool = False
    _accepted: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Read in a thread of its own: it may be stuck in there when the program ends."""
        before = _attributes() if self.interactive else None
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, args=(loop,), daemon=True).start()
        try:
            yield
        finally:
            if self._prompting:
                self._write(_ERASE)
            if before is not None:
                termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)

    def show(self, text: str, *, dim: bool = False) -> None:
        line = f"{_DIM}{text}{_PLAIN}" if dim and self.interactive else text
        if not self._prompting:
            self._write(line + "\n")
            return
        typed = readline.get_line_buffer() if readline else ""
        above = _ERASE + (_UP + _ERASE) * _extra_rows(self.prompt + typed)
        self._write(f"{above}{line}\n{self.prompt}{typed}")

    def accept(self, line: str) -> None:
        """Erase a line that was just typed: it is shown again in its place in the conversation."""
        if self.interactive:
            self._write(_ERASE + (_UP + _ERASE) * (1 + _extra_rows(self.prompt + line)))
        self._accepted.set()

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is gone: so is whoever would read this
            for line in self._typed() if self.interactive else _piped():
                loop.call_soon_threadsafe(self.lines.put_nowait, line)
            loop.call_soon_threadsafe(self.lines.put_nowait, None)

    def _typed(self) -> Iterator[str]:
        """The next prompt comes once the last line was accepted, so that nothing is drawn between the two."""
        with contextlib.suppress(EOFError):
            while True:
                self._prompting = True
                line = input(self.prompt)
                self._prompting = False
                yield line
                self._accepted.wait()
                self._accepted.clear()


def _piped() -> Iterator[str]:
    """Not by sys.stdin: a thread that sits in its lock would bring the interpreter down at the end."""
    rest = b""
    while chunk := os.read(0, _CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.decode(errors="replace") for line in lines)
    if rest:
        yield rest.decode(errors="replace")


def _attributes() -> list[Any] | None:
    return termios.tcgetattr(sys.stdin) if termios else None


def _extra_rows(text: str) -> int:
    """How many more rows than one this text takes on the screen."""
    width = sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)
    return max(0, width - 1) // max(1, get_terminal_size().columns)
