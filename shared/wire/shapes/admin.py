"""What administrators are answered."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field
from typing_extensions import TypedDict

from shared.wire.shapes.service import AT, Count, Time, example

_ROW: Final[dict[str, Any]] = {
    "at": AT,
    "by": "backend",
    "acting_as": "bob",
    "method": "POST",
    "route": "/v1/conversations/{conversation_id}/messages",
    "arguments": {"conversation_id": "dm:alice:bob"},
    "request_id": "JKJaXmPLvHcESHA=",
}


_BAN: Final[dict[str, Any]] = {
    "user_id": "bob",
    "until": AT + 86_400_000,
    "reason": "spam",
    "at": AT,
    "by": "backend",
}


@example(**_BAN)
class Ban(TypedDict):
    """Until when, null for one without an end; why, since when, and by whom."""

    user_id: str
    until: Time | None
    reason: str
    at: Time
    by: str


@example(**_BAN, closed=2)
class BanGiven(Ban):
    """With how many connections were live."""

    closed: Count


@example(issued_before=AT, closed=2)
class Revoked(TypedDict):
    """The latest moment that was named, which holds, and how many connections were live and are closed."""

    issued_before: Time
    closed: Count


@example(**_ROW)
class AuditRow(TypedDict):
    """One request, noted before it was carried out. Nothing of its body is in it."""

    at: Time
    by: Annotated[str, Field(description="The token's user.")]
    acting_as: Annotated[str | None, Field(description="Whom the header `Parley-As` named.")]
    method: str
    route: str
    arguments: Annotated[dict[str, str], Field(description="What stood in the path.")]
    request_id: str


@example(rows=[_ROW], next_cursor=None)
class Audit(TypedDict):
    """Newest first. With a `next_cursor` there may be more, however few rows are here."""

    rows: list[AuditRow]
    next_cursor: str | None
