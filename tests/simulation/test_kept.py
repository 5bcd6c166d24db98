"""A long run can be cut off, and goes on where it was."""

from __future__ import annotations

from pathlib import Path

import tests.functions.environment  # noqa: F401  # read by the handlers when they are imported
from tests.simulation.__main__ import main
from tests.simulation.kept import keep, kept
from tests.simulation.totals import chunk


def test_what_was_noted_is_read_as_it_was(tmp_path: Path) -> None:
    file, seeds = tmp_path / "run.jsonl", range(3, 6)
    totals = chunk(seeds)
    totals.cpu_s, totals.failures = 1.5, [(4, "something\nwas wrong")]
    keep(file, seeds, totals)
    assert list(kept(file)) == [(seeds, totals)]


def test_a_line_that_was_cut_off_is_none(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    keep(file, range(2), chunk(range(2)))
    whole = file.read_text()
    file.write_text(whole + whole[:40])
    assert [seeds for seeds, _ in kept(file)] == [range(2)]


def test_nothing_is_run_again(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    command = ["--seed", "20", "--histories", "4", "--workers", "1", "--keep", str(file)]
    assert main(command) == 0
    once = file.read_text()
    assert main(command) == 0
    assert file.read_text() == once
