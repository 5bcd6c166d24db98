"""`make load MINUTES=10`: every function in process, then the laptop stack in storms, floods and crowds, all large.

The functions are looked at for what grows with their invocations; on the stack nothing may be lost, doubled, reordered
or wrongly refused.
"""

# ruff: noqa: T201  # a program that prints

from __future__ import annotations

import argparse
import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

from local import settings, stack
from local.errors import CommandError
from local.settings import Settings
from tests.load.absence import absence
from tests.load.flood import flood
from tests.load.hot import hot, slow
from tests.load.load_run import LoadRun, percentiles
from tests.load.steady import steady
from tests.load.storm import storm
from tests.load.workers import Worker, table, workers

_STEADY_S = 60.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="make load", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="rounds begin until then")
    parser.add_argument("--users", type=int, default=100)
    parser.add_argument("--sessions", type=int, default=22_500, help="of the functions in process, before; 0 for none")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    options = parser.parse_args()
    where = settings.read(os.environ)
    try:
        load_run = LoadRun(stack.read(where.stack_file))
    except CommandError as error:
        print(error.message, error.hint, sep="\n", file=sys.stderr)
        return 1
    grown = _memory(options.sessions) if options.sessions else 0
    print(f"{options.users} users for {options.minutes:g} minutes, seed {options.seed}")
    samples = asyncio.run(_rounds(load_run, where, options.users, options.minutes * 60, random.Random(options.seed)))
    _show(load_run, samples)
    return 1 if load_run.findings or grown else 0


def _memory(sessions: int) -> int:
    """The functions by themselves, in a process of their own: nothing else makes objects there."""
    print(f"every function, for {sessions:,} sessions", flush=True)
    command = [sys.executable, "-m", "tests.load.memory", "--sessions", str(sessions)]
    return subprocess.run(command, cwd=settings.ROOT, check=False).returncode


async def _rounds(
    load_run: LoadRun, where: Settings, users: int, seconds: float, rng: random.Random
) -> list[dict[int, Worker]]:
    """One after the other, again and again. Looks at the workers after the first, about half way, and at the end."""
    began = time.monotonic()
    samples: list[dict[int, Worker]] = []
    while (spent := time.monotonic() - began) < seconds:
        for name, scenario in _scenarios(users, rng).items():
            await _run(load_run, name, scenario)
        if not samples or (len(samples) == 1 and spent > seconds / 3):
            samples.append(workers(where))
    return [*samples, workers(where)]


def _scenarios(users: int, rng: random.Random) -> dict[str, Callable[[LoadRun], Awaitable[None]]]:
    return {
        "storm": lambda load_run: storm(load_run, users=users, at_once=users),
        "steady": lambda load_run: steady(load_run, users=users, seconds=_STEADY_S, random=rng),
        "flood": lambda load_run: flood(load_run, pairs=max(1, users // 10), connections=3),
        "hot": lambda load_run: hot(load_run, writers=min(users, 30), each=10),
        "slow": lambda load_run: slow(load_run, messages=1_000),
        "absence": lambda load_run: absence(load_run, conversations=500, entries=3),
    }


async def _run(load_run: LoadRun, name: str, scenario: Callable[[LoadRun], Awaitable[None]]) -> None:
    began, messages, found = time.monotonic(), load_run.done["message"], len(load_run.findings)
    try:
        await scenario(load_run)
    except Exception as error:  # noqa: BLE001  # the others are run all the same
        load_run.findings.append(f"{name} ended with {type(error).__name__}: {error}")
    seconds = time.monotonic() - began
    sent = load_run.done["message"] - messages
    outcome = f"{len(load_run.findings) - found} FOUND" if len(load_run.findings) > found else "all well"
    print(f"{name:<8} {seconds:6.1f} s, {sent:>6,} messages, {sent / seconds:5.1f} a second, {outcome}", flush=True)
    print(*(f"FOUND    {finding}\n" for finding in load_run.findings[found:]), sep="", end="", flush=True)


def _show(load_run: LoadRun, samples: list[dict[int, Worker]]) -> None:
    print("done     " + ", ".join(f"{name} {count:,}" for name, count in sorted(load_run.done.items())))
    for name, took in sorted(load_run.took.items()):
        print(f"{name:<10} {len(took):>7,}: {percentiles(took)}")
    print(*table(samples), sep="\n")


if __name__ == "__main__":
    sys.exit(main())
