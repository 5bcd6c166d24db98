"""The functions' processes on the local stack: how much memory and how many open files each has."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from local.log_lines import short_name
from local.processes import PROC, running_below
from local.settings import Settings

_MB = 1_024 * 1_024
_FOLDER = "ministack-lambda-"
_WORKER = "_worker.py"


@dataclass(frozen=True, slots=True)
class Worker:
    """`rss` is bytes."""

    function: str
    rss: int
    files: int


def workers(settings: Settings) -> dict[int, Worker]:
    """By process id; none where the system does not tell (it is Linux that does)."""
    found: dict[int, Worker] = {}
    for process in running_below(settings.temp) if PROC.is_dir() else []:
        folder = PROC / str(process.pid)
        try:
            script = Path(next(each for each in _command(folder) if each.endswith(_WORKER)))
            pages = int((folder / "statm").read_text().split()[1])
            files = len(list((folder / "fd").iterdir()))
        except (OSError, StopIteration):
            continue  # it has ended meanwhile, or is another process
        function = short_name(script.parent.name.removeprefix(_FOLDER))
        found[process.pid] = Worker(function, pages * os.sysconf("SC_PAGE_SIZE"), files)
    return found


def _command(folder: Path) -> list[str]:
    return (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")


def table(samples: Sequence[Mapping[int, Worker]]) -> list[str]:
    """A line for each function: of its workers that were there all the time, the memory and the files at each look."""
    always = set[int].intersection(*(set(sample) for sample in samples))
    lines = []
    for function in sorted({worker.function for sample in samples for worker in sample.values()}):
        stayed = sorted(pid for pid in always if samples[0][pid].function == function)
        if stayed:
            memory = " → ".join(
                f"{sum(sample[pid].rss for pid in stayed) / len(stayed) / _MB:.1f}" for sample in samples
            )
            files = " → ".join(f"{max(sample[pid].files for pid in stayed)}" for sample in samples)
            lines.append(f"{function:<14} {len(stayed):>3} workers, {memory} MB each, at most {files} open files")
    return lines
