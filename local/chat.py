"""`make chat`: the terminal chat of the Python client, with the stack's URLs and a token."""

import fcntl
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from parley_client import chat as terminal_chat
from parley_client.chat_door import Door

from local import server, stack, tokens
from local.errors import CommandError
from local.settings import Settings
from local.stack import Stack

PARTNER = {"alice": "bob"}


def chat(settings: Settings, user: str, to: str | None) -> int:
    """Chat until the user leaves, also over a `make reset` and `make up` beside it. Returns the exit code.

    Raises:
        CommandError: there is no stack to chat over, or no such user can be.

    """
    if server.find(settings) is None:
        raise CommandError("The stack is not running", "Start it with: make up")
    tokens.mint(stack.read(settings.stack_file), user)
    state = settings.chats / f"{user}.json"
    return terminal_chat.run(Doors(settings, user), user=user, to=to or _partner(user), state=state)


@dataclass
class Doors:
    """The stack as it is now, for the chat to look at again and again. None where there is none.

    One chat of a user at a time has the saved state: a second terminal is a second device, and starts without. The lock
    says which; it is held until the process ends, however it ends.
    """

    settings: Settings
    user: str
    _of: str | None = None
    _lock: int | None = None
    _door: Door | None = None

    def __call__(self) -> Door | None:
        try:
            current = stack.read(self.settings.stack_file)
            of = _name(current)
        except (CommandError, OSError, ValueError, KeyError, TypeError):  # none, or one that is being made
            return None
        if of != self._of:
            self._of, self._door = of, self._open(current, of)
        return self._door

    def _open(self, current: Stack, of: str) -> Door:
        return Door(
            ws_url=current.ws_url,
            http_url=current.http_url,
            token=lambda: tokens.mint(stack.read(self.settings.stack_file), self.user),
            state=self._state(),
            of=of,
            partner=_partner(self.user),
        )

    def _state(self) -> Path | None:
        """Where the chat keeps what it has seen and not yet sent, so that one that was killed goes on from there."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        self.settings.chats.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.settings.chats / f"{self.user}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return None
        self._lock = lock
        return self.settings.chats / f"{self.user}.json"


def _partner(user: str) -> str:
    return PARTNER.get(user, "alice")


def _name(current: Stack) -> str:
    """What tells this stack from one that was made after a reset: its addresses, and its secret."""
    text = f"{current.ws_url} {current.http_url} {current.jwt_secret}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]
