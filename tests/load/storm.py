"""Everybody connects at the same moment, is cut off, and connects again."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

from tests.e2e.raw_client import RawClient, new_users
from tests.e2e.test_groups import make_group
from tests.load.crowd import cut, dial, dial_all, eventually, hang_up, living
from tests.load.load_run import Ended, LoadRun

# As deployed to a laptop.
CONNECTION_LIMIT = 20
_WATCHED = 100  # by one connection
_MISSED = 50  # of so many, one may be: a post of presence that takes too long is not repeated (docs/reliability.md)
_EVICTED = {"type": "disconnect", "code": "connection_limit", "reconnect": False}


async def storm(load_run: LoadRun, *, users: int, at_once: int, beyond: int = 5) -> None:
    """One to four connections of each user, and of one of them `beyond` more than anybody may have; all of it twice.

    A connection over the limit is told, and closed. The sessions hold exactly the living. Those who watch hear of each
    coming and going once.
    """
    watcher, greedy, *others = new_users(users + 1)
    everyone = [greedy, *others]
    group = await asyncio.to_thread(make_group, load_run.stack, watcher, everyone)
    watching = await _watch(load_run, watcher, everyone)
    wanted = [greedy] * (CONNECTION_LIMIT + beyond)
    wanted += [user for number, user in enumerate(others) for _ in range(1 + number % 4)]
    head = await _head(load_run, watching[0], group)
    for leave in (cut, hang_up):
        opened = await dial_all(load_run, wanted, at_once=at_once)
        await _settled(load_run, opened, group, head=head)
        head = await _all_hear(load_run, watching[0], group, opened, after=head)
        stayed = living(opened[greedy])
        ended = [client for client in opened[greedy] if client not in stayed]
        check_evicted(load_run, ended=ended, stayed=stayed, beyond=beyond)
        await leave(client for clients in opened.values() for client in clients)
    gone = await eventually(lambda: _all_gone(watching, everyone))
    load_run.check(gone, "some users were never said to be offline")
    check_transitions(load_run, watching, everyone)
    load_run.check(not any(load_run.sessions(everyone).values()), "sessions hold connections that are closed")
    await hang_up(watching)


async def _watch(load_run: LoadRun, watcher: str, users: Sequence[str]) -> list[RawClient]:
    watching = []
    for start in range(0, len(users), _WATCHED):
        client = await dial(load_run, watcher)
        assert client is not None
        await load_run.ask(client, "presence", users=users[start : start + _WATCHED])
        watching.append(client)
    return watching


async def _settled(load_run: LoadRun, opened: dict[str, list[RawClient]], group: str, *, head: int) -> None:
    """Everyone syncs, as clients do; after that each session has the living connections, and no others."""
    clients = [client for some in opened.values() for client in some]
    await asyncio.gather(*(_sync(load_run, client, group, head) for client in clients))

    async def agree() -> bool:
        stored = await asyncio.to_thread(load_run.sessions, list(opened))
        return all(len(stored[user]) == len(living(some)) for user, some in opened.items())

    load_run.check(await eventually(agree), "sessions and living connections do not agree")


async def _sync(load_run: LoadRun, client: RawClient, group: str, head: int) -> None:
    """An evicted connection may be closed meanwhile; one that is answered has the group."""
    try:
        found = await _head(load_run, client, group)
    except Ended:
        load_run.check(client.events[-1:] == [_EVICTED], "a connection ended without a close event")
    else:
        load_run.check(found == head, f"a sync shows the head {found}, not {head}")


async def _head(load_run: LoadRun, client: RawClient, group: str) -> int:
    synced = await load_run.ask(client, "sync", conversations={group: 0})
    (head,) = (one["head"] for one in synced["conversations"] if one["id"] == group)
    return int(head)


async def _all_hear(
    load_run: LoadRun, writer: RawClient, group: str, opened: dict[str, list[RawClient]], *, after: int
) -> int:
    """One message reaches each living connection of everybody. Returns its place."""
    ack = await load_run.ask(writer, "message", conversation_id=group, content="is everybody there?", after=after)
    for clients in opened.values():
        for client in living(clients):
            # A second look may bring what those who were cut off have not confirmed, too.
            await client.until(lambda client=client: ack["seq"] in _seqs(client))  # type: ignore[misc]  # its default
            load_run.done["heard"] += 1
    return int(ack["seq"])


def _seqs(client: RawClient) -> set[int]:
    return {event["seq"] for event in client.of_type("new_message")}


def check_evicted(load_run: LoadRun, *, ended: Sequence[RawClient], stayed: Sequence[RawClient], beyond: int) -> None:
    load_run.check(len(ended) == beyond, f"{len(ended)} connections were closed, not {beyond}")
    for client in ended:
        load_run.check(client.of_type("disconnect") == [_EVICTED], f"the closed one was told {client.events[-1:]}")
    told = [client for client in stayed if client.of_type("disconnect")]
    load_run.check(not told, f"{len(told)} connections were told to go, and live on")
    load_run.done["evicted"] += len(ended)


# --- presence


def _said(watching: Iterable[RawClient]) -> dict[str, list[str]]:
    """What was said of each user, in the order in which it happened."""
    said: dict[str, list[tuple[int, str]]] = defaultdict(list)
    for client in watching:
        for event in client.of_type("presence"):
            said[event["user_id"]].append((event["timestamp"], event["status"]))
    return {user: [status for _, status in sorted(changes)] for user, changes in said.items()}


async def _all_gone(watching: Sequence[RawClient], users: Sequence[str]) -> bool:
    said = _said(watching)
    return sum(said.get(user, [])[-1:] != ["offline"] for user in users) <= len(users) // _MISSED


def check_transitions(load_run: LoadRun, watching: Sequence[RawClient], users: Sequence[str]) -> None:
    """Online first, then by turns. A user who was back within the grace period was online all the time.

    Who leaves again within it is looked at twice, perhaps at once; then both looks may say that nobody is there.
    """
    said = _said(watching)
    missed = 0
    for user in users:
        changes = said.get(user, [])
        missed += changes[:1] != ["online"] or changes[-1:] != ["offline"]
        told_twice = any(one == other for one, other in pairwise(changes[:-1])) or changes[-2:] == ["online", "online"]
        load_run.check(not told_twice, f"{user} was said to be {changes}")
        load_run.done["presence events"] += len(changes)
    load_run.done["presence events missed"] += missed
    load_run.check(missed <= len(users) // _MISSED, f"{missed} of {len(users)} did not come, or go, as far as was said")
