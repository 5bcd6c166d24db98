"""The examples that a page of docs/ shows, and its commands, carried out."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]
_PATIENCE_S = 60
_NAMED = re.compile(r"(?:<\?php\n)?(?:#|//|<!--) ?(?P<name>[\w.-]+\.(?:py|mjs|js|jsx|go|php|java|html))(?: -->)?\n")


def commands(page: str, heading: str) -> list[str]:
    """The shell blocks under a heading of the page."""
    return _blocks(_text(page).split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0], "sh")


def example(page: str, language: str, word: str) -> str:
    """The block of the page that has this in it."""
    (found,) = [code for code in _blocks(_text(page), language) if word in code]
    return found


def programs(page: str) -> dict[str, str]:
    """The page's programs by the file's name, which stands in a comment of their first lines."""
    found = {}
    for code in re.findall(r"^ *```\w+\n(.*?)^ *```", _text(page), flags=re.DOTALL | re.MULTILINE):
        if named := _NAMED.match(code):
            found[named["name"]] = code
    return found


def run(script: str, folder: Path | None = None, /, **variables: str) -> list[Any]:
    """What each of its commands printed, all of it JSON."""
    printed = subprocess.run(
        ["bash", "-euc", script],
        env={**os.environ, **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=True,
    ).stdout
    decoder, found, rest = json.JSONDecoder(), [], printed.strip()
    while rest:
        one, end = decoder.raw_decode(rest)
        found.append(one)
        rest = rest[end:].lstrip()
    return found


def _text(page: str) -> str:
    return (_ROOT / page).read_text(encoding="utf-8")


def _blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)
