"""The Python client keeps to every scenario of clients/vectors; each finds a mistake that is put into a copy of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.vectors.driver import run, scenarios

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "clients/python/src/parley_client"
SCENARIOS = {scenario["name"]: scenario for scenario in scenarios()}
_LISTED = json.loads(Path(__file__).with_name("planted.json").read_text(encoding="utf-8"))
PLANTED = [each for each in _LISTED if "python" in each]


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_client_keeps_to_the_scenario(name: str) -> None:
    run(SCENARIOS[name])


def test_there_are_enough_and_each_has_a_name_and_a_reason() -> None:
    assert len(SCENARIOS) == len(scenarios()) >= 60
    for scenario in scenarios():
        assert set(scenario) - {"may_send"} == {"name", "about", "steps"}


def test_each_scenario_finds_a_mistake() -> None:
    assert set(SCENARIOS) == {name for each in PLANTED for name in each["python"]["finds"]}


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted["mistake"].replace(" ", "-"))
def test_a_mistake_is_found(planted: dict[str, Any], tmp_path: Path) -> None:
    change = planted["python"]
    shutil.copytree(SOURCE, tmp_path / "parley_client", ignore=shutil.ignore_patterns("__pycache__"))
    file = tmp_path / "parley_client" / change["file"]
    text = file.read_text(encoding="utf-8")
    assert text.count(change["find"]) == 1
    file.write_text(text.replace(change["find"], change["replace"]), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "tests.vectors.driver", *change["finds"]],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert sorted(done.stdout.split()) == sorted(change["finds"])
