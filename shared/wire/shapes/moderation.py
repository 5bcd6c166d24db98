"""Reports, as those who make them and those who moderate are answered."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from shared.domain.entries import MessageType
from shared.domain.reports import ReportStatus, Verdict
from shared.domain.screening import HeldDecision
from shared.domain.words import Action
from shared.wire.shapes.messages import MESSAGE, Attachment, Message
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


_HELD: Final[dict[str, Any]] = {
    "id": _ID,
    "conversation_id": "dm:alice:bob",
    "sender_id": "bob",
    "created_at": AT,
    "message": {"content": "hi", "type": "text", "client_message_id": "0d9f5c1e"},
    "status": "held",
    "decision": None,
    "seq": None,
}
_REVIEW: Final[dict[str, Any]] = {"decision": "approve", "by": "mod", "at": AT + 60_000, "reason": ""}


class HeldContent(TypedDict):
    """What is to be sent."""

    content: str
    type: MessageType
    client_message_id: NotRequired[str]
    reply_to: NotRequired[Place]
    mentions: NotRequired[list[str]]
    file_id: NotRequired[str]
    data: NotRequired[dict[str, Any]]
    attachments: NotRequired[list[Attachment]]


class Review(TypedDict):
    decision: HeldDecision
    by: str
    at: Time
    reason: str


@example(**_HELD)
class HeldForReview(TypedDict):
    """A message that waits. `seq` is its place once it is approved."""

    id: str
    conversation_id: str
    sender_id: str
    created_at: Time
    message: HeldContent
    status: Literal["held", "approved", "rejected"]
    decision: Review | None
    seq: Place | None


@example(**{**_HELD, "status": "approved", "decision": _REVIEW, "seq": 43})
class ReviewedMessage(HeldForReview):
    """The message with what was decided."""


@example(held=[_HELD], next_cursor=None)
class HeldMessages(TypedDict):
    """Oldest first. With a `next_cursor` there may be more, however few are here."""

    held: list[HeldForReview]
    next_cursor: str | None


_LIST: Final[dict[str, Any]] = {"name": "insults", "action": "mask", "words": ["scoundrel*"], "updated_at": AT}


@example(**_LIST)
class WordList(TypedDict):
    name: str
    action: Action
    words: list[str]
    updated_at: Time


@example(enabled=True, lists=[_LIST])
class WordLists(TypedDict):
    """`enabled`: messages are looked at (`word_lists` of the configuration)."""

    enabled: bool
    lists: list[WordList]


@example(user_id="bob", reason="spam", at=AT, by="backend")
class ShadowBan(TypedDict):
    """Since when, by whom, and why: for administrators to read."""

    user_id: str
    reason: str
    at: Time
    by: str
