import errno
import os
from pathlib import Path

import pytest

from local.emulator.journal import Journal, read


def batches(path: Path) -> list[list[list[object]]]:
    return list(read(path))


def test_batches_come_back_in_order_and_unchanged(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.append([["put", "log", {"text": "née\n  \u2028"}]])
    journal.append([["remove", 1], ["remove", 2]])
    assert batches(tmp_path / "journal") == [
        [["put", "log", {"text": "née\n  \u2028"}]],
        [["remove", 1], ["remove", 2]],
    ]
    journal.close()


@pytest.mark.parametrize("cut", range(1, 24))
def test_a_torn_last_batch_is_as_if_never_written(tmp_path: Path, cut: int) -> None:
    """Killed while writing: whatever part of the line got out, none of the batch counts."""
    path = tmp_path / "journal"
    journal = Journal(path)
    journal.append([["put", 1]])
    journal.append([["put", 2]])
    journal.close()
    os.truncate(path, path.stat().st_size - cut if cut < 20 else path.stat().st_size // 2)
    assert batches(path) == [[["put", 1]]]


def test_reading_ends_at_a_damaged_batch(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    journal = Journal(path)
    for number in range(3):
        journal.append([["put", number]])
    journal.close()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + lines[1].replace(b"put", b"pat") + lines[2])
    assert batches(path) == [[["put", 0]]]


def test_after_rotation_appends_go_to_the_next_file(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "one")
    journal.append([["put", 1]])
    journal.rotate(tmp_path / "two")
    assert journal.size == 0
    journal.append([["put", 2]])
    journal.close()
    assert (batches(tmp_path / "one"), batches(tmp_path / "two")) == ([[["put", 1]]], [[["put", 2]]])


def test_a_batch_that_does_not_fit_on_the_disk_leaves_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "journal"
    journal = Journal(path)
    journal.append([["put", 1]])
    write = os.write

    def nearly_full(fd: int, data: memoryview) -> int:
        if len(data) > 5:
            return write(fd, data[:5])
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", nearly_full)
        with pytest.raises(OSError, match="No space"):
            journal.append([["put", 2]])
    journal.append([["put", 3]])
    journal.close()
    assert batches(path) == [[["put", 1]], [["put", 3]]]
