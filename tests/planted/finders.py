"""Which history shows each planted bug, as the last complete run has seen it: `found.json`, and the page made of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tests.planted import BUGS

_FILE: Final = Path(__file__).with_name("found.json")
_HEAD: Final = """# Planted bugs

Mistakes that are made in the product's source, one at a time (`tests/planted/`), and how many histories of the
simulation it took to find each. The suite runs the history that did; where none is named, only a hundred were tried.
All of them again, with up to 2,000 histories each, and this page anew:

```sh
.venv/bin/python -m tests.planted --write
```

"""


@dataclass(frozen=True)
class Finders:
    """`seed` is a history that shows the bug, the `histories`-th one that was tried."""

    seed: int | None = None
    histories: int | None = None


def read() -> dict[str, Finders]:
    known = json.loads(_FILE.read_text())
    return {name: Finders(one["seed"], one["histories"]) for name, one in known.items()}


def write(finders: Mapping[str, Finders]) -> None:
    known = {name: asdict(finders[name]) for name in BUGS if name in finders}
    _FILE.write_text(json.dumps(known, indent=1, ensure_ascii=False) + "\n")


def page(finders: Mapping[str, Finders]) -> str:
    """For people: each bug, the file that it is in, and what finds it."""
    by_history = sum(one.seed is not None for one in finders.values())
    rows = [f"| {name} | `{bug.path}` | {_finder(finders[name])} |" for name, bug in BUGS.items()]
    head = f"{_HEAD}{len(BUGS)} bugs, {by_history} of them found by the simulation.\n\n"
    return head + "\n".join(["| bug | in | found in |", "|---|---|---|", *rows]) + "\n"


def _finder(found: Finders) -> str:
    if found.seed is None:
        return "not yet"
    return "the first history" if found.histories == 1 else f"{found.histories:,} histories"
