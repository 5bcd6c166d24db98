"""What a change goes through before it is merged: the hook, the commands, the workflow, the page about it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # comes with cfn-lint, without types

from local.settings import ROOT

TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
WORKFLOW: dict[Any, Any] = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text())
FORMATTED, UNFORMATTED, WRONG = "x = 1\n", "x=1\n", "import os\n"


class Repository:
    """A repository with the hook of this one, its rules and its tools."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("pyproject.toml", ".githooks"):
            (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, folder / name)
        (folder / ".gitignore").write_text(".venv\n")
        (folder / ".venv").symlink_to(ROOT / ".venv")
        self.git("init", "--quiet")
        self.git("config", "core.hooksPath", ".githooks")

    def git(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        who = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "GIT_CONFIG_NOSYSTEM": "1"}
        return subprocess.run(
            ["git", *who, *arguments], cwd=self.folder, env=environment, capture_output=True, text=True, check=False
        )

    def commit(self, committed: str, in_the_folder: str | None = None) -> subprocess.CompletedProcess[str]:
        (self.folder / "a file.py").write_text(committed)
        self.git("add", ".")
        if in_the_folder is not None:
            (self.folder / "a file.py").write_text(in_the_folder)
        return self.git("commit", "--message", "a change")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_a_commit_that_is_not_formatted_is_refused_and_told_what_to_do(repository: Repository) -> None:
    refused = repository.commit(UNFORMATTED)
    assert refused.returncode
    assert "run: make format" in refused.stderr


def test_a_commit_that_breaks_a_rule_is_refused_with_its_place(repository: Repository) -> None:
    refused = repository.commit(WRONG)
    assert refused.returncode
    assert "a file.py:1:8: F401" in refused.stdout + refused.stderr


def test_a_commit_that_is_right_goes_through(repository: Repository) -> None:
    assert repository.commit(FORMATTED).returncode == 0


def test_what_counts_is_what_is_committed(repository: Repository) -> None:
    assert repository.commit(UNFORMATTED, in_the_folder=FORMATTED).returncode
    assert repository.commit(FORMATTED, in_the_folder=UNFORMATTED).returncode == 0


def test_without_the_tools_nothing_is_let_through_unseen(repository: Repository) -> None:
    (repository.folder / ".venv").unlink()
    refused = repository.commit(FORMATTED)
    assert refused.returncode
    assert "run: make setup" in refused.stderr


def test_a_check_is_the_lint_and_the_quick_tests() -> None:
    command, environment = ["make", "-n", "check"], {**os.environ, "MAKEFLAGS": ""}
    shown = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    for tool in ("ruff check", "ruff format --check", "bin/mypy", "lint-imports", "-m pytest"):
        assert tool in shown.stdout


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "docs/testing.md", ".github/pull_request_template.md"]
)
def test_every_command_that_is_named_can_be_given(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    named = re.findall(r"(?:`|^)make ([a-z][a-z-]*)", text, flags=re.MULTILINE)
    assert named
    assert set(named) <= TARGETS


def test_the_workflow_runs_the_same_commands() -> None:
    """On the oldest Python that the project is for, and on the newest."""
    (job,) = WORKFLOW["jobs"].values()
    assert job["steps"][-1]["run"] == "make ${{ matrix.make }}"
    rows = job["strategy"]["matrix"]["include"]
    assert {row["make"] for row in rows} == {"check", "test"} <= TARGETS
    limits = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"]
    low, high = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", limits).groups()  # type: ignore[union-attr]
    assert {row["python"] for row in rows if row["make"] == "test"} == {f"3.{low}", f"3.{int(high) - 1}"}


def test_the_workflow_may_read_and_ends() -> None:
    (job,) = WORKFLOW["jobs"].values()
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert "permissions" not in job
    assert all(row["minutes"] <= 90 for row in job["strategy"]["matrix"]["include"])
    for step in job["steps"]:
        assert "uses" not in step or re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])
