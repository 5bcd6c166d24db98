"""Everybody writes as fast as they are answered, to each other and into groups; then all logs are compared."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

from shared.domain.text import private_conversation_id
from tests.e2e.raw_client import RawClient, new_users
from tests.e2e.test_groups import make_group
from tests.load.crowd import dial, hang_up
from tests.load.hot import everything
from tests.load.load_run import LoadRun

_GROUP = 10


@dataclass
class Writer:
    """`acked` are conversation → what was acknowledged at which place, in the order of sending."""

    name: str
    client: RawClient
    friends: list[str]
    groups: list[str]
    acked: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)

    @property
    def places(self) -> set[str]:
        return {*(private_conversation_id(self.name, friend) for friend in self.friends), *self.groups}


async def steady(load_run: LoadRun, *, users: int, seconds: float, random: Random) -> None:
    """Users in a ring, each writing to both neighbours, and to a group of ten or so."""
    writers = await _writers(load_run, users)
    until = time.monotonic() + seconds
    await asyncio.gather(*(_write(load_run, writer, random, until) for writer in writers))
    logs: dict[str, list[dict[str, Any]]] = {}
    for writer in writers:
        for place in sorted(writer.places):
            await _compare(load_run, writer, place, logs)
    check_acked(load_run, writers, logs)
    await hang_up(writer.client for writer in writers)


async def _writers(load_run: LoadRun, users: int) -> list[Writer]:
    names = new_users(users)
    group_of: dict[str, str] = {}
    for start in range(0, users, _GROUP):
        first, *others = names[start : start + _GROUP]
        group = await asyncio.to_thread(make_group, load_run.stack, first, others or [names[0]])
        group_of |= dict.fromkeys([first, *others], group)
    clients = await asyncio.gather(*(dial(load_run, name) for name in names))
    return [
        Writer(name, client, sorted({names[at - 1], names[(at + 1) % users]} - {name}), [group_of[name]])
        for at, (name, client) in enumerate(zip(names, clients, strict=True))
        if client is not None
    ]


async def _write(load_run: LoadRun, writer: Writer, random: Random, until: float) -> None:
    number = 0
    while time.monotonic() < until:
        number += 1
        text = f"{writer.name}, {number}"
        friend = random.choice([*writer.friends, None])
        place = private_conversation_id(writer.name, friend) if friend else writer.groups[0]
        target = {"to": friend} if friend else {"conversation_id": place}
        held = max([writer.held.get(place, 0), *_seen(writer.client, place)])
        fields = {"content": text, "client_message_id": text, "after": held, **target}
        ack = await load_run.ask(writer.client, "message", **fields)
        load_run.check(ack["conversation_id"] == place, f"{text} was acknowledged in {ack['conversation_id']}")
        load_run.check_new(ack)
        writer.acked.setdefault(place, []).append((ack["seq"], text))
        writer.held[place] = ack["seq"]
        kind = random.choice(["read", "delivered", "ping"])
        await load_run.ask(writer.client, kind, conversation_id=place, seq=ack["seq"])


def _seen(client: RawClient, place: str) -> set[int]:
    return {event["seq"] for event in client.of_type("new_message") if event["conversation_id"] == place}


async def _compare(load_run: LoadRun, writer: Writer, place: str, logs: dict[str, list[dict[str, Any]]]) -> None:
    """All members sync the same log, and what the others wrote has come to each without asking."""
    log = await everything(load_run, writer.client, place)
    load_run.check(logs.setdefault(place, log) == log, f"{writer.name} syncs another log of {place} than somebody else")
    others = {
        entry["seq"] for entry in log if entry["type"] == "new_message" and entry["message"]["sender_id"] != writer.name
    }
    try:
        await writer.client.until(lambda: others <= _seen(writer.client, place))
    except TimeoutError:
        load_run.findings.append(f"{writer.name} was not told of {len(others - _seen(writer.client, place))} messages")
    load_run.done["live events compared"] += len(others)


def check_acked(load_run: LoadRun, writers: list[Writer], logs: dict[str, list[dict[str, Any]]]) -> None:
    for place, log in logs.items():
        load_run.check([entry["seq"] for entry in log] == list(range(1, len(log) + 1)), f"{place} has a gap")
        stored = {entry["seq"]: entry["message"]["content"] for entry in log if entry["type"] == "new_message"}
        twice = [text for text, count in Counter(stored.values()).items() if count > 1]
        load_run.check(not twice, f"{place} holds {twice} more than once")
        acked = [writer.acked.get(place, []) for writer in writers]
        for texts in acked:
            load_run.check(
                all(one < other for (one, _), (other, _) in pairwise(texts)), f"{place} has an order of its own"
            )
        load_run.check(
            dict(each for texts in acked for each in texts) == stored, f"{place} is not as it was acknowledged"
        )
