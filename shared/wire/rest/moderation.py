"""Reports over HTTP: what users and moderators send, and what they are answered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, Field

from shared.domain.reports import (
    MAX_COMMENT_CHARACTERS,
    MAX_REASON_CHARACTERS,
    Report,
    ReportPosition,
    ReportStatus,
    Verdict,
)
from shared.domain.reports import Decision as Decided
from shared.errors import BadRequest
from shared.operations.reports import NewReport, ReportsPage
from shared.wire.common import decode_cursor, encode_cursor, invalid_cursor
from shared.wire.events import whole_message_body
from shared.wire.rest.common import ConversationId, EntrySeq, Milliseconds, UserId, config, left_out

if TYPE_CHECKING:
    from shared.domain.entries import Entry
    from shared.wire.shapes import moderation as shapes

_REPORTS: Final = "reports"


class ReportMade(BaseModel):
    """Of a message by `conversation_id` and `seq`, or of a user by `user_id`; and why."""

    model_config = config(
        {"conversation_id": "dm:alice:bob", "seq": 42, "reason": "spam", "comment": "Every day"},
        {"user_id": "bob", "reason": "harassment"},
    )

    reason: Annotated[str, Field(min_length=1, max_length=MAX_REASON_CHARACTERS)]
    comment: Annotated[str, Field(max_length=MAX_COMMENT_CHARACTERS)] = ""
    user_id: UserId | None = left_out()
    conversation_id: ConversationId | None = left_out()
    seq: EntrySeq | None = left_out()

    def command(self, reporter: str) -> NewReport:
        """What is asked for. Raises BadRequest where it is not one thing."""
        is_place = self.conversation_id is not None and self.seq is not None
        is_half = (self.conversation_id is None) != (self.seq is None)
        if is_half or is_place == (self.user_id is not None):
            raise BadRequest("A report names a message by `conversation_id` and `seq`, or a user by `user_id`")
        return NewReport(reporter, self.reason, self.comment, self.user_id, self.conversation_id, self.seq)


class NewDecision(BaseModel):
    """What comes of the report. `until` (ms) is when a ban ends, null for one without an end."""

    model_config = config({"decision": "delete"}, {"decision": "ban", "until": 1795517600123, "note": "Third time"})

    decision: Verdict
    until: Milliseconds | None = None
    note: Annotated[str, Field(max_length=MAX_COMMENT_CHARACTERS)] = ""

    def made(self, by: str, at: int) -> Decided:
        return Decided(self.decision, by, at, self.until, self.note)


def message_text(entry: Entry) -> str:
    """A message as JSON, to be kept."""
    return json.dumps(whole_message_body(entry), ensure_ascii=False, separators=(",", ":"))


def made_body(report: Report) -> shapes.MadeReport:
    body: shapes.MadeReport = {
        "id": report.report_id,
        "reason": report.reason,
        "comment": report.comment,
        "created_at": report.created_at,
        "user_id": report.user_id,
    }
    if report.conversation_id is not None and report.seq is not None:
        body["conversation_id"], body["seq"] = report.conversation_id, report.seq
    return body


def report_body(report: Report) -> shapes.Report:
    made = report.decision
    return {
        "id": report.report_id,
        "status": report.status,
        "reporter": report.reporter,
        "user_id": report.user_id,
        "reason": report.reason,
        "comment": report.comment,
        "created_at": report.created_at,
        "conversation_id": report.conversation_id,
        "seq": report.seq,
        "message": None if report.message is None else json.loads(report.message),
        "decision": None if made is None else _decision(made),
    }


def _decision(made: Decided) -> shapes.Decision:
    return {"decision": made.verdict, "by": made.by, "at": made.at, "until": made.until, "note": made.note}


def reports_body(page: ReportsPage, reader: str, of: str) -> shapes.Reports:
    """A page, with the cursor of the next one for this reader; `of` names the list."""
    cursor = None if page.next is None else encode_cursor(reader, _REPORTS, [of, *page.next])
    return {"reports": [report_body(one) for one in page.reports], "next_cursor": cursor}


def decode_reports_cursor(reader: str, cursor: str, of: str) -> ReportPosition:
    """The position, if the cursor is this reader's of this list. Raises BadRequest for any other."""
    match decode_cursor(reader, _REPORTS, cursor):
        case [str(named), int(at), str(report_id)] if named == of and at >= 0 and report_id.isascii():
            return ReportPosition(at, report_id)
    raise invalid_cursor()


def list_of(status: ReportStatus, user_id: str | None) -> str:
    """What a list's cursors are good for."""
    return status if user_id is None else f"{status}@{user_id}"
