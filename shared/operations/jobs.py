"""Jobs: begun by a request, carried out step by step from a queue, resumed by whatever comes again.

A step does its work, stores how far that came on condition that no one else has, and queues the next. What dies
comes again: a step that was done already only queues what follows it. So a step can be repeated, and run beside itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from shared.domain.jobs import (
    AGAIN,
    ERASURE,
    EXPORT,
    KEEPING,
    OWN_EXPORT,
    REMOVAL,
    RUNNING,
    STOPPED,
    Job,
    JobKind,
    JobStep,
)
from shared.errors import NotFound

if TYPE_CHECKING:
    from shared.operations.context import Context
    from shared.ports.services import PushServices, RestServices
    from shared.ports.stores import PushStores, Stores


_DONE: Final[Mapping[JobKind, str]] = {
    EXPORT: "exported",
    OWN_EXPORT: "exported",
    ERASURE: "erased",
    REMOVAL: "removed",
    KEEPING: "kept",
}
# The second round of a job on a conversation's rows begins so much later: no request that knew less goes on so long.
_AGAIN_S: Final = 90


def begin_job(kind: JobKind, user_id: str, *, by: str, stores: Stores, services: RestServices, context: Context) -> Job:
    """Begin a job, or return the one that runs: its next step is queued once more, so a repetition resumes it.

    Where another request is quicker, its job is the one.
    """
    there = stores.jobs.get(kind, user_id)
    if there is None or there.status != RUNNING:
        now = context.now()
        job = Job(kind, user_id, context.new_secret(), by, created_at=now, updated_at=now)
        there = job if stores.jobs.begin(job) else job_of(kind, user_id, stores=stores)
    if there.status == RUNNING:
        services.job_queue.put(there.next)
    return there


def job_of(kind: JobKind, user_id: str, *, stores: Stores) -> Job:
    """The latest job of this kind. Raises NotFound."""
    job = stores.jobs.get(kind, user_id)
    if job is None:
        raise NotFound(f"Nothing of this user was {_DONE[kind]}")
    return job


def advance(task: JobStep, *, stores: PushStores, services: PushServices, context: Context) -> None:
    """Carry out one step of a job, and queue the next. Nothing for a job that is done, or was begun anew since."""
    job = stores.jobs.get(task.kind, task.user_id)
    if job is None or job.job_id != task.job_id or job.status != RUNNING or task.step > job.step:
        return
    if task.step == job.step:
        done = _worked(job, stores=stores, services=services, context=context)
        done = replace(done, step=job.step + 1, updated_at=context.now())
        if not stores.jobs.save(done) and stores.jobs.get(task.kind, task.user_id) != done:
            return  # another was quicker, and goes on; what is stored as it is here, it was, and the answer was lost
        job = done
    if job.status == RUNNING:
        is_again = job.phase == AGAIN and job.after is None
        services.job_queue.put(job.next, delay_s=_AGAIN_S if is_again else 0)


def _worked(job: Job, *, stores: PushStores, services: PushServices, context: Context) -> Job:
    """The job after one more step. Of a user who is on hold nothing is taken away: it stops."""
    if job.kind in {EXPORT, OWN_EXPORT}:
        from shared.operations.exports import export_step  # noqa: PLC0415  # requests only begin one

        return export_step(job, stores=stores, services=services)
    if job.kind == KEEPING:
        from shared.operations.keeping import keeping_step  # noqa: PLC0415  # as above

        return keeping_step(job, stores=stores, context=context)
    if stores.holds.get(job.user_id) is not None:
        return replace(job, status=STOPPED)
    if job.kind == REMOVAL:
        from shared.operations.removals import removal_step  # noqa: PLC0415  # as above

        return removal_step(job, stores=stores, services=services, context=context)
    from shared.operations.erasure import erase_step  # noqa: PLC0415  # as above

    return erase_step(job, stores=stores, services=services, context=context)
