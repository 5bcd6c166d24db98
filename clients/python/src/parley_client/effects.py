"""What the core tells its shell to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from parley_client.errors import ParleyError


@dataclass(frozen=True, slots=True)
class Save:
    """Keep `state()` before doing any of the effects that follow, and before showing an event that was just taken."""


@dataclass(frozen=True, slots=True)
class Connect:
    """Open a connection, with a fresh token."""


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Close the connection. The core counts it as lost already."""

    reason: str


@dataclass(frozen=True, slots=True)
class Renew:
    """Get a fresh token, and tell the core (`renew`); where there is none, nothing."""


@dataclass(frozen=True, slots=True)
class AskNotifications:
    """Get the notifications that are not acknowledged over HTTP, and tell the core (`notified` or `not_notified`)."""

    number: int


@dataclass(frozen=True, slots=True)
class Transmit:
    frame: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """The call has its answer.

    That is an Ack for `send`, a Changed for `change`, the Presences for `watch`, the data of the reply for `ping`,
    `request` and `authenticate`, else None.
    """

    call: int
    value: Any = None


@dataclass(frozen=True, slots=True)
class Failed:
    call: int
    error: ParleyError


Effect = Save | Connect | Disconnect | Renew | AskNotifications | Transmit | Done | Failed
