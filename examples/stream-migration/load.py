"""Has Parley import what convert.py has made. Run it again after any error: nothing is there twice.

load.py FOLDER
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LINES, BYTES = 100, 60_000  # a request has at most 100 lines in 64 KB
TRIES = 6


def needed(name: str) -> str:
    """What the environment says; README.md has the commands that set it."""
    return os.environ.get(name) or sys.exit(f"{name} is not set: see README.md")


def ask(path: str, body: Any) -> Any:
    """A POST as Parley's administrator, again where that may help. Ends the program where it is refused for good."""
    headers = {"Authorization": f"Bearer {needed('PARLEY_TOKEN')}", "Content-Type": "application/json"}
    request = urllib.request.Request(needed("PARLEY_HTTP_URL") + path, json.dumps(body).encode(), headers)
    for tried in range(1, TRIES + 1):
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                why, is_passing = f"{error.code} {error.read().decode()}", error.code == 429 or error.code >= 500
        except OSError as error:
            why, is_passing = str(error), True
        if not is_passing or tried == TRIES:
            sys.exit(f"POST {path}: {why}\nWhat was imported stays. Run it again: it goes on from there.")
        time.sleep(2**tried / 10)
    return None


def parts(place: Path) -> Iterator[list[Any]]:
    """The file's lines, as many together as a request takes."""
    part: list[Any] = []
    size = 0
    with place.open(encoding="utf-8") as file:
        for line in file:
            weight = len(json.dumps(json.loads(line)))
            if part and (len(part) == LINES or size + weight > BYTES):
                yield part
                part, size = [], 0
            part.append(json.loads(line))
            size += weight
    if part:
        yield part


def load(lines: list[Any], counts: Counter[str]) -> None:
    """Import these. Where one is wrong by itself none is written: it is named, and the others go alone."""
    told = ask("/v1/imports", {"lines": lines})["lines"]
    for line, result in zip(lines, told, strict=True):
        if result["status"] != "skipped":
            counts[result["status"]] += 1
        if result["status"] == "refused":
            print(f"refused: {line['type']} {line['id']}: {result['code']}: {result['error']}")
    if left := [line for line, result in zip(lines, told, strict=True) if result["status"] == "skipped"]:
        load(left, counts)


def main(folder: str) -> None:
    counts: Counter[str] = Counter()
    for part in parts(Path(folder) / "users.ndjson"):
        counts["users"] += len(ask("/v1/users", {"users": part})["users"])
    for part in parts(Path(folder) / "history.ndjson"):
        load(part, counts)
    print(", ".join(f"{counts[name]} {name}" for name in ("users", "imported", "duplicate", "refused")))
    if counts["refused"]:
        sys.exit(1)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Like this: load.py FOLDER")
    try:
        main(sys.argv[1])
    except OSError as error:
        sys.exit(f"{error}: run convert.py first")
