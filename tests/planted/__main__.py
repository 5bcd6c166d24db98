"""All planted bugs, or those that are named, each until it is found: python -m tests.planted [NAME …]

With --write what was found becomes `found.json` and docs/planted-bugs.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor

from tests.planted import BUGS
from tests.planted.finders import Finders, page, read, write
from tests.planted.hunting import HISTORIES, Found, by_simulation
from tests.planted.mutation import ROOT


def _hunt(name: str, histories: int) -> Found | None:
    return by_simulation(BUGS[name], histories=histories)


def found(names: Sequence[str], *, histories: int, workers: int) -> Iterator[tuple[str, Found | None]]:
    """Each bug, and what has found it, as soon as that is known."""
    with ProcessPoolExecutor(workers) as pool:
        yield from zip(names, pool.map(_hunt, names, [histories] * len(names)), strict=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.planted", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="which (all)")
    parser.add_argument("--histories", type=int, default=HISTORIES, help="after how many to give up (2,000)")
    parser.add_argument("--workers", type=int, default=2, help="processes side by side (2)")
    parser.add_argument("--write", action="store_true", help="keep what was found, and write the page anew")
    chosen = parser.parse_args(arguments)
    names = chosen.names or list(BUGS)
    known, survivors = read(), 0
    for name, one in found(names, histories=chosen.histories, workers=chosen.workers):
        survivors += one is None
        what = f"seed {one.seed} ({one.histories}): {one.what[:90]}" if one else "NOT FOUND"
        print(f"{name:80} {what}", flush=True)  # noqa: T201  # a command line tool
        known[name] = Finders(one.seed, one.histories) if one else Finders()
    print(f"{len(names) - survivors} of {len(names)} found by the simulation")  # noqa: T201
    if chosen.write:
        write(known)
        (ROOT / "docs" / "planted-bugs.md").write_text(page(known))
    return 0


if __name__ == "__main__":
    sys.exit(main())
