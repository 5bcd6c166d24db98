"""Bad and odd frames as data: how they are written down, and all of them together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

BAD: Final = "bad_request"
LARGE: Final = "too_large"
UNKNOWN: Final = "unknown_type"
OUTSIDE: Final = "not_a_member"
MISSING: Final = "not_found"
FORBIDDEN: Final = "forbidden"
UNAUTHENTICATED: Final = "unauthenticated"


@dataclass(frozen=True, slots=True)
class Fine:
    """An odd frame that is valid. `stored` is what the new entry has of what was sent; None: nothing new is stored.

    `conversation_id` is where it is stored. `echo` is the reply's id.
    """

    stored: Mapping[str, Any] | None = None
    conversation_id: str = "dm:alice:bob"
    echo: str | None = None


@dataclass(frozen=True, slots=True)
class FrameCase:
    """`body` is what a gateway hands over, on alice's connection; `event` what else it says.

    Over a real socket `wire` is sent instead, if there is one: bytes make a binary frame. `only_here`: no socket can
    bring it, or what it needs is not set up there.
    """

    topic: str
    name: str
    body: str
    expected: Fine | str
    echo: str | None = None
    event: Mapping[str, Any] = field(default_factory=dict)
    wire: str | bytes | None = None
    only_here: bool = False

    def __str__(self) -> str:
        return f"{self.topic}: {self.name}"


def raw(text: str, expected: Fine | str, **more: Any) -> tuple[str, Fine | str, Mapping[str, Any]]:
    """A row of a table: a body as it stands."""
    return text, expected, more


def frame(expected: Fine | str, /, **fields: Any) -> tuple[str, Fine | str, Mapping[str, Any]]:
    """A row of a table: a frame with these fields."""
    return json.dumps(fields, ensure_ascii=False), expected, {}


def message(expected: Fine | str, /, **fields: Any) -> tuple[str, Fine | str, Mapping[str, Any]]:
    """A row of a table: a message of alice's to bob, but for these fields."""
    return frame(expected, type="message", **{"to": "bob", "content": "x", **fields})


def stored(where: str = "dm:alice:bob", **attributes: Any) -> Fine:
    """An odd message that is stored as it was sent."""
    return Fine({"content": "x", **attributes}, where)


Row = tuple[str, Fine | str, Mapping[str, Any]]


def only_here(row: Row) -> Row:
    """The same, and not over sockets: there others' rows come before it, or alice is called something else."""
    body, expected, more = row
    return body, expected, {**more, "only_here": True}


def table(topic: str, rows: Mapping[str, Row]) -> Iterable[FrameCase]:
    """The cases of one topic, by name."""
    return [FrameCase(topic, name, body, expected, **more) for name, (body, expected, more) in rows.items()]
