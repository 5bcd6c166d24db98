"""`make chat`: the terminal chat of the Python client, with the stack's URLs and a token."""

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
    command = [sys.executable, "-m", "parley_client.chat", "--user", user, "--to", partner]
    os.execve(sys.executable, command, environment)  # noqa: S606
