"""How the modules are named, as far as no linter tells."""

from __future__ import annotations

import sys

import pytest

from local.settings import ROOT

FOLDERS = ("infra", "functions", "shared", "local", "ops", "tests", "benchmarks", "clients/python/src")


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_module_is_named_like_one_of_the_standard_library(folder: str) -> None:
    """Such a name hides the other module from a file of its folder that is run as a script, and confuses readers."""
    paths = [path for path in (ROOT / folder).rglob("*.py") if not path.stem.startswith("__")]
    assert paths
    names = {name for path in paths for name in path.relative_to(ROOT / folder).with_suffix("").parts}
    assert names & sys.stdlib_module_names == set()
