"""Jobs' steps, and what exports are made of, in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.domain.jobs import JobStep
from shared.ports.jobs import Stored
from tests.fakes.files import FakeObjects


@dataclass
class FakeJobQueue:
    """`steps` are all that were put."""

    steps: list[JobStep] = field(default_factory=list)

    def put(self, step: JobStep, *, delay_s: int = 0) -> None:
        self.steps.append(step)


@dataclass
class FakeArchive:
    """`stored` is what there is, by job and name. Files are those of `objects`."""

    stored: dict[tuple[str, str], bytes] = field(default_factory=dict)
    objects: FakeObjects = field(default_factory=FakeObjects)

    def put(self, job_id: str, name: str, data: bytes) -> None:
        self.stored[job_id, name] = data

    def copy_file(self, job_id: str, file_id: str) -> bool:
        data = self.objects.kept.get(file_id)
        if data is None:
            return False
        self.stored[job_id, f"files/{file_id}"] = data
        return True

    def listed(self, job_id: str, *, after: str, limit: int) -> Sequence[Stored]:
        found = sorted((name, data) for (job, name), data in self.stored.items() if job == job_id and name > after)
        return [Stored(name, len(data)) for name, data in found[:limit]]

    def url(self, job_id: str, name: str, *, expires_in_s: int) -> str:
        return f"https://files.example.com/exports/{job_id}/{name}?expires={expires_in_s}"
