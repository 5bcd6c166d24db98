"""What `make bench` counts is held here, and so is the page that it makes; times are a machine's and judge nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from benchmarks import __main__ as bench
from benchmarks import centrifugo, counted, fan_out, frames, handlers, imports, quota, report, transport
from benchmarks.cost_model import CORE_MB
from benchmarks.report import Report, as_json, from_json, suites, worse, written
from benchmarks.rows import OURS, Subject, counted_rows, in_turns, rows_of, table

MACHINE = {"day": "2026-11-29", "processor": "one", "cores": "2"}
ROWS = (
    *counted_rows(counted.SUITE, "a message", "write units", {OURS: 1.0, "a counter and a put": 2.0}),
    *rows_of(transport.SUITE, "a put", "µs CPU", {OURS: [80.0, 100.0, 90.0], "boto3": [800.0, 800.0, 990.0]}),
    *rows_of(frames.SUITE, "decoding", "µs CPU", {OURS: [2.0], "pydantic": [4.0]}),
)
BEFORE = Report(MACHINE, ROWS)


def kept() -> Report:
    return from_json(report.FIGURES.read_text(encoding="utf-8"))


def changed(index: int, **values: float) -> Report:
    return Report(MACHINE, (*ROWS[:index], replace(ROWS[index], **values), *ROWS[index + 1 :]))  # type: ignore[arg-type]


def test_what_is_counted_is_what_docs_benchmarks_says() -> None:
    found = [row for row in kept().rows if row.suite == counted.SUITE]
    assert found == counted.rows(), f"if it is meant: make bench ONLY={counted.SUITE.lower()} WRITE=1"


def test_the_page_and_its_pictures_are_made_of_the_figures() -> None:
    files = written(kept())
    for path, text in files.items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: make bench WRITE=1"
    assert {path for path in files if path.suffix == ".svg"} == set(report.IMAGES.glob("bench-*.svg"))


def test_every_suite_is_on_the_page_and_each_row_beside_a_rivals_but_where_there_is_none() -> None:
    found = {bench._suite(row) for row in kept().rows}
    assert found == set(bench.SUITES)
    for suite, rows in suites(kept().rows):
        assert any(row.subject != OURS for row in rows), suite


def test_ratios_are_medians_of_the_rounds_own() -> None:
    assert [(row.subject, row.value, row.ratio) for row in ROWS[2:4]] == [(OURS, 90.0, 1.0), ("boto3", 800.0, 10.0)]


def test_the_subjects_take_turns_and_the_first_round_does_not_count() -> None:
    ran: list[str] = []
    names = ["a", "b", "c"]
    found = in_turns([Subject(name, partial(ran.append, name), 1) for name in names], 3)
    assert "".join(ran) == "abcbcacababc"
    assert {name: len(spent) for name, spent in found.items()} == dict.fromkeys(names, 3)


def test_a_file_of_figures_reads_as_it_was_written() -> None:
    assert from_json(as_json(BEFORE)) == BEFORE


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"machine": {}, "rows": [{"suite": "x"}]}', '{"rows": 1}'])
def test_another_file_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(text)


def test_what_is_counted_and_grows_is_found() -> None:
    counted_more, slower = worse(BEFORE, changed(0, value=2.0))
    assert (len(counted_more), slower) == (1, [])
    assert "1 before, 2 now" in counted_more[0]


@pytest.mark.parametrize(
    "now",
    [
        BEFORE,
        changed(0, value=0.0),
        changed(1, value=9.0),  # a rival's
        changed(2, value=999.0),  # a time: another machine's
        changed(3, ratio=9.0),  # not by much
        Report(MACHINE, (*ROWS, replace(ROWS[0], what="a new one", value=7.0))),
    ],
)
def test_nothing_else_is(now: Report) -> None:
    assert worse(BEFORE, now) == ([], [])


def test_where_the_lead_over_a_rival_shrinks_that_is_told() -> None:
    counted_more, slower = worse(BEFORE, changed(3, ratio=5.0))
    assert (counted_more, len(slower)) == ([], 1)
    assert "boto3 took 10.00 times as much before, 5.00 now" in slower[0]


def test_of_what_was_not_run_now_the_last_figures_stay_in_their_place() -> None:
    now = [replace(row, value=7.0) for row in ROWS[2:4]]
    merged = bench.merged(ROWS, now)
    assert merged == (*ROWS[:2], *now, *ROWS[4:])
    assert bench.merged((), now) == tuple(now)


def test_parts_of_a_suite_go_with_it() -> None:
    older = [replace(ROWS[2], suite=f"{imports.SUITE}, Python 3.13"), replace(ROWS[2], suite=centrifugo.SUITE)]
    newer = [replace(older[0], value=1.0), replace(ROWS[2], suite=handlers.SUITE)]
    assert bench.merged(older, newer) == tuple(newer)


def test_a_table_says_each_thing_once() -> None:
    assert table(ROWS[:2])[2:] == [
        "| a message, write units | Parley | 1 | 1.00 |",
        "|  | a counter and a put | 2 | 2.00 |",
    ]


def test_an_unknown_suite_is_refused_by_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["bench", "--only", "latency"])
    with pytest.raises(SystemExit) as ended:
        bench.main()
    assert ended.value.code == 2
    assert "no suite: latency; there are: Counted, " in capsys.readouterr().err


@pytest.mark.parametrize(("writes", "status"), [(1.0, 0), (0.5, 1)])
def test_a_run_ends_with_1_where_something_counted_has_grown(
    writes: float, status: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "benchmarks.json"
    place.write_text(as_json(changed(0, value=writes)), encoding="utf-8")
    monkeypatch.setattr(report, "FIGURES", place)
    monkeypatch.setattr(bench, "SUITES", {counted.SUITE: lambda _: ROWS[:2]})
    monkeypatch.setattr(sys, "argv", ["bench"])
    assert bench.main() == status
    assert ("GROWN" in capsys.readouterr().out) == bool(status)


# -- what runs code that no type checker reads, or other programs, still runs ---------------------------------------


def test_what_the_imports_benchmark_runs_of_ours_runs() -> None:
    assert imports._once(sys.executable, imports._ROOT, imports._OURS)[0] > 0


FEW: Final = """
from benchmarks import fan_out
fan_out.SIZES, fan_out._POSTS, fan_out.HANGING, fan_out.IS_POSSIBLE = (2,), 2, (), False
for row in fan_out.rows(1):
    print(row.subject, row.what, sep="|")
"""


def test_all_subjects_of_a_fan_out_reach_who_is_there() -> None:
    """In a process of its own: a benchmark leaves its connections open, and has everything trust its server."""
    done = subprocess.run([sys.executable, "-c", FEW], cwd=report.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    subjects, what = map(set, zip(*(line.split("|") for line in done.stdout.splitlines()), strict=True))
    assert subjects == set(fan_out.SUBJECTS)
    assert what == {"to 2", "to 2, answered after 8 ms", "to 100, a tenth gone"}


@pytest.mark.skipif(not quota.IS_POSSIBLE, reason="no other process's clock on this system")
def test_a_process_gets_its_share_of_a_core_and_no_more() -> None:
    spinning: Sequence[str] = [sys.executable, "-c", "while True: pass"]
    with subprocess.Popen(spinning) as child:
        try:
            with quota.held_to(child.pid, CORE_MB // 8):
                before, began = quota.spent_s(child.pid), time.monotonic()
                time.sleep(1)
                spent, wall = quota.spent_s(child.pid) - before, time.monotonic() - began
        finally:
            child.kill()
    assert 0 < spent < wall / 2


def test_without_centrifugo_there_are_no_rows_of_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CENTRIFUGO", str(tmp_path / "none"))
    assert centrifugo.rows(1, []) == []
