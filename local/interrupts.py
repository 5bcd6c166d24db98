"""Ctrl-C, SIGTERM and SIGHUP end a command and every process that it has started, and nothing else.

Also for the set-up script: standard library only, syntax of Python 3.7.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE_SECONDS = 15.0
POLL_SECONDS = 0.02
EXIT_CODES = {number: 128 + number for number in ENDING}


class Interrupted(KeyboardInterrupt):
    """The command is to end at once: by Ctrl-C, or by one of the other signals."""

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__()
        self.number = signal.Signals(number)


class _State:
    """What a signal finds: whether it has to wait, and which processes end with the command."""

    deferred = 0
    pending: int | None = None
    children: ClassVar[dict[int, Callable[[], object]]] = {}  # by process id: what is to be done after it was ended


def listen() -> None:
    """From here on the signals raise Interrupted. One that the caller ignores (`nohup`) stays ignored."""
    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _on_signal)


def _on_signal(number: int, _frame: object) -> None:
    if _State.deferred:
        _State.pending = number
    else:
        raise Interrupted(number)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """A signal that comes in here raises at its end."""
    _State.deferred += 1
    try:
        yield
    finally:
        _State.deferred -= 1
    if not _State.deferred and _State.pending is not None:
        number, _State.pending = _State.pending, None
        raise Interrupted(number)


def _nothing() -> None:
    pass


def start(command: Sequence[str], *, after: Callable[[], object] = _nothing, **options: Any) -> subprocess.Popen[bytes]:
    """Start a process, in a group of its own, that ends with this command unless it is let go.

    `after` is called when it was ended by an interruption.
    """
    with uninterrupted():
        child = subprocess.Popen(list(command), start_new_session=True, **options)
        _State.children[child.pid] = after
    return child


def let_go(child: subprocess.Popen[bytes]) -> None:
    """The process has ended, or is to live on after this command."""
    _State.children.pop(child.pid, None)


def let_go_of_all() -> None:
    """What was started lives on after this command."""
    _State.children.clear()


def run(command: Sequence[str], **options: Any) -> int:
    """The exit code of a command that ends, with all that it has started, when this one is interrupted."""
    child = start(command, **options)
    code = child.wait()
    let_go(child)
    return code


def end_children() -> None:
    """End what was started and not let go: SIGTERM to its group, SIGKILL where that is not enough."""
    _State.deferred += 1  # a second Ctrl-C changes nothing: this takes no longer than the grace
    for pid, after in list(_State.children.items()):
        _end_group(pid)
        after()
        _State.children.pop(pid, None)
    _State.deferred -= 1
    _State.pending = None


def _end_group(group: int) -> None:
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(group, number)
        if _is_gone(group, time.monotonic() + GRACE_SECONDS):
            return


def _is_gone(group: int, deadline: float) -> bool:
    while True:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(group, os.WNOHANG)  # until it is collected, an ended process is still in its group
        try:
            os.killpg(group, 0)
        except (ProcessLookupError, PermissionError):  # macOS says the latter of a group of zombies
            return True
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
