"""The commands that a page of docs/ shows, carried out."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]
_PATIENCE_S = 60


def commands(page: str, heading: str) -> list[str]:
    """The shell blocks under a heading of the page."""
    section = (_ROOT / page).read_text(encoding="utf-8").split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"```sh\n(.*?)```", section, flags=re.DOTALL)


def run(script: str, **variables: str) -> list[Any]:
    """What each of its commands printed, all of it JSON."""
    environment = {**os.environ, **variables}
    printed = subprocess.run(
        ["bash", "-euc", script], env=environment, capture_output=True, text=True, timeout=_PATIENCE_S, check=True
    ).stdout
    decoder, found, place = json.JSONDecoder(), [], 0
    while place < len(printed):
        one, place = decoder.raw_decode(printed, place)
        found.append(one)
    return found
