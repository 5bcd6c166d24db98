"""Requests and replies, whichever version of HTTP carries them."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

# More than any push may have; what comes beyond it is not kept, so that a mistake costs no memory.
BODY_LIMIT = 65_536


@dataclass(frozen=True, slots=True)
class Request:
    """A request that has been read to its end. Header names are lower-case, and may come repeatedly."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """The first header of this name."""
        return next((value for key, value in self.headers if key == name), None)

    @property
    def bearer(self) -> str | None:
        """The token that the request identifies itself with."""
        scheme, _, token = (self.header("authorization") or "").partition(" ")
        return token.strip() or None if scheme.lower() == "bearer" else None


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Silence(Enum):
    """What can happen instead of an answer: nothing at all, or the end of the connection."""

    STALL = auto()
    DROP = auto()


Handler = Callable[[Request], Awaitable[Reply | Silence]]


def json_reply(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Reply:
    body = json.dumps(value, ensure_ascii=False).encode()
    return Reply(status, body, {"content-type": "application/json; charset=UTF-8", **(headers or {})})
