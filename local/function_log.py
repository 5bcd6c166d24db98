"""The log of what the functions print: its last lines, and new ones as they come."""

import contextlib
import os
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from local.log_lines import render

POLL_SECONDS = 0.2


def lines(path: Path, *, last: int, follow: bool) -> Iterator[str]:
    """The last lines of the log, and then, with `follow`, each new one as it comes (until interrupted).

    Following goes on in the file that a restart or a reset puts into the place of this one.
    """
    kept: int | None = last
    while True:
        log = _open(path)
        if log is not None:
            with log:
                yield from deque(_whole_lines(log), maxlen=kept)
                while follow and not _was_replaced(path, log):
                    time.sleep(POLL_SECONDS)
                    yield from _whole_lines(log)
        elif follow:
            time.sleep(POLL_SECONDS)
        if not follow:
            return
        kept = None  # of the next file, every line is new


def last_words(path: Path) -> str:
    """The last line that a function printed, for an error message."""
    newest = list(lines(path, last=1, follow=False))
    return render(newest[0]) if newest else "The functions have said nothing"


def _open(path: Path) -> BinaryIO | None:
    with contextlib.suppress(FileNotFoundError):
        return path.open("rb")
    return None


def _was_replaced(path: Path, log: BinaryIO) -> bool:
    try:
        return not os.path.samestat(path.stat(), os.fstat(log.fileno()))
    except FileNotFoundError:
        return False  # nothing is in its place yet


def _whole_lines(log: BinaryIO) -> Iterator[str]:
    """What has been written since the last look; half a line waits for its other half."""
    position = log.tell()
    for line in iter(log.readline, b""):
        if not line.endswith(b"\n"):
            log.seek(position)
            return
        position += len(line)
        yield line.decode(errors="replace")
