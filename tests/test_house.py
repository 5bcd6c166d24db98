"""How the house is built, as far as no linter tells."""

from __future__ import annotations

import sys

import pytest

from local.settings import ROOT

# Here a name of the standard library would hide that module from whoever runs a file of the same folder as a script.
ROOMS = ("infra", "local", "ops")


@pytest.mark.parametrize("room", ROOMS)
def test_no_module_is_named_like_one_of_the_standard_library(room: str) -> None:
    paths = [path for path in (ROOT / room).rglob("*.py") if not path.stem.startswith("__")]
    names = {name for path in paths for name in path.relative_to(ROOT).with_suffix("").parts}
    assert names & sys.stdlib_module_names == set()
