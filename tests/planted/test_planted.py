"""Every planted bug is still plantable, and is found by the history that `found.json` names for it."""

from __future__ import annotations

from typing import Final

import pytest

from tests.planted import BUGS
from tests.planted.finders import page, read
from tests.planted.hunting import by_simulation
from tests.planted.mutation import ROOT, Bug, NotPlantableError, changed, planted

FINDERS: Final = read()
BY_HISTORY: Final = {name: finders.seed for name, finders in FINDERS.items() if finders.seed is not None}


@pytest.mark.parametrize("name", list(BUGS))
def test_each_bug_has_its_place_in_the_source(name: str) -> None:
    assert changed(BUGS[name])


def test_all_have_been_looked_for() -> None:
    assert FINDERS.keys() == BUGS.keys()


@pytest.mark.parametrize("name", list(BY_HISTORY))
def test_the_simulation_finds_it(name: str) -> None:
    found = by_simulation(BUGS[name], hint=BY_HISTORY[name])
    assert found, f"{name}: not found; look again with python -m tests.planted --write"


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
        ("_MS: Final = 1_000", "_MS: Final = 1"),
        ('"""The rules of the chat', '"""Rules of the chat'),  # does the same
    ],
)
def test_what_is_no_mistake_inside_of_a_function_is_refused(old: str, new: str) -> None:
    with pytest.raises(NotPlantableError):
        changed(Bug("x", "shared/chat/rules.py", old, new))


def test_the_page_lists_them_all() -> None:
    assert (ROOT / "docs" / "planted-bugs.md").read_text() == page(FINDERS)
