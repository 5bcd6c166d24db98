"""Users at random, over connections that are cut now and then; and whether, at the end, everyone has seen the same."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from parley_client.resources import Summary
from parley_client.view import ConversationView

from local.stack import Stack
from tests.chaos.proxy import Proxy, proxy_before
from tests.e2e.raw_client import connected, http
from tests.soak.user import SoakRun, User, as_compared, drained

CUT_EVERY_S = 20.0


@dataclass(frozen=True)
class Report:
    """What was done, what was refused as it should be, and what is wrong (nothing, if all is well)."""

    done: Counter[str]
    refused: Counter[str]
    conversations: int
    entries: int
    compared: int
    findings: list[str]

    def __str__(self) -> str:
        lines = [
            f"operations   {self.done.total():,}: "
            + ", ".join(f"{name} {count}" for name, count in self.done.most_common()),
            "refused      " + (", ".join(f"{name} {count}" for name, count in self.refused.most_common()) or "none"),
            f"compared     {self.compared:,} messages in {self.conversations} conversations, {self.entries:,} entries",
        ]
        return "\n".join([*lines, *(f"FOUND        {finding}" for finding in self.findings)])


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.most_common()) or "none"


async def soak(stack: Stack, *, users: int, seconds: float, pause: float, seed: int) -> Report:
    """Let `users` do random things for `seconds`, then compare every client with the log, the history and the inbox."""
    run = uuid.uuid4().hex[:8]
    async with proxy_before(stack) as proxy:
        names = [f"soak{number}-{run}" for number in range(users)]
        soak = SoakRun(stack, proxy.url, random.Random(seed), names)
        everyone = [User(name, soak) for name in names]
        for user in everyone:
            await user.start()
        cutter = asyncio.create_task(_cut_now_and_then(proxy))
        until = time.monotonic() + seconds
        await asyncio.gather(*(live(user, until, pause) for user in everyone))
        cutter.cancel()
        for user in everyone:
            await drained(user)
        report = await compare(everyone, soak)
        for user in everyone:
            await user.stop()
    return report


async def live(user: User, until: float, pause: float) -> None:
    """Do random things until then, with pauses of that many seconds on average."""
    while time.monotonic() < until:
        await user.act()
        await asyncio.sleep(user.soak.rng.random() * 2 * pause)


async def _cut_now_and_then(proxy: Proxy) -> None:
    while True:
        await asyncio.sleep(CUT_EVERY_S)
        proxy.cut()


# --- the comparison


async def compare(everyone: Sequence[User], soak: SoakRun) -> Report:
    """Everyone against the logs, the history and the inbox. Adds to the run's findings."""
    logs: dict[str, list[dict[str, Any]]] = {}
    compared = 0
    for user in everyone:
        for conversation_id, entries in (await everything(soak.stack, user.name)).items():
            if logs.setdefault(conversation_id, entries) != entries:
                soak.findings.append(f"{user.name} syncs another log of {conversation_id} than somebody else")
        compared += await _compare_user(user, logs, soak)
    _check_logs(logs, soak)
    _check_acks(logs, soak)
    return Report(soak.done, soak.refused, len(logs), sum(map(len, logs.values())), compared, soak.findings)


async def everything(stack: Stack, name: str) -> dict[str, list[dict[str, Any]]]:
    """Every conversation of a user from its first entry on, by a client that knows nothing."""
    found: dict[str, list[dict[str, Any]]] = {}
    async with connected(stack, name) as raw:
        while True:
            named = {conversation_id: len(entries) for conversation_id, entries in found.items()}
            data = await raw.ask("sync", conversations=named)
            for one in data["conversations"]:
                found.setdefault(one["id"], []).extend(one["entries"])
            lagging = any(len(found[one["id"]]) < one["head"] for one in data["conversations"])
            if not data["has_more"] and not lagging:
                return found


async def _compare_user(user: User, logs: dict[str, list[dict[str, Any]]], soak: SoakRun) -> int:
    """What this user's client shows, against the history by HTTP and the inbox. Returns how many messages."""
    inbox = await _inbox(user)
    for conversation_id in set(user.seen) - set(inbox):
        soak.findings.append(f"{user.name} still shows {conversation_id}, which is not in the inbox")
    compared = 0
    for summary in inbox.values():
        if summary.head:
            compared += await _compare_conversation(user, summary, soak)
    for conversation_id in (each for each in logs if each not in inbox and each.startswith("group:")):
        path = f"/v1/conversations/{conversation_id}/messages"
        # In a thread: what the stack needs to answer may be served by this very loop.
        status, body = await asyncio.to_thread(http, soak.stack, "GET", path, user_id=user.name)
        if (status, body.get("code")) != (404, "not_a_member"):
            soak.findings.append(f"{user.name} is answered {status} by {conversation_id}, a foreign group")
    return compared


async def _inbox(user: User) -> dict[str, Summary]:
    found: dict[str, Summary] = {}
    cursor = None
    while True:
        page = await user.client.inbox(limit=100, cursor=cursor)
        found.update({one.id: one for one in page.conversations})
        cursor = page.next_cursor
        if cursor is None:
            return found


async def _compare_conversation(user: User, summary: Summary, soak: SoakRun) -> int:
    seen = user.seen.get(summary.id)
    if seen is None or seen.view.held != summary.head:
        held = seen.view.held if seen else None
        soak.findings.append(f"{user.name} holds {held} of {summary.head} entries in {summary.id}")
        return 0
    view = seen.view
    view.mark_read(user.name, summary.read_seq)
    if view.unread(user.name) != summary.unread:
        counted = f"{view.unread(user.name)} unread in {summary.id}, the inbox {summary.unread}"
        soak.findings.append(f"{user.name} counts {counted}")
    last, shown = summary.last_message, max(view.messages, default=0)
    if last is not None and last.seq >= seen.first and last.seq != shown:
        soak.findings.append(f"{user.name} sees {shown} as the last message of {summary.id}, not {last.seq}")
    return await _compare_history(user, view, seen.first, soak)


async def _compare_history(user: User, view: ConversationView, first: int, soak: SoakRun) -> int:
    history: list[Any] = []
    after = max(first - 1, 0)
    while True:
        page = await user.client.history(view.conversation_id, after=after, limit=100)
        history += page.messages
        if not page.has_more:
            break
        after = page.messages[-1].seq
    there = {message.seq: as_compared(message) for message in history}
    shown = {seq: as_compared(message) for seq, message in view.messages.items()}
    for seq in sorted(there.keys() | shown.keys()):
        if there.get(seq) != shown.get(seq):
            soak.findings.append(
                f"{user.name} shows {view.conversation_id}/{seq} as {shown.get(seq)}, the history as {there.get(seq)}"
            )
    return len(there)


def _check_logs(logs: dict[str, list[dict[str, Any]]], soak: SoakRun) -> None:
    for conversation_id, entries in logs.items():
        if [entry["seq"] for entry in entries] != list(range(1, len(entries) + 1)):
            soak.findings.append(f"{conversation_id} has a gap or a repetition")
        sent = [entry["message"].get("client_message_id") for entry in entries if entry["type"] == "new_message"]
        twice = [each for each, count in Counter(filter(None, sent)).items() if count > 1]
        if twice:
            soak.findings.append(f"{conversation_id} holds {twice} more than once")


def _check_acks(logs: dict[str, list[dict[str, Any]]], soak: SoakRun) -> None:
    """Each acknowledged message is where its ack said. An abandoned group has no member to read its log."""
    for name, ack, _ in soak.acks:
        log = logs.get(ack.conversation_id)
        if log is None:
            continue
        entry = log[ack.seq - 1] if ack.seq <= len(log) else {}
        message = entry.get("message", {})
        if message.get("sender_id") != name or message.get("client_message_id") != ack.client_message_id:
            soak.findings.append(f"{name}'s message {ack.message_id} was acknowledged, and is not there")
