"""What a team's backend does when somebody opens the chat on its website, and what that visitor says then.

visitor.py visitor-7 Ada "My order is late"
"""

from __future__ import annotations

import asyncio
import os
import sys

from parley_client import Admin, ParleyError

ARGUMENTS = 3


def needed(name: str) -> str:
    """What the environment says; README.md has the commands that set it."""
    return os.environ.get(name) or sys.exit(f"{name} is not set: see README.md")


async def main(visitor: str, name: str, text: str) -> None:
    admin = Admin(needed("PARLEY_HTTP_URL"), token=needed("PARLEY_TOKEN"))
    await admin.put_user(visitor, name=name)
    ours = admin.acting_as("desk")
    conversation = await ours.create_private(visitor)
    await ours.post(conversation, "How can we help?", client_message_id="greeting")  # each time again, stored once
    # Their browser does this, with a token of the scope `guest`: a guest answers, and begins nothing.
    await admin.acting_as(visitor).post(conversation, text)
    print(f"{name} has written into {conversation}")


if __name__ == "__main__":
    if len(sys.argv) != ARGUMENTS + 1:
        sys.exit('Say who says what: visitor.py visitor-7 Ada "My order is late"')
    try:
        asyncio.run(main(*sys.argv[1:]))
    except ParleyError as error:
        sys.exit(f"Parley refuses it: {error}")
