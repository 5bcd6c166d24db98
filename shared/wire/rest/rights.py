"""Exports, erasures and legal holds over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from pydantic import BaseModel, Field

from shared.domain.holds import MAX_REASON_CHARACTERS, Hold
from shared.domain.jobs import DONE, Job
from shared.operations.rights import LINK_S, WHY, Exported, expires_at
from shared.wire.common import decode_cursor, encode_cursor, invalid_cursor
from shared.wire.rest.common import config

if TYPE_CHECKING:
    from shared.wire.shapes import rights as shapes

_EXPORT: Final = "export"


class NewHold(BaseModel):
    """Why a user or a conversation is on hold: for administrators to read."""

    model_config = config({"reason": "case 4711"})

    reason: Annotated[str, Field(max_length=MAX_REASON_CHARACTERS)] = ""


def hold_body(hold: Hold) -> shapes.Hold:
    return {"user_id": hold.user_id, "reason": hold.reason, "at": hold.at, "by": hold.by}


def conversation_hold_body(hold: Hold) -> shapes.ConversationHold:
    return {"conversation_id": hold.user_id, "reason": hold.reason, "at": hold.at, "by": hold.by}


def job_body(job: Job) -> shapes.Job:
    return {
        "id": job.job_id,
        "user_id": job.user_id,
        "status": job.status,
        "created_at": job.created_at,
        "updated_at": job.updated_at,
        "by": job.by,
        "progress": dict(job.counts),
    }


def erasure_body(job: Job) -> shapes.Erasure:
    """With what the last look at the tables has found, once it is over."""
    left: list[shapes.Left] = [
        {"where": where, "rows": rows, "why": WHY.get(where, "")} for where, rows in sorted(job.left.items())
    ]
    return {**job_body(job), "left": left if job.status == DONE else None}


def export_body(job: Job, page: Exported, reader_id: str) -> shapes.Export:
    """With a page of its objects, and the cursor of the next one for this reader."""
    objects: list[shapes.ExportObject] = [
        {"name": one.name, "size": one.size, "url": one.url, "expires_in": LINK_S} for one in page.objects
    ]
    cursor = None if page.after is None else encode_cursor(reader_id, _EXPORT, [job.job_id, page.after])
    return {**job_body(job), "expires_at": expires_at(job), "objects": objects, "next_cursor": cursor}


def decode_export_cursor(reader_id: str, cursor: str, job_id: str) -> str:
    """Where the page goes on, if the cursor is this reader's and of this export. Raises BadRequest for any other."""
    match decode_cursor(reader_id, _EXPORT, cursor):
        case [str(named), str(after)] if named == job_id and after.isascii():
            return after
    raise invalid_cursor()
