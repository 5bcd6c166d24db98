"""What finds each planted bug, as it was seen last: `found.json`, and the page made of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from tests.planted import BUGS

_FILE: Final = Path(__file__).with_name("found.json")
_HEAD: Final = """# Planted bugs

Mistakes that are made in the product's source, one at a time (`tests/planted/`), and what finds each: the test of the
suite that fails first, and how many histories of the [simulation](testing.md#the-simulation) it takes. Written by

```sh
.venv/bin/python -m tests.planted --write        # everything again: hours
```

[testing.md](testing.md#planted-bugs) says how to look for one of them, or for one of your own.

"""


@dataclass(frozen=True)
class Finders:
    """`test` (`file::test`) fails where the bug is. So does the history `seed`, the `histories`-th one that was tried.

    Without a seed, so many histories have not shown it.
    """

    test: str | None = None
    seed: int | None = None
    histories: int = 0


def read() -> dict[str, Finders]:
    known = json.loads(_FILE.read_text())
    return {name: Finders(**one) for name, one in known.items() if name in BUGS}


def write(finders: Mapping[str, Finders]) -> None:
    """A line for each bug, so that a change of one is a change of one line."""
    lines = [f"{_json(name)}: {_json(asdict(finders[name]))}" for name in BUGS if name in finders]
    _FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def page(finders: Mapping[str, Finders]) -> str:
    """For people: each bug, the file that it is in, and what finds it."""
    known = {name: finders.get(name, Finders()) for name in BUGS}
    by_test = sum(one.test is not None for one in known.values())
    by_history = sum(one.seed is not None for one in known.values())
    rows = [
        f"| {name} | `{bug.path}` | {_test(known[name])} | {_histories(known[name])} |" for name, bug in BUGS.items()
    ]
    counted = f"{len(BUGS)} bugs: {by_test} are found by a test of the suite, {by_history} by the simulation.\n\n"
    return _HEAD + counted + "\n".join(["| bug | in | test | histories |", "|---|---|---|---|", *rows]) + "\n"


def _test(found: Finders) -> str:
    return "-" if found.test is None else f"`{found.test.removeprefix('tests/')}`"


def _histories(found: Finders) -> str:
    if found.seed is None:
        return f"not in {found.histories:,}" if found.histories else "-"
    return f"{found.histories:,}"
