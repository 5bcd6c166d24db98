"""The line at the bottom of a terminal, with what comes in above it: by prompt_toolkit, which keeps it whole.

What is typed, the prompt and the status line above it are one block. It is erased, a new line is written where it
stood, and it is drawn again below: so nothing of it is ever left behind in what was said.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from prompt_toolkit import PromptSession
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.formatted_text import StyleAndTextTuples
from prompt_toolkit.output.vt100 import Vt100_Output
from prompt_toolkit.shortcuts import CompleteStyle
from prompt_toolkit.utils import get_cwidth

from parley_client.chat_commands import NAMES
from parley_client.terminal import make_sane

_DIM, _PLAIN = "\x1b[2m", "\x1b[0m"
_MORE: Final = "…"


class Editor:
    """See `Terminal`. Ctrl-C and Ctrl-D end the input, Ctrl-Z stops the program until `fg`."""

    interactive = True

    def __init__(self) -> None:
        self.lines: asyncio.Queue[str | None] = asyncio.Queue()
        self.on_change: Callable[[str], None] = lambda _: None
        self.on_interrupt: Callable[[], object] = lambda: None
        self._prompt, self._status = "> ", ""
        self._output = Vt100_Output.from_pty(sys.stdout)
        self._output.enable_cpr = False  # an answer of the terminal's that comes too late would land in the shell
        self._session: PromptSession[str] = PromptSession(
            self._drawn,
            output=self._output,
            completer=_Commands(),
            complete_style=CompleteStyle.READLINE_LIKE,
            complete_while_typing=False,
            reserve_space_for_menu=0,
            enable_suspend=True,
            erase_when_done=True,
        )
        buffer = self._session.default_buffer
        buffer.accept_handler = self._accept
        buffer.on_text_changed += lambda changed: self.on_change(changed.text)

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        task = asyncio.create_task(self._edit())
        with _after_a_stop(self._draw_again):
            try:
                yield
            finally:
                task.cancel()
                self._session.app.renderer.erase()
                make_sane()

    def show(self, text: str, *, dim: bool = False) -> None:
        line = f"{_DIM}{text}{_PLAIN}" if dim else text
        app = self._session.app
        if app.is_running:
            app.renderer.erase()
        self._output.write_raw(line + "\n")
        self._output.flush()
        app.invalidate()

    def prompt(self, text: str, status: str = "") -> None:
        if (text, status) != (self._prompt, self._status):
            self._prompt, self._status = text, status
            self._session.app.invalidate()

    def _drawn(self) -> StyleAndTextTuples:
        """The status line, if there is something to say and room to say it, and the prompt."""
        columns = self._output.get_size().columns
        status = _cut(self._status, columns - 1)
        above: StyleAndTextTuples = [("ansibrightblack", f"{status}\n")] if status else []
        return [*above, ("bold", _cut(self._prompt, max(4, columns // 2)))]

    async def _edit(self) -> None:
        """Until the input ends. Enter does not end it: what was typed is put into `lines`."""
        try:
            with contextlib.suppress(EOFError):
                await self._session.prompt_async(handle_sigint=False, set_exception_handler=False)
        except KeyboardInterrupt:
            self.on_interrupt()
        self.lines.put_nowait(None)

    def _accept(self, buffer: Buffer) -> bool:
        self.lines.put_nowait(buffer.text)
        return False  # the next line begins empty

    def _draw_again(self) -> None:
        """The screen may have been another program's meanwhile."""
        self._session.app.renderer.erase()
        self._session.app.invalidate()


class _Commands(Completer):
    def get_completions(self, document: Document, complete_event: Any) -> Iterable[Completion]:  # noqa: ARG002
        typed = document.text_before_cursor
        if typed.startswith("/") and " " not in typed:
            yield from (Completion(name + " ", start_position=-len(typed)) for name in NAMES if name.startswith(typed))


@contextlib.contextmanager
def _after_a_stop(draw: Callable[[], None]) -> Iterator[None]:
    """Draw again when this program goes on after it was stopped."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError, AttributeError):  # not on every system
        loop.add_signal_handler(signal.SIGCONT, draw)
    try:
        yield
    finally:
        with contextlib.suppress(NotImplementedError, AttributeError):
            loop.remove_signal_handler(signal.SIGCONT)


def _cut(text: str, columns: int) -> str:
    """As much of it as fits into so many columns."""
    if get_cwidth(text) <= columns:
        return text
    while text and get_cwidth(text) >= columns:
        text = text[:-1]
    return text + _MORE
