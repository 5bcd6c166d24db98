"""A clone of the project as it lies here, for a test to release: also of what is not committed yet."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from pathlib import Path

from local.settings import ROOT

_NOT_OURS = (".git", ".venv", ".venv-*", ".tools", ".build", ".parley", ".staged", "node_modules", "cdk.out", "dist")
_CACHES = ("__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".import_linter_cache", ".hypothesis")
_AT = "2026-01-02T03:04:05Z"


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false", "-c", "gc.auto=0")
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    environment |= {"GIT_AUTHOR_DATE": _AT, "GIT_COMMITTER_DATE": _AT}
    done = subprocess.run(
        ["git", *who, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout


def _copy(source: str, target: str) -> None:
    """A file, but for one that a test beside this one has taken away meanwhile."""
    with contextlib.suppress(FileNotFoundError):
        shutil.copy2(source, target)


def copied(folder: Path, *names: str) -> Path:
    """All of it, or what is named, committed there at a time of its own."""
    if not names:
        left_out = shutil.ignore_patterns(*_NOT_OURS, *_CACHES, "*.timestamp-*", "*.tmp")
        shutil.copytree(ROOT, folder, symlinks=True, ignore=left_out, copy_function=_copy)
    for name in (*names, ".gitignore") if names else ():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "as it lies here")
    return folder
