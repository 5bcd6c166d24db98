"""Plays a scenario of `scenarios/` in a real browser; it and what drives it are installed here when first used."""

from __future__ import annotations

import fcntl
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
MOST_SECONDS = 300


def install() -> None:
    """What package-lock.json names, where it is not there yet. Of several workers at once one installs it."""
    with (HERE / "package-lock.json").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        _install()


def _install() -> None:
    lock = (HERE / "package-lock.json").read_text(encoding="utf-8")
    stamp = HERE / "node_modules/.installed"
    if stamp.exists() and stamp.read_text(encoding="utf-8") == lock:
        return
    command = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    done = subprocess.run(command, cwd=HERE, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(f"the page's test browser could not be installed by npm: {done.stderr[-500:]}", pytrace=False)
    stamp.write_text(lock, encoding="utf-8")


def play(scenario: str, url: str, shots: Path, **given: object) -> dict[str, Any]:
    """What the scenario has to say. Where it fails, pictures of its windows are in `shots`."""
    install()
    told = json.dumps({"url": url, "shots": str(shots), "given": given})
    done = subprocess.run(
        ["node", "play.mjs", scenario],
        cwd=HERE, input=told, capture_output=True, text=True, timeout=MOST_SECONDS, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.fail(f"{scenario}: {done.stderr[-4_000:]}\nPictures: {shots}", pytrace=False)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result
