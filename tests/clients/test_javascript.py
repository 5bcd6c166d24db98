"""The JavaScript client and its hooks: their own tests, run by Vitest, and what only Python can say about them."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "clients/js").rglob("*.test.ts*")
    if "node_modules" not in path.parts
)


def run(*command: str, folder: Path = ROOT) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"{done.stdout[-6_000:]}\n{done.stderr[-6_000:]}"
    return done.stdout


@pytest.mark.parametrize("name", TESTS)
def test_its_own_tests_pass(name: str) -> None:
    run("node_modules/.bin/vitest", "run", "--silent=passed-only", name)


def test_the_types_are_what_the_server_says_of_itself() -> None:
    """After a change: .venv/bin/python clients/js/generate.py."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "clients/js/generate.py")
    assert spec is not None
    assert spec.loader is not None
    generate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(generate)
    for path, text in generate.made().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name} is out of date: run clients/js/generate.py"
