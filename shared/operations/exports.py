"""What is stored of a user, as lines of JSON and copies of their files. It walks through every table once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from shared.domain.exports import FORMAT, entry_line, file_line, text_of
from shared.domain.files import DELETED, READY
from shared.domain.jobs import DONE, Job
from shared.ports.jobs import LOG, MEMBERS, SESSIONS, Found, TableName
from shared.ports.services import PushServices
from shared.ports.stores import PushStores

_PHASES: Final[tuple[TableName, ...]] = (MEMBERS, LOG, SESSIONS)


def export_step(job: Job, *, stores: PushStores, services: PushServices) -> Job:
    """One page of a table: what it has of the user becomes an object of lines, in place of one of an earlier try.

    Raises Unavailable. Nothing of it is visible before the last step is done.
    """
    table: TableName = next((one for one in _PHASES if one == job.phase), MEMBERS)
    page = stores.walks.page(table, job.user_id, after=job.after)
    lines: list[Mapping[str, Any]] = [_first(job)] if job.step == 0 else []
    copied = 0
    for one in page.found:
        line = _line(job, one, stores, services)
        if line is not None:
            lines.append(line)
            copied += "object" in line
    at_end = page.after is None
    is_last = at_end and table == _PHASES[-1]
    counts = job.with_counts(rows=page.looked_at, lines=len(lines) + is_last, files=copied)
    if is_last:
        lines.append({"type": "end", "lines": counts["lines"], "files": counts["files"]})
    if lines:
        text = "".join(map(text_of, lines))
        services.archive.put(job.job_id, f"part-{job.step:06}.ndjson", text.encode())
    if is_last:
        return replace(job, status=DONE, phase="", after=None, counts=counts)
    phase = _PHASES[_PHASES.index(table) + 1] if at_end else table
    return replace(job, phase=phase, after=page.after, counts=counts)


def _first(job: Job) -> dict[str, Any]:
    return {
        "type": "export",
        "format": FORMAT,
        "user_id": job.user_id,
        "export_id": job.job_id,
        "created_at": job.created_at,
    }


def _line(job: Job, found: Found, stores: PushStores, services: PushServices) -> Mapping[str, Any] | None:
    if found.file_id is not None:
        return _file(job, found.file_id, stores, services)
    entry = found.entry
    if entry is not None:
        is_theirs = entry.sender_id == job.user_id and not entry.is_trimmed
        return entry_line(entry) if is_theirs else None
    return found.line if found.is_theirs else None


def _file(job: Job, file_id: str, stores: PushStores, services: PushServices) -> dict[str, Any] | None:
    file = stores.files.get(file_id)
    if file is None or file.status == DELETED:
        return None
    is_copied = file.status == READY and services.archive.copy_file(job.job_id, file_id)
    return file_line(file, is_copied=is_copied)
