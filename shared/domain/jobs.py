"""Work on a user's data that takes longer than a request: what was asked for, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

JobKind = Literal["export", "own_export", "erasure", "removal", "keeping"]
EXPORT: Final = "export"
OWN_EXPORT: Final = "own_export"
"""The same, begun by the user: an administrator's neither shows there, nor is in its way."""
ERASURE: Final = "erasure"
REMOVAL: Final = "removal"
KEEPING: Final = "keeping"
"""Of a conversation, whose id stands for a user's."""
AGAIN: Final = "again"
"""The phase in which a job does once more what it has done, for what came while it ran."""
KINDS: Final[tuple[JobKind, ...]] = (EXPORT, OWN_EXPORT, ERASURE, REMOVAL, KEEPING)

JobStatus = Literal["running", "done", "stopped"]
RUNNING: Final = "running"
DONE: Final = "done"
STOPPED: Final = "stopped"
"""By a legal hold, before it was done."""

Row = Mapping[str, Any]
"""A row of a table as it is stored, or the key of one."""


@dataclass(frozen=True, slots=True)
class JobStep:
    """The next step of a job, as it waits in a queue. One that was taken already is known by its number."""

    kind: JobKind
    user_id: str
    job_id: str
    step: int


@dataclass(frozen=True, slots=True)
class Job:
    """One job: a user has at most one of a kind. Times are milliseconds.

    `phase` is which part of the work the next `step` is of, and `after` the row behind which it goes on there.
    `counts` are what has been done, and `left` in how many rows the id of a user stands who was erased, by place.
    """

    kind: JobKind
    user_id: str
    job_id: str
    by: str
    created_at: int
    updated_at: int
    status: JobStatus = RUNNING
    step: int = 0
    phase: str = ""
    after: Row | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    left: Mapping[str, int] = field(default_factory=dict)

    @property
    def next(self) -> JobStep:
        return JobStep(self.kind, self.user_id, self.job_id, self.step)

    def with_counts(self, **more: int) -> dict[str, int]:
        """The counts, and these on top."""
        return {**self.counts, **{name: self.counts.get(name, 0) + number for name, number in more.items()}}
