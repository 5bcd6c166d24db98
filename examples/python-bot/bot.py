"""A bot: a user whose client is a program. It reacts to thanks, and answers the rest by words that it edits.

Where it was it keeps in a file, so that it goes on from there when it is started again: with what was written
meanwhile, and with nothing a second time.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from parley_client import ConnectionChanged, Message, ParleyClient, ParleyError, StateFile

THANKS = ("thank", "thx", "merci", "danke")


def needed(name: str) -> str:
    """What the environment says; README.md has the commands that set it."""
    return os.environ.get(name) or sys.exit(f"{name} is not set: see README.md")


async def answer(bot: ParleyClient, message: Message) -> None:
    """React, or say at once that it was heard, and then the answer in its place."""
    text = message.content or ""
    if any(word in text.lower() for word in THANKS):
        await bot.react(message.conversation_id, message.seq, "💛")
        return
    sent = await bot.send("Let me see …", conversation_id=message.conversation_id, reply_to=message.seq)
    await bot.edit(sent.conversation_id, sent.seq, await thought_about(text))


async def thought_about(text: str) -> str:
    """What your bot is for stands here: a look into a database, a question to a model."""
    await asyncio.sleep(0.1)
    return f"You wrote {len(text.split())} words: {text[:200]}"


def is_for(user_id: str | None, message: Message) -> bool:
    """Of others, with words, and in a group only where the bot is mentioned."""
    if message.sender_id == user_id or not message.content:
        return False
    return message.conversation_id.startswith("dm:") or user_id in message.mentions


async def main() -> None:
    async with ParleyClient(
        needed("PARLEY_WS_URL"),
        token=needed("PARLEY_TOKEN"),
        http_url=needed("PARLEY_HTTP_URL"),
        store=StateFile(Path(os.environ.get("BOT_STATE", "bot-state.json"))),
    ) as bot:
        async for event in bot.events():
            if isinstance(event, ConnectionChanged) and event.state == "online":
                print("online", flush=True)
            elif isinstance(event, ConnectionChanged) and event.reason:
                print(f"{event.state}: {event.reason}", file=sys.stderr)  # it goes on trying by itself
            elif isinstance(event, Message) and is_for(bot.user_id, event):
                await answer(bot, event)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except ParleyError as error:
        sys.exit(f"The bot had to end: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
