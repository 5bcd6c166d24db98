"""What is answered of exports, erasures, legal holds and imports."""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import Field
from typing_extensions import TypedDict

from shared.domain.jobs import JobStatus
from shared.errors import ErrorCode
from shared.operations.imports import Outcome
from shared.wire.shapes.service import AT, Count, Time, example

_JOB: Final[dict[str, Any]] = {
    "id": "q2Xv0J5b3kRk1m7c9Tz4wYtNf8LhPdSaEuGiBoVxCnM",
    "user_id": "bob",
    "status": "done",
    "created_at": AT,
    "updated_at": AT + 4_000,
    "by": "backend",
}
_OBJECT: Final[dict[str, Any]] = {
    "name": "part-000000.ndjson",
    "size": 4_711,
    "url": "https://parley-files.s3.eu-central-1.amazonaws.com/exports/q2Xv/part-000000.ndjson?X-Amz-Algorithm=…",
    "expires_in": 900,
}


@example(**_JOB, progress={"rows": 512, "lines": 40, "files": 2})
class Job(TypedDict):
    """A job, and how far it has come."""

    id: str
    user_id: str
    status: JobStatus
    created_at: Time
    updated_at: Time
    by: Annotated[str, Field(description="The token's user.")]
    progress: Annotated[dict[str, Count], Field(description="What was done so far; `rows` were looked at.")]


class ExportObject(TypedDict):
    """A part of an export. The link is good for `expires_in` seconds."""

    name: str
    size: Annotated[int, Field(ge=0, description="Bytes.")]
    url: str
    expires_in: Count


@example(
    **_JOB,
    progress={"rows": 512, "lines": 40, "files": 2},
    expires_at=AT + 604_804_000,
    objects=[_OBJECT],
    next_cursor=None,
)
class Export(Job):
    """`objects` are there once it is done, until `expires_at`: `part-….ndjson`, and `files/<file_id>`."""

    expires_at: Time | None
    objects: list[ExportObject]
    next_cursor: str | None


class Left(TypedDict):
    """In how many rows of a kind the user's id still stands, and why."""

    where: str
    rows: Count
    why: str


@example(
    **_JOB,
    progress={"rows": 1_024, "messages": 12, "files": 2, "groups": 1, "removed": 9, "rounds": 1},
    left=[{"where": "place", "rows": 24, "why": "the place of what they wrote in groups, emptied"}],
)
class Erasure(Job):
    """`left` is what the last look at all tables has found, once it is done."""

    left: list[Left] | None


@example(user_id="bob", reason="case 4711", at=AT, by="backend")
class Hold(TypedDict):
    """Why, since when, and by whom."""

    user_id: str
    reason: str
    at: Time
    by: str


@example(conversation_id="dm:alice:bob", reason="case 4711", at=AT, by="backend")
class ConversationHold(TypedDict):
    """Why, since when, and by whom."""

    conversation_id: str
    reason: str
    at: Time
    by: str


class ImportedLine(TypedDict):
    """What came of a line, counted from 0. A message's `seq`; `code` and `error` where it was refused."""

    line: Count
    status: Outcome
    conversation_id: str | None
    seq: int | None
    code: ErrorCode | None
    error: str | None


@example(
    imported=1,
    duplicates=0,
    refused=0,
    lines=[{"line": 0, "status": "imported", "conversation_id": "dm:alice:bob", "seq": 1, "code": None, "error": None}],
)
class Import(TypedDict):
    """What came of an import. Where a line is wrong by itself it is `refused`, and all others are `skipped`."""

    imported: Count
    duplicates: Count
    refused: Count
    lines: list[ImportedLine]
