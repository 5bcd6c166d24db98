"""Every planted bug is still plantable, and something finds it: a test by its name, most of them a history, too.

What is noted in `found.json` is tried again here for some of them; for all by `python -m tests.planted`.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.planted import BUGS
from tests.planted.finders import page, read
from tests.planted.hunting import HISTORIES, by_simulation
from tests.planted.mutation import ROOT, Bug, NotPlantableError, changed, planted

FINDERS: Final = read()
BY_HISTORY: Final = {name: one for name, one in FINDERS.items() if one.seed is not None}
LEAST_BUGS: Final = 120
LEAST_BY_HISTORY: Final = 60
DECLARED: Final = {ROOT / "shared/wire/shapes", ROOT / "shared/ports"}
"""Types alone: nothing runs there but at its import, which belongs to no test."""
EVERY: Final = 8
EASIEST: Final = 40
AGAIN: Final = 200
"""How many histories are tried where the noted one shows a bug no more, since what happens in it has changed."""


@pytest.mark.parametrize("name", list(BUGS))
def test_each_bug_has_its_place_in_the_source(name: str) -> None:
    assert changed(BUGS[name])


def test_they_are_planted_all_over_the_product() -> None:
    planted_in = {str(Path(bug.path).parent) for bug in BUGS.values()}
    packages = {
        str(path.parent.relative_to(ROOT))
        for folder in ("shared", "functions")
        for path in (ROOT / folder).rglob("*.py")
        if path.parent not in {ROOT / folder, *DECLARED} and re.search(r"^ *def ", path.read_text(), re.MULTILINE)
    }
    assert packages <= planted_in
    assert len(BUGS) >= LEAST_BUGS


def test_each_is_found_by_a_test_that_there_is() -> None:
    assert FINDERS.keys() == BUGS.keys()
    for name, one in FINDERS.items():
        assert one.test, name
        file, test = one.test.split("::")[0], one.test.split("::")[-1]
        assert f"def {test}(" in (ROOT / file).read_text(), name


def test_many_are_found_by_histories() -> None:
    assert len(BY_HISTORY) >= LEAST_BY_HISTORY
    assert all(one.histories <= HISTORIES for one in BY_HISTORY.values())


@pytest.mark.parametrize("name", sorted(BY_HISTORY, key=lambda name: BY_HISTORY[name].histories)[:EASIEST:4])
def test_the_simulation_finds_it_again(name: str) -> None:
    seed = BY_HISTORY[name].seed
    assert seed is not None
    assert by_simulation(BUGS[name], [seed, *range(AGAIN)]), f"look again: python -m tests.planted --write '{name}'"


def test_the_tests_find_them_again() -> None:
    some = sorted(FINDERS, key=lambda name: FINDERS[name].test or "")[::EVERY]
    done = _command("--check", *some)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_bug_of_ones_own_is_hunted() -> None:
    own = ("--path", "shared/domain/rules.py", "--old", "if size > limit:", "--new", "if size > limit + 1:")
    done = _command(*own, "--by", "tests", "--tests", "tests/shared/operations/test_groups.py")
    assert "test_groups.py::" in done.stdout
    assert done.returncode == 0, done.stdout + done.stderr
    assert _command("--path", "shared/domain/rules.py", "--old", "there is no such line").returncode == 2


def _command(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.planted", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_a_planted_bug_is_gone_afterwards() -> None:
    bug = BUGS["others' messages can be edited"]
    functions = changed(bug)
    before = [function.__code__ for function, _ in functions]
    with planted(bug):
        assert [function.__code__ for function, _ in functions] == [code for _, code in functions]
    assert [function.__code__ for function, _ in functions] == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("there is no such line", ""),  # not there
        ("from __future__ import annotations", ""),  # what runs at the import
        ("MAX_MENTIONS: Final = 50", "MAX_MENTIONS: Final = 5"),
        ('"""The rules of the chat', '"""Rules of the chat'),  # does the same
    ],
)
def test_what_is_no_mistake_inside_of_a_function_is_refused(old: str, new: str) -> None:
    with pytest.raises(NotPlantableError):
        changed(Bug("x", "shared/domain/rules.py", old, new))


def test_the_page_lists_them_all() -> None:
    assert (ROOT / "docs" / "planted-bugs.md").read_text() == page(FINDERS)
