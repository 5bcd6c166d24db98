"""Where a chat goes in, asked again and again: a laptop stack may have been made anew meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from parley_client.tokens import Token


@dataclass(frozen=True, slots=True)
class Door:
    """`of` names the server's data, as `StateFile` takes it: with another name it is another server.

    `partner`: whom to write to on a server that has come in the place of another, and has not the group of before.
    """

    ws_url: str
    http_url: str
    token: Token
    state: Path | None = None
    of: str | None = None
    partner: str | None = None


# The door there is now; None where there is none at the moment.
Doors = Callable[[], Door | None]
