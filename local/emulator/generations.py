"""Snapshots and journals on disk, numbered so that one rename decides which of them count.

    state/CURRENT        the number N of the snapshot that counts
    state/snapshot-N/    everything as it was when journal N began
    state/journal-N      what happened since; a higher number continues a lower one

A checkpoint starts journal N+1, writes snapshot N+1 aside, renames it, names it in CURRENT, and then deletes what is
older. Killed anywhere in between, CURRENT still names a whole snapshot, and the journals from its number on hold all
that came after. Changes are redone as they were recorded, so redoing one that a snapshot already holds does no harm.
"""

import shutil
from pathlib import Path


class Generations:
    """The snapshots and journals below one folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        root.mkdir(parents=True, exist_ok=True, mode=0o700)

    @property
    def current(self) -> int | None:
        """The number of the snapshot that counts, or None when there is none yet."""
        try:
            return int((self._root / "CURRENT").read_text(encoding="ascii"))
        except FileNotFoundError:
            return None

    def snapshot(self, number: int) -> Path:
        return self._root / f"snapshot-{number}"

    def journal(self, number: int) -> Path:
        return self._root / f"journal-{number}"

    def journals(self) -> list[Path]:
        """The journals that continue the current snapshot, in order."""
        return [self.journal(number) for number in self._journal_numbers() if number >= (self.current or 0)]

    def next_number(self) -> int:
        return max([self.current or 0, *self._journal_numbers()]) + 1

    def begin(self, number: int) -> Path:
        """An empty folder for snapshot `number`; it counts for nothing before `commit`."""
        aside = self._root / f"snapshot-{number}.tmp"
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(mode=0o700)
        return aside

    def commit(self, number: int) -> None:
        """From here on snapshot `number` counts, and everything older is deleted."""
        (self._root / f"snapshot-{number}.tmp").replace(self.snapshot(number))
        pointer = self._root / "CURRENT.tmp"
        pointer.write_text(str(number), encoding="ascii")
        pointer.replace(self._root / "CURRENT")
        self.sweep()

    def sweep(self) -> None:
        """Delete what no longer counts, also what a killed checkpoint left behind."""
        current = self.current or 0
        keep = {self.snapshot(current), self._root / "CURRENT"}
        keep |= {self.journal(number) for number in self._journal_numbers() if number >= current}
        for path in set(self._root.iterdir()) - keep:
            shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _journal_numbers(self) -> list[int]:
        return sorted(int(path.name.removeprefix("journal-")) for path in self._root.glob("journal-*"))
