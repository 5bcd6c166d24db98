"""One conversation that everybody writes into at once, with one member whose connection hardly takes anything."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from tests.e2e.raw_client import RawClient, new_users
from tests.e2e.test_groups import make_group
from tests.load.crowd import dial, hang_up
from tests.load.load_run import LoadRun

_TINY = 4_096  # bytes that a slow consumer's kernel keeps for it
_LONG = "long " * 999
_AT_ONCE = 150  # messages that one user may send without being held up, and some to spare


async def hot(load_run: LoadRun, *, writers: int, each: int) -> None:
    """Every acknowledgement has a place of its own, no place is left out, and everyone sees the same at each."""
    names = new_users(writers)
    group = await asyncio.to_thread(make_group, load_run.stack, names[0], names[1:])
    clients = [client for client in await asyncio.gather(*(dial(load_run, name) for name in names)) if client]
    before = len(await everything(load_run, clients[0], group))
    pairs = zip(names, clients, strict=True)
    written = await asyncio.gather(
        *(_write(load_run, client, group, name, count=each, after=before) for name, client in pairs)
    )
    acked = {seq: text for texts in written for seq, text in texts.items()}
    last = before + writers * each
    load_run.check(sorted(acked) == list(range(before + 1, last + 1)), "places were left out, or given away twice")
    load_run.check(all(list(texts) == sorted(texts) for texts in written), "a writer's messages changed places")
    for name, client, own in zip(names, clients, written, strict=True):
        await client.until(lambda client=client, own=own: {**seen(client), **own}.keys() >= acked.keys())  # type: ignore[misc]  # its defaults
        load_run.check({**seen(client), **own} == acked, f"{name} sees others' messages at other places")
    log = await everything(load_run, clients[-1], group)
    load_run.check([entry["seq"] for entry in log] == list(range(1, last + 1)), "a sync shows gaps")
    stored = {entry["seq"]: entry["message"]["content"] for entry in log if entry["type"] == "new_message"}
    load_run.check(stored == acked, "what is stored is not what was acknowledged")
    await hang_up(clients)


async def _write(
    load_run: LoadRun, client: RawClient, group: str, name: str, *, count: int, after: int
) -> dict[int, str]:
    """One after the other, each behind what the writer has seen by then. Returns the texts by their places."""
    own: dict[int, str] = {}
    for turn in range(count):
        text = f"{name}, turn {turn}"
        held = max([after, *own, *seen(client)])
        fields = {"conversation_id": group, "content": text, "client_message_id": text, "after": held}
        ack = await load_run.ask(client, "message", **fields)
        load_run.check_new(ack)
        own[ack["seq"]] = text
        await load_run.ask(client, "delivered", conversation_id=group, seq=ack["seq"])
    return own


def seen(client: RawClient) -> dict[int, str]:
    return {event["seq"]: event["message"]["content"] for event in client.of_type("new_message")}


async def everything(load_run: LoadRun, client: RawClient, conversation_id: str) -> list[dict[str, Any]]:
    """The conversation's entries, synced from the first on."""
    found: list[dict[str, Any]] = []
    while True:
        data = await load_run.ask(client, "sync", conversations={conversation_id: len(found)})
        (one,) = (each for each in data["conversations"] if each["id"] == conversation_id)
        found += one["entries"]
        if not one["has_more"]:
            return found


async def slow(load_run: LoadRun, *, messages: int) -> None:
    """A member reads nothing while long messages come: the others notice nothing, and it has them all once it reads."""
    quick, sleepy, *names = new_users(3 + messages // _AT_ONCE)
    group = await asyncio.to_thread(make_group, load_run.stack, quick, [sleepy, *names])
    reader = await dial(load_run, quick)
    assert reader is not None
    writers = [client for client in [await dial(load_run, name) for name in names] if client]
    line = _narrow(load_run.stack.ws_url)
    sluggish = await dial(load_run, sleepy, sock=line, ping_interval=None)
    assert sluggish is not None
    sluggish.socket.transport.pause_reading()
    texts = [f"{number} {_LONG}" for number in range(messages)]
    for seq, text in enumerate(texts, start=1):
        fields = {"conversation_id": group, "content": text, "client_message_id": str(seq), "after": seq}
        ack = await load_run.ask(writers[seq % len(writers)], "message", **fields)
        load_run.check(ack["seq"] == seq + 1, f"message {seq} was acknowledged at {ack['seq']}")
        await reader.until(lambda place=ack["seq"]: place in seen(reader))  # type: ignore[misc]  # its default
        await load_run.ask(reader, "delivered", conversation_id=group, seq=ack["seq"])
    load_run.check(list(seen(reader).values()) == texts, "the quick member got them in another order")
    sluggish.socket.transport.resume_reading()
    await _has_all(load_run, sluggish, group, texts)
    await hang_up([*writers, reader, sluggish])


def _narrow(url: str) -> socket.socket:
    parts = urlsplit(url)
    assert parts.port is not None
    line = socket.socket()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _TINY)
    line.connect(("127.0.0.1", parts.port))
    return line


async def _has_all(load_run: LoadRun, client: RawClient, group: str, texts: Sequence[str]) -> None:
    """What did not get through in the meantime comes with the sync."""
    synced = [entry for entry in await everything(load_run, client, group) if entry["type"] == "new_message"]
    stored = {entry["seq"]: entry["message"]["content"] for entry in synced}
    load_run.check(list(stored.values()) == list(texts), "the slow member does not have them all")
    load_run.check(seen(client).items() <= stored.items(), "the slow member was told other things than are stored")
    load_run.done["live posts to the slow member"] += len(seen(client))
