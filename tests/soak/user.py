"""A simulated user: a real client, what it has seen, and random things to do."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from parley_client import Ack, MembershipLost, Message, ParleyClient, ParleyError
from parley_client.events import Entry
from parley_client.view import ConversationView

from local.stack import Stack
from local.tokens import mint

EMOJI = ("👍", "🎉", "❤️")
# What a random operation may be answered with: others are at it, too.
EXPECTED = frozenset({"not_a_member", "not_found", "forbidden", "blocked", "rate_limited", "conflict"})
# An operation that the connection's end overtook. Sends and changes go on by themselves; these are asked once.
CUT = frozenset({"connection_lost", "timeout", "closed"})


@dataclass
class SoakRun:
    """What all users share: who there is, which groups, and what has happened so far."""

    stack: Stack
    url: str
    rng: random.Random
    names: list[str]
    groups: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    acks: list[tuple[str, Ack, str]] = field(default_factory=list)


@dataclass
class Seen:
    """A conversation as this user's clients have seen it. `first` is the first entry since they (last) joined."""

    view: ConversationView
    first: int = 0


class User:
    """One user with one device, which comes and goes, and goes on where it was.

    `weights`: how often each operation is chosen, by its name here. `expected`: what it may be refused with.
    """

    weights: ClassVar[Mapping[str, int]] = {
        "write_to_someone": 20,
        "write_somewhere": 30,
        "forward": 2,
        "edit": 6,
        "delete": 3,
        "react": 10,
        "read": 10,
        "create_group": 1,
        "add": 2,
        "remove": 1,
        "leave": 1,
        "rename": 1,
        "set_role": 1,
        "block_for_a_moment": 1,
        "type": 3,
        "watch": 1,
        "come_again": 2,
    }
    expected: ClassVar[frozenset[str]] = EXPECTED | CUT

    def __init__(self, name: str, soak: SoakRun) -> None:
        self.name = name
        self.soak = soak
        self.seen: dict[str, Seen] = {}
        self.client = self._new_client(None)
        self._reader: asyncio.Task[None] | None = None

    def _new_client(self, state: dict[str, object] | None) -> ParleyClient:
        stack = self.soak.stack
        return ParleyClient(
            self.soak.url,
            token=lambda: mint(stack, self.name),
            http_url=stack.http_url,
            user_id=self.name,
            history="all",
            state=state,
            backoff_first=0.05,
            backoff_limit=0.5,
            max_attempts=100,
        )

    async def start(self) -> None:
        await self.client.__aenter__()
        self._reader = asyncio.create_task(self._read())

    async def stop(self) -> None:
        await self.client.close()
        if self._reader is not None:
            await self._reader

    async def restart(self) -> None:
        """A new process that knows what the old one has written down."""
        await self.stop()
        self.client = self._new_client(self.client.state())
        await self.start()

    async def _read(self) -> None:
        async for event in self.client.events():
            if isinstance(event, MembershipLost):
                self.seen.pop(event.conversation_id, None)
                continue
            conversation_id = getattr(event, "conversation_id", None)
            seen = self.seen.get(conversation_id or "")
            if seen is None and isinstance(event, Entry):
                # A receipt may come before the first entry, and a refused message after the last.
                seen = self.seen[event.conversation_id] = Seen(ConversationView(event.conversation_id), event.seq)
            if seen is not None:
                seen.view.apply(event)

    # --- random operations

    async def act(self) -> None:
        """One operation. Refusals that come of others being quicker are counted; anything else is a finding."""
        (name,) = self.soak.rng.choices(list(self.weights), list(self.weights.values()))
        try:
            async with asyncio.timeout(120):
                await getattr(self, name)()
            self.soak.done[name] += 1
        except ParleyError as error:
            self.soak.refused[f"{name}: {error.code}"] += 1
            if error.code not in self.expected:
                self.soak.findings.append(f"{self.name}: {name} failed with {error.code}: {error.message}")
        except TimeoutError:
            self.soak.findings.append(f"{self.name}: {name} had no end within two minutes")

    def _someone(self) -> str:
        return self.soak.rng.choice([name for name in self.soak.names if name != self.name])

    def _place(self) -> str | None:
        return self.soak.rng.choice(list(self.seen)) if self.seen else None

    def _group(self) -> str | None:
        """Mostly one of one's own; now and then a foreign one, which must refuse."""
        mine = [each for each in self.seen if each.startswith("group:")]
        everyones = self.soak.groups
        choice = mine if mine and self.soak.rng.random() < 0.9 else everyones
        return self.soak.rng.choice(choice) if choice else None

    def _message(self, *, own: bool) -> tuple[str, int] | None:
        place = self._place()
        if place is None:
            return None
        messages = self.seen[place].view.messages.values()
        found = [message.seq for message in messages if not own or message.sender_id == self.name]
        return (place, self.soak.rng.choice(found[-20:])) if found else None

    async def write_to_someone(self) -> None:
        await self._send(to=self._someone())

    async def write_somewhere(self) -> None:
        place = self._group() or self._place()
        if place is not None:
            await self._send(conversation_id=place)

    async def _send(self, *, to: str | None = None, conversation_id: str | None = None) -> None:
        text = f"{self.name} {self.soak.rng.getrandbits(64):x}"
        ack = await self.client.send(text, to=to, conversation_id=conversation_id)
        self.soak.acks.append((self.name, ack, text))

    async def forward(self) -> None:
        message, to = self._message(own=False), self._someone()
        if message is not None:
            await self.client.send(to=to, forward_of=message)

    async def edit(self) -> None:
        message = self._message(own=True)
        if message is not None:
            await self.client.edit(*message, f"edited {self.soak.rng.getrandbits(32):x}")

    async def delete(self) -> None:
        message = self._message(own=self.soak.rng.random() < 0.8)
        if message is not None:
            await self.client.delete(*message)

    async def react(self) -> None:
        message = self._message(own=False)
        if message is not None:
            remove = self.soak.rng.random() < 0.3
            await self.client.react(*message, self.soak.rng.choice(EMOJI), remove=remove)

    async def read(self) -> None:
        place = self._place()
        if place is not None and self.seen[place].view.held:
            await self.client.mark_read(place, self.seen[place].view.held)

    async def create_group(self) -> None:
        if len(self.soak.groups) < 12:
            members = self.soak.rng.sample(self.soak.names, k=4)
            group = await self.client.create_group(f"group {len(self.soak.groups)}", members)
            self.soak.groups.append(group.id)

    async def add(self) -> None:
        group = self._group()
        if group is not None:
            await self.client.add_members(group, [self._someone()])

    async def remove(self) -> None:
        group = self._group()
        if group is not None:
            await self.client.remove_member(group, self._someone())

    async def leave(self) -> None:
        group = self._group()
        if group is not None:
            await self.client.leave(group)

    async def rename(self) -> None:
        group = self._group()
        if group is not None:
            await self.client.rename(group, f"renamed {self.soak.rng.getrandbits(16):x}")

    async def set_role(self) -> None:
        group = self._group()
        if group is not None:
            await self.client.set_role(group, self._someone(), self.soak.rng.choice(["owner", "admin", "member"]))

    async def block_for_a_moment(self) -> None:
        someone = self._someone()
        await self.client.block(someone)
        await asyncio.sleep(self.soak.rng.random())
        await self.client.unblock(someone)

    async def type(self) -> None:
        place = self._place()
        if place is not None:
            await self.client.typing(place)

    async def watch(self) -> None:
        await self.client.presence(self.soak.rng.sample(self.soak.names, k=min(5, len(self.soak.names))))

    async def come_again(self) -> None:
        await self.restart()


async def drained(user: User) -> None:
    """Wait until the client has all there is, and this user has seen it."""
    with contextlib.suppress(ParleyError):
        await user.client.flush()
    await user.client.sync()


def as_compared(message: Message) -> tuple[object, ...]:
    """All of a message that everyone must agree on."""
    reactions = {emoji: tuple(users) for emoji, users in message.reactions.items()}
    return (
        message.seq,
        message.sender_id,
        message.content,
        message.client_message_id if message.deleted_at is None else None,
        message.edited_at if message.deleted_at is None else None,
        message.deleted_at,
        message.forwarded if message.deleted_at is None else False,
        sorted(reactions.items()),
    )
