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
from tests.load.steady import steady
from tests.load.storm import storm
from tests.load.workers import Worker, table, workers
from tests.load.world import World, percentiles

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
        world = World(stack.read(where.stack_file))
    except CommandError as error:
        print(error.message, error.hint, sep="\n", file=sys.stderr)
        return 1
    grown = _memory(options.sessions) if options.sessions else 0
    print(f"{options.users} users for {options.minutes:g} minutes, seed {options.seed}")
    samples = asyncio.run(_rounds(world, where, options.users, options.minutes * 60, random.Random(options.seed)))
    _show(world, samples)
    return 1 if world.findings or grown else 0


def _memory(sessions: int) -> int:
    """The functions by themselves, in a process of their own: nothing else makes objects there."""
    print(f"every function, for {sessions:,} sessions", flush=True)
    command = [sys.executable, "-m", "tests.load.memory", "--sessions", str(sessions)]
    return subprocess.run(command, cwd=settings.ROOT, check=False).returncode


async def _rounds(
    world: World, where: Settings, users: int, seconds: float, rng: random.Random
) -> list[dict[int, Worker]]:
    """One after the other, again and again. Looks at the workers after the first, about half way, and at the end."""
    began = time.monotonic()
    samples: list[dict[int, Worker]] = []
    while (spent := time.monotonic() - began) < seconds:
        for name, scenario in _scenarios(users, rng).items():
            await _run(world, name, scenario)
        if not samples or (len(samples) == 1 and spent > seconds / 3):
            samples.append(workers(where))
    return [*samples, workers(where)]


def _scenarios(users: int, rng: random.Random) -> dict[str, Callable[[World], Awaitable[None]]]:
    return {
        "storm": lambda world: storm(world, users=users, at_once=users),
        "steady": lambda world: steady(world, users=users, seconds=_STEADY_S, random=rng),
        "flood": lambda world: flood(world, pairs=max(1, users // 10), connections=3),
        "hot": lambda world: hot(world, writers=min(users, 30), each=10),
        "slow": lambda world: slow(world, messages=1_000),
        "absence": lambda world: absence(world, conversations=500, entries=3),
    }


async def _run(world: World, name: str, scenario: Callable[[World], Awaitable[None]]) -> None:
    began, messages, found = time.monotonic(), world.done["message"], len(world.findings)
    try:
        await scenario(world)
    except Exception as error:  # noqa: BLE001  # the others are run all the same
        world.findings.append(f"{name} ended with {type(error).__name__}: {error}")
    seconds = time.monotonic() - began
    sent = world.done["message"] - messages
    outcome = f"{len(world.findings) - found} FOUND" if len(world.findings) > found else "all well"
    print(f"{name:<8} {seconds:6.1f} s, {sent:>6,} messages, {sent / seconds:5.1f} a second, {outcome}", flush=True)
    print(*(f"FOUND    {finding}\n" for finding in world.findings[found:]), sep="", end="", flush=True)


def _show(world: World, samples: list[dict[int, Worker]]) -> None:
    print("done     " + ", ".join(f"{name} {count:,}" for name, count in sorted(world.done.items())))
    for name, took in sorted(world.took.items()):
        print(f"{name:<10} {len(took):>7,}: {percentiles(took)}")
    print(*table(samples), sep="\n")


if __name__ == "__main__":
    sys.exit(main())
