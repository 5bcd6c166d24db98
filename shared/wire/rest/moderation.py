"""Reports, held messages and lists of words over HTTP: what is sent, and what is answered."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, Field

from shared.domain.changes import as_json
from shared.domain.reports import (
    MAX_COMMENT_CHARACTERS,
    MAX_REASON_CHARACTERS,
    Report,
    ReportPosition,
    ReportStatus,
    Verdict,
)
from shared.domain.reports import Decision as Decided
from shared.domain.screening import APPROVE, Held, HeldDecision, HeldPosition, Review
from shared.domain.shadows import ShadowBan
from shared.domain.words import MAX_WORD_CHARACTERS, MAX_WORDS, Action, WordList, is_word
from shared.errors import BadRequest
from shared.operations.bans import MAX_REASON_CHARACTERS as MAX_BAN_REASON
from shared.operations.held import HeldPage
from shared.operations.reports import NewReport, ReportsPage
from shared.wire.common import decode_cursor, encode_cursor, invalid_cursor
from shared.wire.events import whole_message_body
from shared.wire.rest.common import ConversationId, EntrySeq, Milliseconds, UserId, config, left_out

if TYPE_CHECKING:
    from shared.domain.entries import Entry
    from shared.wire.shapes import moderation as shapes

_REPORTS: Final = "reports"
_HELD: Final = "held"


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
    return as_json(whole_message_body(entry))


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


class NewReview(BaseModel):
    """What becomes of a held message. Its sender is told the `reason` of a rejection."""

    model_config = config({"decision": "approve"}, {"decision": "reject", "reason": "No advertisements, please"})

    decision: HeldDecision
    reason: Annotated[str, Field(max_length=MAX_COMMENT_CHARACTERS)] = ""

    def made(self, by: str, at: int) -> Review:
        return Review(self.decision, by, at, self.reason)


class NewWordList(BaseModel):
    """What is done with messages that have one of these words."""

    model_config = config({"action": "mask", "words": ["scoundrel*", "good for nothing"]})

    action: Action
    words: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=MAX_WORD_CHARACTERS)]], Field(max_length=MAX_WORDS)
    ]

    def made(self, name: str, at: int) -> WordList:
        """Raises BadRequest for a word of which nothing would be compared."""
        if not all(map(is_word, self.words)):
            raise BadRequest("`words` have a letter or a digit each")
        return WordList(name, self.action, tuple(dict.fromkeys(self.words)), at)


def held_body(held: Held) -> shapes.HeldForReview:
    made = held.review
    return {
        "id": held.held_id,
        "conversation_id": held.conversation_id,
        "sender_id": held.sender_id,
        "created_at": held.at,
        "message": _content(held),
        "status": "held" if made is None else "approved" if made.decision == APPROVE else "rejected",
        "decision": None if made is None else _review(made),
        "seq": held.seq,
    }


def _review(made: Review) -> shapes.Review:
    return {"decision": made.decision, "by": made.by, "at": made.at, "reason": made.reason}


def _content(held: Held) -> shapes.HeldContent:
    draft = held.message
    body: shapes.HeldContent = {"content": draft.content, "type": draft.message_type}
    if draft.client_message_id is not None:
        body["client_message_id"] = draft.client_message_id
    if draft.reply_to is not None:
        body["reply_to"] = draft.reply_to
    if draft.mentions:
        body["mentions"] = list(draft.mentions)
    if draft.file_id is not None:
        body["file_id"] = draft.file_id
    if draft.data is not None:
        body["data"] = json.loads(draft.data)
    if draft.attachments is not None:
        body["attachments"] = json.loads(draft.attachments)
    return body


def held_messages_body(page: HeldPage, reader: str) -> shapes.HeldMessages:
    """A page, with the cursor of the next one for this reader."""
    cursor = None if page.next is None else encode_cursor(reader, _HELD, [*page.next])
    return {"held": [held_body(one) for one in page.held], "next_cursor": cursor}


def decode_held_cursor(reader: str, cursor: str) -> HeldPosition:
    """The position, if the cursor is this reader's. Raises BadRequest for any other."""
    match decode_cursor(reader, _HELD, cursor):
        case [int(at), str(held_id)] if at >= 0 and held_id.isascii():
            return HeldPosition(at, held_id)
    raise invalid_cursor()


def word_list_body(one: WordList) -> shapes.WordList:
    return {"name": one.name, "action": one.action, "words": list(one.words), "updated_at": one.updated_at}


def word_lists_body(lists: Iterable[WordList], *, is_on: bool) -> shapes.WordLists:
    return {"enabled": is_on, "lists": [word_list_body(one) for one in lists]}


class NewShadowBan(BaseModel):
    """Why: for administrators to read."""

    model_config = config({"reason": "spam"}, {})

    reason: Annotated[str, Field(max_length=MAX_BAN_REASON)] = ""


def shadow_ban_body(ban: ShadowBan) -> shapes.ShadowBan:
    return {"user_id": ban.user_id, "reason": ban.reason, "at": ban.at, "by": ban.by}
