"""An append-only redo log that survives the death of its process at any moment.

One line is one atomic batch of changes: a CRC32 in hex, a space, JSON, a newline. A line that is torn or damaged was
never acknowledged to anyone, so reading ends there.
"""

import json
import os
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Change = list[Any]
"""A JSON list whose first element names the kind of change."""


class Journal:
    """Appends batches of changes to one file at a time; `rotate` moves on to the next file between two batches.

    An append has reached the operating system when it returns: it outlives the process, though not a power cut.
    """

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._fd = _open(path)
        self.size = 0

    def append(self, changes: list[Change]) -> None:
        """Write the batch, all or nothing.

        Raises:
            OSError: the disk is full or gone; the batch counts as not written.

        """
        line = _encode(changes)
        with self._lock:
            _write_all(self._fd, line)
            self.size += len(line)

    def rotate(self, path: Path) -> None:
        """Every later append goes to `path`."""
        with self._lock:
            old, self._fd, self.size = self._fd, _open(path), 0
        os.close(old)

    def close(self) -> None:
        os.close(self._fd)


def read(path: Path) -> Iterator[list[Change]]:
    """The batches of a journal, oldest first, up to the first that is torn or damaged."""
    with path.open("rb") as lines:
        for line in lines:
            changes = _decode(line)
            if changes is None:
                return
            yield changes


def _open(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def _encode(changes: list[Change]) -> bytes:
    body = json.dumps(changes, separators=(",", ":")).encode()
    return b"%08x %s\n" % (zlib.crc32(body), body)


def _decode(line: bytes) -> list[Change] | None:
    checksum, _, body = line.partition(b" ")
    if not body.endswith(b"\n") or checksum != b"%08x" % zlib.crc32(body[:-1]):
        return None
    changes: list[Change] = json.loads(body)
    return changes


def _write_all(fd: int, data: bytes) -> None:
    # A short write (disk nearly full) leaves a torn line, at which reading ends: cut it off before reporting.
    start = os.lseek(fd, 0, os.SEEK_END)
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(fd, view) :]
    except OSError:
        os.ftruncate(fd, start)
        raise
