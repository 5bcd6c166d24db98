"""Which histories come to the place of a bug at all. Only those can show it, so only those are run with it."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from tests.planted.mutation import ROOT, Bug, changed_by, exchanged
from tests.simulation.runs import run_many
from tests.simulation.scenario import beginning

_NOTED: Final = "_planted_reached"


def reached(bugs: Sequence[Bug], seeds: Iterable[int]) -> Mapping[str, Sequence[int]]:
    """For each bug, by its name, the histories in which the statement that it is in runs, in order."""
    found: dict[str, list[int]] = defaultdict(list)
    beginning()
    with probed(bugs) as noted:
        for seed in seeds:
            noted.clear()
            run_many([seed])
            for name in noted:
                found[name].append(seed)
    return found


@contextmanager
def probed(bugs: Sequence[Bug]) -> Iterator[set[str]]:
    """The product with a note before the statement of each bug. What is noted is in the set, by the bugs' names."""
    noted: set[str] = set()
    by_path: dict[str, list[Bug]] = defaultdict(list)
    for bug in bugs:
        by_path[bug.path].append(bug)
    functions = []
    for path, there in by_path.items():
        source = (ROOT / path).read_text()
        tree = ast.parse(source)
        for bug in there:
            _probe(tree, source, bug)
        with_notes = compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)
        setattr(there[0].module, _NOTED, noted)
        functions += changed_by(there[0].module, compile(source, path, "exec", dont_inherit=True), with_notes)
    with exchanged(functions):
        yield noted


def _probe(tree: ast.Module, source: str, bug: Bug) -> None:
    """A note into the innermost block of statements in which the mistake begins, before its statement."""
    _, wrong = bug.sources
    at = next(place for place, (one, other) in enumerate(zip(source, wrong, strict=False)) if one != other)
    line, column = source.count("\n", 0, at) + 1, at - source.rfind("\n", 0, at) - 1
    note = ast.parse(f"{_NOTED}.add({bug.name!r})").body[0]
    block, index = _place(tree, line, len(source.splitlines()[line - 1][:column].encode()))
    block.insert(index, note)


def _place(tree: ast.AST, line: int, column: int) -> tuple[list[ast.stmt], int]:
    """The innermost statement of a function at this place, as its block and its index. Between two: the later one."""
    found: tuple[list[ast.stmt], int] | None = None
    for node in ast.walk(tree):  # outer ones first
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if not isinstance(block, list) or (found is None and not isinstance(node, ast.FunctionDef)):
                continue
            for index, statement in enumerate(block):
                begins, ends = (statement.lineno, 0), (statement.end_lineno or 0, statement.end_col_offset or 0)
                if begins <= (line, column) <= ends:
                    found = block, index
    if found is None:
        raise ValueError(f"no statement at {line}:{column}")
    return found
