"""Lines in and out of a pipe, and what every way in and out has in common. `editor.py` is the one for a terminal.

In a pipe there is no prompt and no escape sequence.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol

try:
    import termios
except ImportError:  # not every system has it: there a terminal can't be left in a bad state either
    termios = None  # type: ignore[assignment]

_CHUNK: Final = 65_536
_TAB: Final = " " * 4
# What could move the cursor, end the line, or turn what follows around: controls, line breaks, direction marks, and
# what is no character. The rest is shown, be it newer than this Python's tables: joiners and tags hold emoji together.
_HARMFUL: Final = re.compile(
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufdd0-\ufdef"
    r"\ufeff\ufff9-\ufffb\ufffe\uffff]"
)
# No bracketed paste, plain cursor keys and keypad, a visible cursor, no colours.
_PLAIN_SCREEN: Final = "\x1b[?2004l\x1b[?1l\x1b>\x1b[?25h\x1b[0m"


def harmless(text: str) -> str:
    """What others wrote, without anything that could move the cursor, or change what is on the screen already."""
    lines = [line.replace("\t", _TAB) for line in text.splitlines() or [""]]
    return "\n    ".join(_HARMFUL.sub("\N{REPLACEMENT CHARACTER}", line) for line in lines)


def one_line(text: str) -> str:
    """The same, for where there is room for one line only: a name, a status."""
    return " ".join(harmless(text).split())


class Terminal(Protocol):
    """`lines` gives what was typed, and None at the end of the input."""

    lines: asyncio.Queue[str | None]
    on_change: Callable[[str], None]  # what is typed so far, at each change; never called in a pipe
    on_interrupt: Callable[[], object]  # Ctrl-C, where the terminal takes it for a key

    def show(self, text: str, *, dim: bool = False) -> None: ...

    def prompt(self, text: str, status: str = "") -> None:
        """What stands before what is typed, and a line above it."""
        ...

    def reading(self) -> contextlib.AbstractContextManager[None]:
        """Lines come from here on, until it is left."""
        ...

    @property
    def interactive(self) -> bool:
        """Whether `prompt` is seen."""
        ...


class Pipe:
    """Lines from the standard input to the standard output."""

    interactive = False

    def __init__(self) -> None:
        self.lines: asyncio.Queue[str | None] = asyncio.Queue()
        self.on_change: Callable[[str], None] = lambda _: None
        self.on_interrupt: Callable[[], object] = lambda: None

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Read in a thread of its own: it may be stuck in there when the program ends."""
        threading.Thread(target=self._read, args=(asyncio.get_running_loop(),), daemon=True).start()
        yield

    def show(self, text: str, *, dim: bool = False) -> None:  # noqa: ARG002  # a pipe has no colours
        print(text, flush=True)  # noqa: T201

    def prompt(self, text: str, status: str = "") -> None:
        """Is not seen."""

    def _read(self, loop: asyncio.AbstractEventLoop) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is gone: so is the reader of this
            for line in _piped():
                loop.call_soon_threadsafe(self.lines.put_nowait, line)
            loop.call_soon_threadsafe(self.lines.put_nowait, None)


def open_terminal() -> Terminal:
    """The editor on a terminal, if what it takes is installed (`parley-client[chat]`); else plain lines."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return Pipe()
    make_sane()
    try:
        from parley_client.editor import Editor  # noqa: PLC0415  # most applications do without it
    except ImportError:
        pipe = Pipe()
        pipe.show("* for a line editor: pip install 'parley-client[chat]'")
        return pipe
    return Editor()


def make_sane() -> None:
    """Lines, echo and signals as a shell expects them, whatever a program that was killed here has left behind."""
    if termios is None or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    with contextlib.suppress(termios.error):
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, _sane(termios.tcgetattr(sys.stdin)))
    with contextlib.suppress(OSError):
        sys.stdout.write(_PLAIN_SCREEN)
        sys.stdout.flush()


def _sane(attributes: list[Any]) -> list[Any]:
    """What `stty sane` does to what matters here; keys and speeds stay as they are."""
    into, out, control, local, *rest = attributes
    into = (into | termios.ICRNL | termios.IXON | termios.BRKINT) & ~(termios.INLCR | termios.IGNCR | termios.ISTRIP)
    out |= termios.OPOST | termios.ONLCR
    local |= termios.ISIG | termios.ICANON | termios.IEXTEN
    local |= termios.ECHO | termios.ECHOE | termios.ECHOK
    return [into, out, control, local, *rest]


def _piped() -> Iterator[str]:
    """Not by sys.stdin: a thread that sits in its lock would bring the interpreter down at the end."""
    rest = b""
    while chunk := os.read(0, _CHUNK):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from (line.decode(errors="replace") for line in lines)
    if rest:
        yield rest.decode(errors="replace")
