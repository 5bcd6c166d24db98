"""The code of the version that was released last, for a test to deploy.

That is the latest tag `v…` that this commit has behind it; while there is none, the commit in RELEASED. A shallow clone
lacks both, and what is no clone has neither: there `UPGRADE_FROM` may name a folder with the unpacked release, and
without it the test is skipped, and says what to do. A whole clone has it: where that runs as CI, its lack is a fault.
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
# What `make setup` has installed serves both: a deployment needs tools, and the lock says what goes into its bundles,
# which are kept where those of this version are.
TOOLS = (".venv", ".tools", "node_modules")
_SHARED = (*TOOLS, ".build")


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
    return _there(_latest_tag() or _named())


def pinned() -> str:
    """The commit that RELEASED names, if this clone has it: of which tests/compatibility/previous was built."""
    return _there(_named())


def _named() -> str:
    return _PINNED.read_text(encoding="utf-8").strip()


def _there(name: str) -> str:
    if _asked("cat-file", "-e", f"{name}^{{commit}}") is None:
        reason = (
            f"the released version {name} is not here: fetch it (git fetch --unshallow; in CI, fetch-depth: 0), "
            "or name an unpacked release by UPGRADE_FROM"
        )
        if os.environ.get("CI") and _is_whole():
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    return name


def _is_whole() -> bool:
    return _asked("rev-parse", "--is-shallow-repository") == "false"


def _latest_tag() -> str:
    return _asked("describe", "--tags", "--abbrev=0", "--match", "v[0-9]*", "HEAD^") or ""


def _asked(*arguments: str) -> str | None:
    """What git says; None where it can't tell, or is not there."""
    try:
        return _git(*arguments).decode().strip()
    except (FileNotFoundError, subprocess.CalledProcessError):
        return None


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=True, timeout=_SECONDS).stdout
