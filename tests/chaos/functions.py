"""The deployed functions of a local stack: which DynamoDB they talk to, and their processes."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import re
import signal
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, Final

import boto3

from local import processes
from local.processes import PROC, Process
from local.settings import REGION, Settings

_ENDPOINT: Final = "AWS_ENDPOINT_URL"
_FOLDER: Final = re.compile(rb"ministack-lambda-(.+?)-[^-/]+/")
# The construct's name in what CloudFormation has made of it: Parley-local-MessageFunctionF081998D-F6B9FAF2094AF.
_NAME: Final = re.compile(r"-(\w+?)Function[0-9A-F]{8}")


@contextlib.asynccontextmanager
async def served_by(settings: Settings, url: str) -> AsyncIterator[None]:
    """For a while the functions find AWS at another address, as their configuration says on AWS, too.

    That starts each of them anew, now and at the end. The deployment knows nothing of it.
    """
    credentials = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    client = boto3.client("lambda", endpoint_url=settings.address, region_name=REGION, **credentials)
    found = await asyncio.to_thread(_with_endpoint, client)
    try:
        await _configure(client, {name: {**variables, _ENDPOINT: url} for name, variables in found.items()})
        yield
    finally:
        await _configure(client, found)


def _with_endpoint(client: Any) -> dict[str, dict[str, str]]:
    """The variables of each function that is told where AWS is."""
    pages = client.get_paginator("list_functions").paginate()
    functions = [function for page in pages for function in page["Functions"]]
    variables = {each["FunctionName"]: each.get("Environment", {}).get("Variables", {}) for each in functions}
    return {name: values for name, values in variables.items() if _ENDPOINT in values}


async def _configure(client: Any, variables: dict[str, dict[str, str]]) -> None:
    def configure(name: str) -> None:
        client.update_function_configuration(FunctionName=name, Environment={"Variables": variables[name]})

    await asyncio.gather(*(asyncio.to_thread(configure, name) for name in variables))


class Killer:
    """Ends workers of one emulator with SIGKILL, by their ids, at random moments. `struck` counts them by function."""

    def __init__(self, settings: Settings, rng: random.Random) -> None:
        self.struck: Counter[str] = Counter()
        self._settings = settings
        self._rng = rng

    async def go_on(self, *, every_s: float) -> None:
        """Until it is cancelled."""
        while True:
            await asyncio.sleep(self._rng.uniform(0, 2 * every_s))
            await asyncio.to_thread(self.kill)

    def kill(self) -> None:
        """One of those that run now, if any does."""
        running = processes.running_below(self._settings.temp)
        if running:
            victim = self._rng.choice(running)
            name = function_of(victim)
            if victim.alive:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(victim.pid, signal.SIGKILL)
                    self.struck[name] += 1


def function_of(worker: Process) -> str:
    """The function's short name, where the system tells it: a worker runs from a folder that is named after it."""
    try:
        command = (PROC / str(worker.pid) / "cmdline").read_bytes()
    except OSError:
        return "?"
    folder = _FOLDER.search(command)
    name = _NAME.search(folder[1].decode()) if folder else None
    return name[1] if name else "?"
