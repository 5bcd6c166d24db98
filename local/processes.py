"""Processes that outlive the command that started them: who they are, and ending them without hitting anyone else.

A process id alone is no identity, for the system gives it to another one later: id and start time together are one.
"""

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Process:
    """One process of this machine, now or earlier."""

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        return start_time(self.pid) == self.started


def start_time(pid: int) -> str | None:
    """When the process began, in whatever form the system tells it; None if there is none (a zombie is none)."""
    if PROC.is_dir():
        return _start_time_from_proc(pid)
    fields = _ps("-o", "stat=,lstart=", "-p", str(pid)).split(maxsplit=1)
    return fields[1].strip() if fields and not fields[0].startswith("Z") else None


def _start_time_from_proc(pid: int) -> str | None:
    try:
        # The second field is the command in parentheses and may hold anything.
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    state, started = fields[0], fields[19]
    return None if state == "Z" else started


def stop(process: Process, *, grace: float) -> bool:
    """End the process: SIGTERM, and SIGKILL after `grace` seconds. Tells whether it left by itself."""
    return stop_all([process], grace=grace)


def stop_all(processes: Sequence[Process], *, grace: float) -> bool:
    """The same of several, side by side."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for process in processes:
            _signal(process, number)
        if wait_until(lambda: not any(process.alive for process in processes), grace):
            return number == signal.SIGTERM
    return False


def _signal(process: Process, number: signal.Signals) -> None:
    if process.alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether the condition came true within that time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def children(pid: int) -> list[Process]:
    """The processes that this one has started and that are still there."""
    parents = [line.split() for line in _ps("-A", "-o", "pid=,ppid=").splitlines()]
    found = [int(child) for child, parent in parents if int(parent) == pid]
    return [Process(child, started) for child in found if (started := start_time(child))]


def running_below(folder: Path) -> list[Process]:
    """The processes whose command names a file below `folder`: a Lambda worker runs a script in the temp folder."""
    marker = f"{folder}/"
    return [
        Process(pid, started)
        for pid, command in _commands()
        if marker in command and pid != os.getpid() and (started := start_time(pid))
    ]


def find(command: re.Pattern[str]) -> tuple[Process, re.Match[str]] | None:
    """A process whose command matches, and the match."""
    for pid, words in _commands():
        if (match := command.search(words.rstrip())) and pid != os.getpid() and (started := start_time(pid)):
            return Process(pid, started), match
    return None


def _commands() -> Iterator[tuple[int, str]]:
    if PROC.is_dir():
        for path in PROC.glob("[0-9]*/cmdline"):
            with contextlib.suppress(OSError):
                yield int(path.parent.name), path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return
    for line in _ps("-A", "-o", "pid=,command=").splitlines():
        pid, _, command = line.strip().partition(" ")
        yield int(pid), command


def _ps(*arguments: str) -> str:
    return subprocess.run(["ps", *arguments], capture_output=True, text=True, check=False).stdout
