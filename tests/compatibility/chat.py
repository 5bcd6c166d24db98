"""A chat with whichever parley_client can be imported, against whichever stack: prints what came of it, as JSON.

Only what the previous release has is used. `python chat.py '{"mode": "chat", "url": …, "http_url": …, "tokens": {…}}'`
"""

# ruff: noqa: T201  # what it prints is its report

from __future__ import annotations

import asyncio
import io
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self, TypeVar

import parley_client
from parley_client import (
    ConversationUpdated,
    LogEntry,
    MembersAdded,
    MembershipLost,
    MembersRemoved,
    Message,
    MessageDeleted,
    MessageEdited,
    ParleyClient,
    Reaction,
    ReadReceipt,
    StateFile,
)

PATIENCE_S = 90.0
POLL_S = 0.02
ENTRIES = (
    *(Message, MessageEdited, MessageDeleted, Reaction, MembersAdded, MembersRemoved, ConversationUpdated),
    LogEntry,
)
T = TypeVar("T")


class Person:
    """A client, and what it was told."""

    def __init__(self, given: dict[str, Any], name: str, state: Path | None = None) -> None:
        store = StateFile(state) if state else None
        self.client = ParleyClient(given["url"], token=given["tokens"][name], http_url=given["http_url"], store=store)
        self.told: list[Any] = []

    async def __aenter__(self) -> Self:
        await self.client.__aenter__()
        self._listening = asyncio.create_task(self._listen())
        await asyncio.wait_for(self.client.connected(), PATIENCE_S)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.close()
        await asyncio.wait([self._listening], timeout=PATIENCE_S)

    async def _listen(self) -> None:
        async for event in self.client.events():
            self.told.append(event)

    async def hears(self, kind: type[T], holds: Callable[[T], bool] = lambda _: True) -> T:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for event in self.told:
                    if isinstance(event, kind) and holds(event):
                        return event
                if self._listening.done():
                    self._listening.result()
                    raise EOFError("the events have ended")
                await asyncio.sleep(POLL_S)


async def in_private(alice: Person, bob: Person, b: str) -> dict[str, Any]:
    ack = await alice.client.send("hello", to=b)
    heard = await bob.hears(Message, lambda it: it.content == "hello")
    await bob.client.mark_read(ack.conversation_id, ack.seq)
    receipt = await alice.hears(ReadReceipt, lambda it: it.user_id == b)
    twice = [await alice.client.send("once", to=b, client_message_id="once", after=ack.seq) for _ in range(2)]
    await alice.client.edit(ack.conversation_id, ack.seq, "hello there")
    edited = await bob.hears(MessageEdited)
    await bob.client.react(ack.conversation_id, ack.seq, "👍")
    reaction = await alice.hears(Reaction)
    await alice.client.delete(ack.conversation_id, twice[0].seq)
    deleted = await bob.hears(MessageDeleted)
    return {
        "conversation": ack.conversation_id,
        "heard": [heard.seq, heard.content],
        "read": receipt.seq,
        "twice": [[one.seq, one.duplicate] for one in twice],
        "edited": [edited.message_seq, edited.content],
        "reaction": [reaction.message_seq, reaction.emoji],
        "deleted": deleted.message_seq,
    }


async def in_a_group(alice: Person, bob: Person, carol: Person, b: str, c: str) -> dict[str, Any]:
    group = await alice.client.create_group("Tea", [b])
    await alice.client.add_members(group.id, [c])
    added = await bob.hears(MembersAdded, lambda it: it.conversation_id == group.id and c in it.users)
    await alice.client.rename(group.id, "Tea at four")
    renamed = await bob.hears(ConversationUpdated, lambda it: it.name == "Tea at four")
    await alice.client.send("milk?", conversation_id=group.id)
    heard = await carol.hears(Message, lambda it: it.content == "milk?")
    await alice.client.set_role(group.id, c, "admin")
    await carol.client.remove_member(group.id, b)
    await bob.hears(MembershipLost, lambda it: it.conversation_id == group.id)
    own = str(alice.client.user_id)
    members = {one.user_id: one.role for one in await alice.client.members(group.id)}
    return {
        "added": list(added.users),
        "renamed": renamed.name,
        "heard": heard.content,
        "roles": [members.get(name) for name in (own, b, c)],
    }


async def with_a_file(alice: Person, bob: Person, b: str) -> dict[str, Any]:
    await alice.client.send_file(b"two spoons of sugar", "a recipe", to=b, name="recipe.txt")
    heard = await bob.hears(Message, lambda it: it.content == "a recipe")
    fetched = io.BytesIO()
    await bob.client.download(str(heard.file_id), fetched)
    await bob.client.mark_read(heard.conversation_id, heard.seq)
    await alice.hears(ReadReceipt, lambda it: it.user_id == b and it.seq == heard.seq)
    return {"type": heard.type, "bytes": fetched.getvalue().decode()}


async def caught_up(given: dict[str, Any], alice: Person, b: str, state: Path) -> dict[str, Any]:
    """What bob misses while he is away comes by sync, after what he holds."""
    texts = [f"missed {number}" for number in range(3)]
    for text in texts:
        await alice.client.send(text, to=b)
    async with Person(given, "b", state) as bob:
        await bob.hears(Message, lambda it: it.content == texts[-1])
        conversation_id = bob.client.private_with(str(alice.client.user_id)) or ""
        inbox = await bob.client.inbox()
        history = await bob.client.history(conversation_id, limit=3)
        (row,) = [one for one in inbox.conversations if one.id == conversation_id]
        return {
            "told": [one.content for one in bob.told if isinstance(one, Message)],
            "unread": row.unread,
            "history": sorted(str(one.content) for one in history.messages),
            "whole": bob.client.held(conversation_id) == row.head,
        }


async def chat(given: dict[str, Any]) -> dict[str, Any]:
    b, c = given["names"]["b"], given["names"]["c"]
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder) / "bob.json"
        async with Person(given, "a") as alice:
            async with Person(given, "b", state) as bob, Person(given, "c") as carol:
                report = {"private": await in_private(alice, bob, b)}
                report["group"] = await in_a_group(alice, bob, carol, b, c)
                report["file"] = await with_a_file(alice, bob, b)
            report["sync"] = await caught_up(given, alice, b, state)
    return report


async def listen(given: dict[str, Any]) -> dict[str, Any]:
    """Hear what others do in a group, whatever it is, until they say that they are done."""
    async with Person(given, "b") as bob:
        print("ready", flush=True)
        last = await bob.hears(Message, lambda it: it.content == given["until"])
        group = last.conversation_id
        told = [one.seq for one in bob.told if isinstance(one, ENTRIES) and one.conversation_id == group]
        history = await bob.client.history(group, limit=100)
        inbox = await bob.client.inbox()
        await bob.client.send("still here", conversation_id=group)
        await bob.hears(Message, lambda it: it.content == "still here")
        return {
            "seqs": told,
            "held": bob.client.held(group),
            "history": len(history.messages),
            "inbox": [one.name for one in inbox.conversations if one.id == group],
        }


async def go_on(given: dict[str, Any]) -> dict[str, Any]:
    """Begin with what an earlier run has left in a file, which may be another version's; hear one message more."""
    async with Person(given, "a") as alice, Person(given, "b", Path(given["state"])) as bob:
        ack = await alice.client.send(given["until"], to=given["names"]["b"])
        await bob.hears(Message, lambda it: it.content == given["until"])
        return {
            "told": [one.content for one in bob.told if isinstance(one, Message)],
            "held": bob.client.held(ack.conversation_id),
        }


async def main() -> None:
    given = json.loads(sys.argv[1])
    report = await {"chat": chat, "listen": listen, "go on": go_on}[given["mode"]](given)
    print(json.dumps({"client": str(Path(parley_client.__file__).parent), **report}), flush=True)


asyncio.run(main())
