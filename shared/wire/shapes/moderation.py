"""Reports, as those who make them and those who moderate are answered."""

from __future__ import annotations

from typing import Annotated, Any, Final, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from shared.domain.reports import ReportStatus, Verdict
from shared.wire.shapes.messages import MESSAGE, Message
from shared.wire.shapes.service import AT, Place, Time, example

_ID: Final = "6f1e0b7a9d3e4f62a8b1c0d9e7f61234"
_MADE: Final[dict[str, Any]] = {"id": _ID, "reason": "spam", "comment": "Every day", "created_at": AT}
_DECISION: Final[dict[str, Any]] = {"decision": "delete", "by": "mod", "at": AT + 60_000, "until": None, "note": ""}
_REPORT: Final[dict[str, Any]] = {
    **_MADE,
    "status": "open",
    "reporter": "alice",
    "user_id": "bob",
    "conversation_id": "dm:alice:bob",
    "seq": 42,
    "message": {**MESSAGE, "sender_id": "bob"},
    "decision": None,
}


@example(**_MADE, user_id="bob", conversation_id="dm:alice:bob", seq=42)
class MadeReport(TypedDict):
    """What its maker is told. What comes of it is for those who moderate."""

    id: str
    reason: str
    comment: str
    created_at: Time
    user_id: Annotated[str, Field(description="Who is reported: of a message, who wrote it.")]
    conversation_id: NotRequired[str]
    seq: NotRequired[Place]


class Decision(TypedDict):
    """What was decided, by whom and when; `until` when a ban ends, null where it does not end by itself."""

    decision: Verdict
    by: str
    at: Time
    until: Time | None
    note: str


@example(**_REPORT)
class Report(TypedDict):
    """With who made it, and the message as it stood then; both null where the report is of a user."""

    id: str
    status: ReportStatus
    reporter: str
    user_id: str
    reason: str
    comment: str
    created_at: Time
    conversation_id: str | None
    seq: Place | None
    message: Message | None
    decision: Decision | None


@example(**{**_REPORT, "status": "decided", "decision": _DECISION})
class DecidedReport(Report):
    """The report with what was decided."""


@example(reports=[_REPORT], next_cursor=None)
class Reports(TypedDict):
    """Newest first. With a `next_cursor` there may be more, however few are here."""

    reports: list[Report]
    next_cursor: str | None
