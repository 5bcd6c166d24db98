"""A user comes back after a long time, and something has happened in every conversation."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.e2e.raw_client import http, new_users
from tests.load.crowd import dial, hang_up
from tests.load.load_run import LoadRun

_AT_ONCE = 8
_PRIVATE = 25  # one of so many is; making a group takes a request less, for it is an entry already
Logs = dict[str, list[str]]


async def absence(load_run: LoadRun, *, conversations: int, entries: int = 1) -> None:
    """As many people, 500 at most (a sync can name no more), have begun a conversation each. Syncs bring it all."""
    reader, *others = new_users(conversations + 1)
    expected: Logs = {}

    def begin(number: int) -> None:
        kind = "group" if number % _PRIVATE else "private"
        conversation_id, log = _begun(load_run, others[number], reader, kind, entries)
        expected[conversation_id] = log

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        loop = asyncio.get_running_loop()
        await asyncio.gather(*(loop.run_in_executor(threads, begin, number) for number in range(conversations)))
    found = await _caught_up(load_run, reader)
    wrong = [each for each in found.keys() | expected.keys() if found.get(each) != expected.get(each)]
    load_run.check(not wrong, f"{len(wrong)} conversations are not as they were written, {wrong[:3]} among them")
    unread = {each: sum(what != "member_added" for what in log) for each, log in expected.items()}
    load_run.check(await asyncio.to_thread(_inbox, load_run, reader) == unread, "the inbox counts otherwise")


def _begun(load_run: LoadRun, other: str, reader: str, kind: str, entries: int) -> tuple[str, list[str]]:
    """A conversation with as many entries: its id, and what they say."""
    asked = {"type": kind, **({"with": reader} if kind == "private" else {"name": "a group", "members": [reader]})}
    conversation_id = str(_post(load_run, "/v1/conversations", other, asked)["id"])
    log = ["member_added"] if kind == "group" else []
    while len(log) < entries:
        text = f"{other}, {len(log)}"
        message = {"content": text, "client_message_id": text, "after": len(log)}
        _post(load_run, f"/v1/conversations/{conversation_id}/messages", other, message)
        log.append(text)
    return conversation_id, log


def _post(load_run: LoadRun, path: str, user_id: str, body: dict[str, Any]) -> dict[str, Any]:
    status, answer = http(load_run.stack, "POST", path, user_id=user_id, body=body)
    load_run.check(status in {200, 201}, f"{path} was answered {status}")
    load_run.done["POST"] += 1
    found: dict[str, Any] = answer
    return found


async def _caught_up(load_run: LoadRun, reader: str) -> Logs:
    """Name whatever is known by now, until there is no more to come."""
    client = await dial(load_run, reader)
    assert client is not None
    found: Logs = {}
    while True:
        synced = await load_run.ask(client, "sync", conversations={each: len(held) for each, held in found.items()})
        for one in synced["conversations"]:
            _take(load_run, found.setdefault(one["id"], []), one)
        lags = any(len(found[one["id"]]) < one["head"] for one in synced["conversations"])
        if not synced["has_more"] and not lags:
            await hang_up([client])
            return found


def _take(load_run: LoadRun, held: list[str], one: dict[str, Any]) -> None:
    places = [entry["seq"] for entry in one["entries"]]
    load_run.check(places == list(range(len(held) + 1, len(held) + 1 + len(places))), f"{one['id']} brings {places}")
    held += [entry["message"]["content"] if "message" in entry else entry["type"] for entry in one["entries"]]


def _inbox(load_run: LoadRun, reader: str) -> dict[str, int]:
    """What is unread in each conversation, page by page."""
    unread: dict[str, int] = {}
    cursor = ""
    while True:
        status, page = http(load_run.stack, "GET", f"/v1/conversations?limit=100{cursor}", user_id=reader)
        load_run.check(status == 200, f"the inbox answers {status}")
        load_run.check(unread.keys().isdisjoint(one["id"] for one in page["conversations"]), "the inbox repeats itself")
        unread |= {one["id"]: one["unread"] for one in page["conversations"]}
        if page["next_cursor"] is None:
            return unread
        cursor = f"&cursor={page['next_cursor']}"
