"""A support inbox in a terminal: one agent, many customers. Who has waited longest is on top.

1 We are looking into it     answers the first
q                            ends it
"""

from __future__ import annotations

import asyncio
import os
import sys

from parley_client import Message, ParleyClient, ParleyError


def needed(name: str) -> str:
    """What the environment says; README.md has the commands that set it."""
    return os.environ.get(name) or sys.exit(f"{name} is not set: see README.md")


class Inbox:
    """Whom the agent has yet to answer: what they have said since the last answer, by conversation."""

    def __init__(self, agent: ParleyClient) -> None:
        self.agent = agent
        self.waiting: dict[str, list[Message]] = {}
        self.names: dict[str, str] = {}

    async def load(self) -> None:
        """What waits already: the last word is the customer's."""
        cursor, has_more = None, True
        while has_more:
            page = await self.agent.inbox(limit=100, cursor=cursor)
            for row in page.conversations:
                if row.type == "private" and row.last_message and row.last_message.sender_id != self.agent.user_id:
                    found = await self.agent.history(row.id, limit=20)
                    for message in sorted(found.messages, key=lambda one: one.seq):
                        await self.hear(message)
            cursor, has_more = page.next_cursor, page.next_cursor is not None

    async def hear(self, message: Message) -> None:
        """A customer waits from their first message on until the agent answers."""
        if message.sender_id == self.agent.user_id:
            self.waiting.pop(message.conversation_id, None)
        elif message.conversation_id.startswith("dm:"):
            if message.sender_id not in self.names:
                user = await self.agent.user(message.sender_id)
                self.names[message.sender_id] = user.name if user and user.name else message.sender_id
            said = self.waiting.setdefault(message.conversation_id, [])
            if all(message.seq != one.seq for one in said):  # it may be loaded, and come live
                said.append(message)

    def queue(self) -> list[list[Message]]:
        return sorted(self.waiting.values(), key=lambda said: said[0].created_at)

    def show(self) -> None:
        print(f"--- {len(self.waiting)} waiting")
        for number, said in enumerate(self.queue(), start=1):
            print(f"{number}  {self.names[said[0].sender_id]}: " + " / ".join(str(one.content) for one in said))
        sys.stdout.flush()

    async def answer(self, line: str) -> None:
        """`1 words` goes to the first of the queue; then what they have said is read."""
        number, _, words = line.partition(" ")
        if not (number.isdecimal() and 0 < int(number) <= len(self.waiting) and words):
            print("A number of the list, and then the answer:  1 We are looking into it", flush=True)
            return
        last = self.queue()[int(number) - 1][-1]
        await self.agent.send(words, conversation_id=last.conversation_id, reply_to=last.seq)
        await self.agent.mark_read(last.conversation_id, last.seq)

    async def follow(self) -> None:
        async for event in self.agent.events():
            if isinstance(event, Message):
                await self.hear(event)
                self.show()


async def main() -> None:
    url, http_url, token = (needed(f"PARLEY_{name}") for name in ("WS_URL", "HTTP_URL", "TOKEN"))
    async with ParleyClient(url, token=token, http_url=http_url) as agent:
        await agent.connected()
        inbox = Inbox(agent)
        following = asyncio.create_task(inbox.follow())  # what comes while the rest is loaded is not missed
        await inbox.load()
        inbox.show()
        while (line := (await asyncio.to_thread(sys.stdin.readline)).strip()) not in {"q", ""}:
            await inbox.answer(line)
        following.cancel()


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except ParleyError as error:
        sys.exit(f"The inbox had to end: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
