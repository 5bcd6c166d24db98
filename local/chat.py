"""`make chat`: the terminal chat of the Python client, with the stack's URLs and a token."""

import fcntl
import os
import sys
from typing import NoReturn

from local import server, stack, tokens
from local.errors import LocalError
from local.settings import Settings

PARTNER = {"alice": "bob"}


def chat(settings: Settings, user: str, to: str | None) -> NoReturn:
    """Become the chat program; it ends as its user ends it.

    Raises:
        LocalError: there is no stack to chat over.

    """
    if server.find(settings) is None:
        raise LocalError("The stack is not running", "Start it with: make up")
    current = stack.read(settings.stack_file)
    environment = dict(os.environ) | {
        "PARLEY_WS_URL": current.ws_url,
        "PARLEY_HTTP_URL": current.http_url,
        "PARLEY_TOKEN": tokens.mint(current, user),
    }
    partner = to or PARTNER.get(user, "alice")
    command = [sys.executable, "-m", "parley_client.chat", "--user", user, "--to", partner, *_state(settings, user)]
    os.execve(sys.executable, command, environment)  # noqa: S606


def _state(settings: Settings, user: str) -> list[str]:
    """Where the chat keeps what it has seen and not yet sent, so that one that was killed goes on from there.

    One chat of a user at a time has it: a second terminal is a second device, and starts without.
    """
    settings.chats.mkdir(parents=True, exist_ok=True)
    lock = os.open(settings.chats / f"{user}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return []
    os.set_inheritable(lock, True)  # the chat program holds it until it ends, however it ends
    return ["--state", str(settings.chats / f"{user}.json")]
