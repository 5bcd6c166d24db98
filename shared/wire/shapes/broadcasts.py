"""Broadcasts, and how far they are."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field
from typing_extensions import TypedDict

from shared.domain.broadcasts import State
from shared.wire.shapes.service import AT, Count, Time, example

_BROADCAST: Final[dict[str, Any]] = {
    "id": "maintenance-7",
    "title": "Maintenance",
    "body": "Back at 6:00.",
    "data": {"url": "/status"},
    "store": False,
    "state": "running",
    "by": "shop",
    "created_at": AT,
    "updated_at": AT + 4_000,
    "progress": 0.25,
    "posted": 1_961,
    "failed": 0,
    "stored": 0,
}


@example(**_BROADCAST)
class Broadcast(TypedDict):
    """What everybody is told. `posted` counts connections, `stored` users."""

    id: str
    title: str
    body: str
    data: dict[str, str]
    store: bool
    state: State
    by: Annotated[str, Field(description="Whose token has sent it.")]
    created_at: Time
    updated_at: Time
    progress: Annotated[float, Field(ge=0, description="How much of all users has been gone through: 1 at the end.")]
    posted: Count
    failed: Annotated[int, Field(ge=0, description="Connections that did not take it.")]
    stored: Count


@example(broadcasts=[_BROADCAST], next_cursor=None)
class Broadcasts(TypedDict):
    broadcasts: list[Broadcast]
    next_cursor: str | None
