from collections.abc import Iterator
from pathlib import Path

import pytest

from local.emulator.generations import Generations
from local.emulator.journal import Journal, read

KILLED_AFTER = ["rotation", "begin", "half a snapshot", "commit"]


def checkpoint(generations: Generations, journal: Journal, content: str) -> None:
    for _ in checkpoint_steps(generations, journal, content):
        pass


def checkpoint_steps(generations: Generations, journal: Journal, content: str) -> Iterator[str]:
    """What a checkpoint does, with a stop after each step at which its process may be killed."""
    number = generations.next_number()
    journal.rotate(generations.journal(number))
    yield "rotation"
    folder = generations.begin(number)
    yield "begin"
    (folder / "state").write_text(content)
    yield "half a snapshot"
    generations.commit(number)
    yield "commit"


def recovered(root: Path) -> str:
    """What a new process makes of what it finds: the snapshot and, after it, the journals."""
    generations = Generations(root)
    generations.sweep()
    current = generations.current
    state = "" if current is None else (generations.snapshot(current) / "state").read_text()
    return state + "".join(change[0] for path in generations.journals() for changes in read(path) for change in changes)


def test_without_any_snapshot_the_journal_alone_counts(tmp_path: Path) -> None:
    generations = Generations(tmp_path)
    journal = Journal(generations.journal(generations.next_number()))
    journal.append([["a"]])
    assert recovered(tmp_path) == "a"


@pytest.mark.parametrize("killed_after", KILLED_AFTER)
def test_killed_at_any_point_of_a_checkpoint_nothing_is_lost_or_doubled(tmp_path: Path, killed_after: str) -> None:
    generations = Generations(tmp_path)
    journal = Journal(generations.journal(generations.next_number()))
    journal.append([["a"]])
    checkpoint(generations, journal, "a")
    journal.append([["b"]])
    for step in checkpoint_steps(generations, journal, "ab"):
        if step == killed_after:
            break
    # A change that came in while the snapshot was being written is in the new journal alone.
    journal.append([["c"]])
    assert recovered(tmp_path) == "abc"


@pytest.mark.parametrize("killed_after", KILLED_AFTER)
def test_the_next_checkpoint_after_a_killed_one_succeeds(tmp_path: Path, killed_after: str) -> None:
    generations = Generations(tmp_path)
    journal = Journal(generations.journal(generations.next_number()))
    for step in checkpoint_steps(generations, journal, "lost"):
        if step == killed_after:
            break
    again = Generations(tmp_path)
    again.sweep()
    new_journal = Journal(again.journal(again.next_number()))
    checkpoint(again, new_journal, "whole")
    new_journal.append([["+"]])
    assert recovered(tmp_path) == "whole+"


def test_a_commit_leaves_one_snapshot_and_one_journal(tmp_path: Path) -> None:
    generations = Generations(tmp_path)
    journal = Journal(generations.journal(generations.next_number()))
    for content in "abc":
        checkpoint(generations, journal, content)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["CURRENT", "journal-4", "snapshot-4"]
