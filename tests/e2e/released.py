"""The code of the version that was released last, for a test to deploy.

That is the latest tag `v…` that this commit has behind it; while there is none, the commit in RELEASED. A shallow clone
lacks both, what is no clone has neither: then `UPGRADE_FROM` may name a folder with the unpacked release; without it
the test is skipped, and says what to do; where `CI` is set it fails, for there nobody reads of what was skipped.
"""

from __future__ import annotations

import os
import subprocess
import tarfile
from io import BytesIO
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_PINNED = Path(__file__).with_name("RELEASED")
_SECONDS = 60
# What `make setup` has installed serves both: a deployment needs tools, and the lock says what goes into its bundles.
_SHARED = (".venv", ".tools", ".build", "node_modules")


def unpack(folder: Path) -> str:
    """Put that version into the folder, with the tools of this one. Returns its name."""
    if given := os.environ.get("UPGRADE_FROM"):
        for path in Path(given).iterdir():
            if path.name not in _SHARED:
                (folder / path.name).symlink_to(path.resolve())
        name = given
    else:
        name = revision()
        with tarfile.open(fileobj=BytesIO(_git("archive", name))) as archive:
            archive.extractall(folder, filter="data")
    for shared in _SHARED:
        (ROOT / shared).mkdir(exist_ok=True)
        (folder / shared).symlink_to(ROOT / shared)
    return name


def revision() -> str:
    """Its commit, if this clone has it."""
    name = _latest_tag() or _PINNED.read_text(encoding="utf-8").strip()
    if not _git("cat-file", "-e", f"{name}^{{commit}}", check=False).endswith(b"ok"):
        reason = (
            f"the released version {name} is not here: fetch it (git fetch origin {name}; in CI, fetch-depth: 0), "
            "or name an unpacked release by UPGRADE_FROM"
        )
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return name


def _latest_tag() -> str:
    found = _git("describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "HEAD^", check=False)
    return found.removesuffix(b"ok").decode().strip()


def _git(*arguments: str, check: bool = True) -> bytes:
    """What git says; where it need not succeed, with an "ok" at the end if it did, and nothing if not."""
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=check, timeout=_SECONDS)
    except FileNotFoundError:  # there is no git here
        return b""
    if check:
        return done.stdout
    return b"" if done.returncode else done.stdout + b"ok"
