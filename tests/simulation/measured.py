"""How much of `shared/` and `functions/` the simulation alone comes to: python -m tests.simulation.measured

Whatever is never reached by a history, no judge can object to.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from coverage import Coverage

_ROOT = Path(__file__).parents[2]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.measured", description=__doc__)
    parser.add_argument("--histories", type=int, default=1_000, help="how many (1,000)")
    parser.add_argument("--seed", type=int, default=0, help="the first one's number (0)")
    parser.add_argument("--missing", action="store_true", help="name the lines that were not reached")
    parser.add_argument("--branches", action="store_true", help="count branches, too")
    parser.add_argument("--least", type=float, default=0.0, help="fail below this share of statements, in percent")
    chosen = parser.parse_args(arguments)
    sources = [str(_ROOT / "shared"), str(_ROOT / "functions")]
    measuring = Coverage(data_file=None, branch=chosen.branches, concurrency=["greenlet"], source=sources)
    measuring.set_option("report:include_namespace_packages", True)
    measuring.start()
    _simulate(range(chosen.seed, chosen.seed + chosen.histories))
    measuring.stop()
    share = measuring.report(show_missing=chosen.missing, skip_covered=False, sort="Miss", file=sys.stdout)
    return int(share < chosen.least)


def _simulate(seeds: range) -> None:
    """Imported here: what modules do when they are imported counts, too."""
    import tests.functions.environment  # noqa: F401  # read by the handlers when they are imported
    from tests.simulation.runs import run_many

    run_many(seeds)


if __name__ == "__main__":
    sys.exit(main())
