"""`python -m tests.chaos --minutes 10`: users at random on a stack of their own, in which everything fails, judged."""

# ruff: noqa: T201  # a program that prints

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local import up
from local.errors import CommandError
from local.ports import free_port
from local.settings import Settings
from local.stack import Stack
from tests.chaos.run import Terms, run


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="of the first run")
    parser.add_argument("--users", type=int, default=8)
    parser.add_argument(
        "--run", type=float, default=60.0, metavar="SECONDS", help="how long until all is healed, judged"
    )
    parser.add_argument("--odds", type=float, default=0.03, help="which share of DynamoDB's calls fails")
    parser.add_argument("--kill", type=float, default=2.0, metavar="SECONDS", help="between two kills, on average")
    parser.add_argument("--storm", type=int, default=80, metavar="FRAMES", help="that a connection lives for, at most")
    options = parser.parse_args()
    try:
        with own_stack() as (settings, stack):
            wrong = [seed for seed in _seeds(options) if not _is_right(settings, stack, seed, options)]
    except CommandError as error:
        print(error.message, error.hint, sep="\n", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    if wrong:
        print(f"wrong with the seeds {', '.join(map(str, wrong))}")
    return 1 if wrong else 0


@contextmanager
def own_stack() -> Iterator[tuple[Settings, Stack]]:
    """Beside a developer's own, and gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="parley-chaos-") as folder:
        settings = Settings(home=Path(folder) / "home", port=free_port())
        try:
            yield settings, up.up(settings)
        finally:
            up.down(settings)


def _seeds(options: argparse.Namespace) -> range:
    """One for each run: many short ones are judged sooner, and each can be repeated alone."""
    return range(options.seed, options.seed + max(1, round(options.minutes * 60 / options.run)))


def _is_right(settings: Settings, stack: Stack, seed: int, options: argparse.Namespace) -> bool:
    terms = Terms(
        seed=seed,
        seconds=min(options.run, options.minutes * 60),
        users=options.users,
        storm=options.storm,
        odds=options.odds,
        kill_every_s=options.kill,
    )
    print(f"\nseed {seed}, {terms.seconds:g} seconds, {terms.users} users", flush=True)
    report = asyncio.run(run(stack, settings, terms))
    print(report, flush=True)
    return not report.findings


if __name__ == "__main__":
    sys.exit(main())
