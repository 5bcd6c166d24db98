"""`make soak MINUTES=30`: simulated users on the running laptop stack, then a comparison of all they have seen."""

# ruff: noqa: T201  # a program that prints

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys

from local import settings, stack
from local.errors import CommandError
from tests.soak.run import soak


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--users", type=int, default=10)
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between two operations of a user, on average")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    options = parser.parse_args()
    try:
        running = stack.read(settings.read(os.environ).stack_file)
    except CommandError as error:
        print(error.message, error.hint, sep="\n", file=sys.stderr)
        return 1
    print(f"{options.users} users for {options.minutes:g} minutes, seed {options.seed}")
    report = asyncio.run(
        soak(running, users=options.users, seconds=options.minutes * 60, pause=options.pause, seed=options.seed)
    )
    print(report)
    return 1 if report.findings else 0


if __name__ == "__main__":
    sys.exit(main())
