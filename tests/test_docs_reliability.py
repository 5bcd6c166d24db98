"""The page of faults agrees with the tests: each that it names is there, and nothing that is tested is left out."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import tests.functions.environment  # noqa: F401  # read by the handlers when they are imported
from tests.simulation.faults import Fault

TESTS = Path(__file__).resolve().parent
PAGE = (TESTS.parent / "docs" / "reliability.md").read_text(encoding="utf-8")
MATRIX = PAGE.partition("\n## The matrix\n")[2].partition("\n## ")[0]
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")
COLUMNS = ["fault", "where it can strike", "what holds", "the test"]


def rows() -> list[list[str]]:
    lines = [line for line in MATRIX.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row != COLUMNS and set(row) != {"---"}]


@cache
def functions(path: str) -> frozenset[str]:
    tree = ast.parse((TESTS / path).read_text(encoding="utf-8"))
    return frozenset(one.name for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("row", rows(), ids=lambda row: re.sub(r"\W+", "_", " ".join(row[:2]))[:60])
def test_a_row_has_a_fault_a_place_what_holds_and_a_test_that_exists(row: list[str]) -> None:
    fault, place, invariant, shown = row
    assert fault
    assert place
    assert len(invariant.split()) > 1
    named = NAMED.findall(shown)
    assert named
    assert re.sub(NAMED, "", shown).replace(",", "").strip() == "", "something else than tests"
    for path, name in named:
        assert name.startswith("test_")
        assert (TESTS / path).is_file(), path
        assert name in functions(path), f"{path} has no {name}"


def test_the_matrix_has_rows_and_no_row_twice() -> None:
    assert len(rows()) > 50
    assert len({tuple(row[:3]) for row in rows()}) == len(rows())


def test_every_module_of_tests_for_faults_is_in_the_matrix() -> None:
    modules = {path.relative_to(TESTS).as_posix() for path in (TESTS / "faults").glob("test_*.py")}
    assert modules == {path for path, _ in NAMED.findall(MATRIX) if path.startswith("faults/")}


def test_every_fault_of_the_simulation_is_named() -> None:
    text = " ".join(PAGE.split())
    assert [fault.value for fault in Fault if fault.value not in text] == []


def test_the_figures_are_those_of_the_bad_input() -> None:
    from tests.bad_input import records
    from tests.bad_input.all_frames import FRAMES
    from tests.bad_input.requests_bodies import REQUEST_BODIES
    from tests.bad_input.requests_lines import LINES

    requests = (*LINES, *REQUEST_BODIES)
    tables = [table for name, table in vars(records).items() if name.isupper() and isinstance(table, dict)]
    over_sockets = [sum(not case.only_here for case in cases) for cases in (FRAMES, requests)]
    figures = re.findall(r"\| ([^|]+) \|$", PAGE.partition("\n### Bad input\n")[2].partition("\n19 ")[0], re.MULTILINE)
    assert figures[1:] == [
        str(len(FRAMES)),
        str(len(requests)),
        str(sum(map(len, tables))),
        "{} frames, {} requests".format(*over_sockets),
    ]


def test_the_figures_are_those_of_the_operations() -> None:
    from tests.faults.operations import calm
    from tests.faults.steps import SERVICE_CALLS
    from tests.faults.table import OPERATIONS
    from tests.faults.test_retries import PASSING, suffers

    steps = [step for operation in OPERATIONS for step in calm(operation)[1]]
    single = sum(suffers(step, fault) for step in steps for fault in PASSING)
    outages = sum(step.name in SERVICE_CALLS for step in steps)
    assert f" {len(OPERATIONS)} operations stand in its table" in PAGE
    assert f"| {2 * len(steps)} points |" in PAGE
    assert f"| {single} times |" in PAGE
    assert f"| {outages} times |" in PAGE
