"""Exports and erasures over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from shared.domain.jobs import Job
from shared.operations.rights import LINK_S, Exported, expires_at
from shared.wire.common import decode_cursor, encode_cursor, invalid_cursor

if TYPE_CHECKING:
    from shared.wire.shapes import rights as shapes

_EXPORT: Final = "export"


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
