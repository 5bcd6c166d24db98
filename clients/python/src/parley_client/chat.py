"""A small chat for the terminal: `python -m parley_client.chat --user alice --to bob`.

It is also an example of the client: a stream of events, messages that survive a cut connection, and a state file with
which another process goes on where this one stopped.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from parley_client.chat_screen import Chat
from parley_client.client import ParleyClient
from parley_client.conversation import is_group
from parley_client.errors import ParleyError, RefusedError
from parley_client.store import StateFile
from parley_client.terminal import Terminal


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="parley-chat", description="Chat with somebody in the terminal.")
    environment = os.environ.get
    parser.add_argument("--user", help="who you are; must be the token's user")
    parser.add_argument("--to", required=True, help="whom to write to: a user, or the id of a group")
    parser.add_argument("--ws-url", default=environment("PARLEY_WS_URL"), help="default: $PARLEY_WS_URL")
    parser.add_argument("--http-url", default=environment("PARLEY_HTTP_URL"), help="default: $PARLEY_HTTP_URL")
    parser.add_argument("--token", default=environment("PARLEY_TOKEN"), help="default: $PARLEY_TOKEN")
    parser.add_argument("--state", type=Path, help="a file to go on from, and to keep what was not sent yet")
    given = parser.parse_args(argv)
    missing = [name for name in ("ws_url", "http_url", "token") if not getattr(given, name)]
    if missing:
        wanted = ", ".join(f"--{name.replace('_', '-')} or PARLEY_{name.upper()}" for name in missing)
        parser.error(f"missing: {wanted}")
    return given


async def _chat(given: argparse.Namespace) -> None:
    store = StateFile(given.state) if given.state else None
    before = store.load() if store else None
    client = ParleyClient(
        given.ws_url,
        token=given.token,
        http_url=given.http_url,
        user_id=given.user,
        platform="terminal",
        state=before,
        store=store,
    )
    async with client:
        if client.user_id is None:
            raise ParleyError("bad_request", "The token does not say who you are: give --user")
        client.open_conversation = given.to if is_group(given.to) else client.private_with(given.to)
        terminal = Terminal(prompt=f"{client.user_id}> ")
        terminal.show(f"You are {client.user_id}, and write to {given.to}. /help shows what else there is.")
        await Chat(client, terminal, given.to, before).run()


def main(argv: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0 after leaving, 1 where the server or the state did not let us in, 2 for wrong usage."""
    given = _arguments(argv)
    try:
        asyncio.run(_chat(given))
    except RefusedError as error:
        print(
            f"The server refused the token ({error.status}). Get a fresh one, and give it by PARLEY_TOKEN or --token.",
            file=sys.stderr,
        )
        return 1
    except ParleyError as error:
        print(error.message, file=sys.stderr)
        if error.code in ("wrong_user", "log_lost") and given.state:
            print(f"Start without {given.state}, or remove it.", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"The state can't be read: {error}", file=sys.stderr)
        return 1
    except (ValueError, KeyError) as error:
        print(f"This can't work: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
