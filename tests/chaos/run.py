"""A run: users at random while the network, the functions and DynamoDB fail; then all is healed, and judged."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from parley_client.settings import Options

from local.settings import Settings
from local.stack import Stack
from tests.chaos.dynamodb import FaultyDynamoDb, faulty_dynamodb
from tests.chaos.functions import Killer, served_by
from tests.chaos.proxy import Proxy, proxy_before
from tests.chaos.storm import Storm
from tests.chaos.user import Chaos, Unlucky
from tests.simulation.checker import check
from tests.simulation.history import History
from tests.soak.run import compare, everything, live
from tests.soak.user import drained

_QUIET_TRIES: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a run is like.

    `storm`: the frames that a connection lives for, at most; None for a good network. `odds`: which share of
    DynamoDB's calls fails. `kill_every_s`: how often a worker is killed, on average; None for never.
    """

    seed: int
    seconds: float
    users: int = 6
    pause: float = 0.1
    kind: type[Unlucky] = Unlucky
    storm: int | None = None
    odds: float = 0.0
    kill_every_s: float | None = None
    patience: Options = field(default_factory=lambda: PATIENCE)


# A hanging call holds up all that follow it at the emulator, which has one worker for all frames: that is no death.
PATIENCE: Final[Options] = {"heartbeat": 4.0, "full_sync_every": 2, "pong_timeout": 4.0, "request_timeout": 4.0}
SHORT_PATIENCE: Final[Options] = {"heartbeat": 2.0, "full_sync_every": 2, "pong_timeout": 1.5, "request_timeout": 1.5}


@dataclass(frozen=True, slots=True)
class Report:
    """What was done, what befell it, and what is wrong (nothing, if all is well)."""

    operations: Counter[str]
    refused: Counter[str]
    faults: Mapping[str, Counter[str]]
    history: History
    compared: int
    findings: list[str]

    def __str__(self) -> str:
        logs, seen = self.history.logs, self.history.seen
        judged = f"{sum(map(len, logs.values())):,} entries in {len(logs)} conversations"
        got = f"{sum(len(one.events) for one in seen.values()):,} events got, {len(self.history.sent):,} sent"
        lines = [
            f"operations   {_listed(self.operations)}",
            f"refused      {_listed(self.refused)}",
            *(f"{name:12} {_listed(counts)}" for name, counts in self.faults.items()),
            f"judged       {judged}, {got}, {self.compared:,} messages compared",
        ]
        return "\n".join([*lines, *(f"FOUND        {finding}" for finding in self.findings)])


def _listed(counts: Counter[str]) -> str:
    listed = ", ".join(f"{name} {count:,}" for name, count in counts.most_common())
    return f"{counts.total():,}: {listed}" if listed else "none"


@dataclass(slots=True)
class Trouble:
    """Everything that can fail, and does between `begin` and `end`."""

    terms: Terms
    rng: random.Random
    network: Proxy
    database: FaultyDynamoDb
    killer: Killer
    _killing: asyncio.Task[None] | None = None

    def begin(self) -> None:
        if self.terms.storm is not None:
            self.network.fault_model = Storm(self.rng, frames=self.terms.storm)
        self.database.begin(self.terms.odds)
        if self.terms.kill_every_s is not None:
            self._killing = asyncio.create_task(self.killer.go_on(every_s=self.terms.kill_every_s))

    async def end(self) -> None:
        if self._killing is not None:
            self._killing.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._killing
        self.database.heal()
        self.network.heal()

    @property
    def counted(self) -> dict[str, Counter[str]]:
        return {
            "network": Counter({one.value: count for one, count in self.network.struck.items()}),
            "DynamoDB": Counter({one.label: count for one, count in self.database.struck.items()}),
            "killed": self.killer.struck,
        }


async def run(stack: Stack, settings: Settings, terms: Terms) -> Report:
    """Everything of one run, on a stack that is up."""
    rng = random.Random(terms.seed)
    async with _soak(stack, settings, terms, rng) as (soak, trouble):
        everyone = [terms.kind(name, soak) for name in soak.names]
        await _meet(everyone, soak)
        trouble.begin()
        until = time.monotonic() + terms.seconds
        lives = asyncio.gather(*(live(user, until, terms.pause) for user in everyone))
        await asyncio.wait({lives}, timeout=terms.seconds)
        await trouble.end()
        await lives
        logs = await _quiet(everyone, stack)
        soaked = await compare(everyone, soak)
        for user in everyone:
            user.client.seen.pending = len(user.client.unacked)
            await user.stop()
    history = soak.recorder.history(logs)
    operations = Counter(f"{one.kind} {one.outcome}" for one in soak.recorder.operations)
    findings = [*soak.findings, *check(history)]
    return Report(operations, soak.refused, trouble.counted, history, soaked.compared, findings)


@contextlib.asynccontextmanager
async def _soak(
    stack: Stack, settings: Settings, terms: Terms, rng: random.Random
) -> AsyncIterator[tuple[Chaos, Trouble]]:
    """The users' run, with what stands between it and the stack."""
    async with contextlib.AsyncExitStack() as opened:
        network = await opened.enter_async_context(proxy_before(stack, rng=rng))
        database = await opened.enter_async_context(faulty_dynamodb(settings.port, rng))
        if terms.odds:
            await opened.enter_async_context(served_by(settings, database.url))
        run_id = uuid.uuid4().hex[:8]
        names = [f"chaos{number}-{run_id}" for number in range(terms.users)]
        soak = Chaos(stack, network.url, rng, names, http_url=network.http_url, patience=terms.patience)
        network.tap = soak.recorder.tap
        yield soak, Trouble(terms, rng, network, database, Killer(settings, rng))


async def _meet(everyone: Sequence[Unlucky], soak: Chaos) -> None:
    """All are online, and in a group, before anything fails."""
    for user in everyone:
        await user.start()
    await asyncio.gather(*(user.client.connected() for user in everyone))
    first = everyone[0]
    group = await first.client.create_group("everyone", [user.name for user in everyone[1:]])
    soak.groups.append(group.id)


async def _quiet(everyone: Sequence[Unlucky], stack: Stack) -> dict[str, list[dict[str, Any]]]:
    """The logs, once nothing is added to them any more: what was on its way when all healed has come."""
    before: dict[str, list[dict[str, Any]]] | None = None
    for _ in range(_QUIET_TRIES):
        for user in everyone:
            await drained(user)
        logs: dict[str, list[dict[str, Any]]] = {}
        for user in everyone:
            logs |= await everything(stack, user.name)
        if logs == before:
            return logs
        before = logs
    raise AssertionError("entries are still being added")
