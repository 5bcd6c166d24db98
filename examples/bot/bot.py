"""A bot: a user whose client is a program. It reacts to thanks, and answers the rest by words that it edits.

    make up
    PARLEY_WS_URL=… PARLEY_HTTP_URL=… PARLEY_TOKEN=… .venv/bin/python examples/bot/bot.py

Write to `bot`, and it answers. In groups it answers whoever mentions it. Where it was it keeps in a file, so that it
goes on from there when it is started again: with what was written meanwhile, and with nothing a second time.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from parley_client import Message, ParleyClient, StateFile

THANKS = ("thank", "thx", "merci", "danke")


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
    store = StateFile(Path(os.environ.get("BOT_STATE", "bot-state.json")))
    async with ParleyClient(
        os.environ["PARLEY_WS_URL"],
        token=os.environ["PARLEY_TOKEN"],
        http_url=os.environ["PARLEY_HTTP_URL"],
        store=store,
    ) as bot:
        await bot.connected()
        print("ready", flush=True)  # noqa: T201  # for whoever has started it
        async for event in bot.events():
            if isinstance(event, Message) and is_for(bot.user_id, event):
                await answer(bot, event)


if __name__ == "__main__":
    asyncio.run(main())
