"""Users' rights over their data: erasures and removals are begun, holds stop these, and exports are handed out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.clock import DAY_MS, SECOND_MS
from shared.domain.bans import FOREVER, Ban
from shared.domain.exports import KEPT_DAYS
from shared.domain.holds import Hold, check_not_held
from shared.domain.jobs import DONE, ERASURE, OWN_EXPORT, REMOVAL, RUNNING, Job
from shared.domain.text import has_roles, private_members
from shared.errors import Forbidden, NotFound, RateLimited, Unavailable
from shared.operations.bans import ban_user
from shared.operations.context import Context
from shared.operations.jobs import begin_job, job_of
from shared.ports.services import RestServices
from shared.ports.stores import Stores

# Long enough to begin some downloads, too short to pass on.
LINK_S: Final = 900
# A step takes seconds: one that is so old was lost, or waits behind many others.
STUCK_MS: Final = 300 * SECOND_MS

# Why an erasure leaves the id where it does.
WHY: Final[Mapping[str, str]] = {
    "place": "the place of what they wrote in groups, emptied: a log has no gap",
    "private_conversation": "entries of private conversations, whose ids are both members'; what they wrote is emptied",
    "roster": "who came into a group, and went",
    "writers": "the number of their last message, by which others count what is unread",
    "own_log": "what other users' devices tell each other, as of contacts",
    "conversation": "the other members' places in private conversations, and who made a group",
    "user": "the other members' private conversations, and what they were told of these",
    "file": "which message of a private conversation has a file of others",
    "sent": "which message of a private conversation was sent once, for 90 days",
    "pack": "a private conversation or channel named so",
    "digest": "a conversation named so",
    "turn": "a private conversation whose changes took turns",
    "reports": "a report that names them",
    "invite": "a link into a group that they made",
    "pins": "a message that they pinned",
    "shadows": "a shadow ban",
    "webhook": "how far a webhook has been told of a private conversation",
    "broadcast": "a broadcast that they began",
    "audit": "what administrators did, until audit_days are over",
    "job": "this erasure, exports, and how long a private conversation is kept: for 400 days",
    "hold": "a legal hold",
    "held": "what a conversation has that is on legal hold, with its files: once that has ended, erase once more",
    "session": "that they are banned, so that no token lets them in again",
    "undone": "what came while the last round ran: erase once more",
    "other": "a row of a kind that this version does not know",
}


@dataclass(frozen=True, slots=True)
class ExportObject:
    """An object of an export, and a link to it. `size` is in bytes."""

    name: str
    size: int
    url: str


@dataclass(frozen=True, slots=True)
class Exported:
    """A page of an export's objects. `after` is where the next begins, None where there is none."""

    objects: Sequence[ExportObject] = ()
    after: str | None = None


def begin_erasure(user_id: str, *, by: str, stores: Stores, services: RestServices, context: Context) -> Job:
    """Keep a user out, and begin to take away all that is stored of them. Raises Conflict where they are on hold."""
    check_not_held(stores.holds.get(user_id))
    ban = Ban(FOREVER, "erased", context.now(), by)
    ban_user(user_id, ban, stores=stores, services=services, context=context)
    return begin_job(ERASURE, user_id, by=by, stores=stores, services=services, context=context)


def begin_removal(user_id: str, *, by: str, stores: Stores, services: RestServices, context: Context) -> Job:
    """Begin to take away all that a user has written. Raises Conflict where they are on hold."""
    check_not_held(stores.holds.get(user_id))
    return begin_job(REMOVAL, user_id, by=by, stores=stores, services=services, context=context)


def begin_own_export(
    user_id: str, *, admit: Callable[[], object], stores: Stores, services: RestServices, context: Context
) -> Job:
    """Begin an export for the user themselves, or return the one that runs: one at a time, and one a day.

    One that has not come on for `STUCK_MS` is resumed, by one of those who ask: a user who asks again and again has no
    step done twice. `admit` counts a new one, of all users together. Raises Forbidden (deactivated), RateLimited, and
    Unavailable.
    """
    _check_active(user_id, stores)
    now, there = context.now(), stores.jobs.get(OWN_EXPORT, user_id)
    if there is not None and there.status == RUNNING:
        if now - there.updated_at >= STUCK_MS and stores.jobs.touch(there, now=now):
            services.job_queue.put(there.next)
        return there
    if there is not None and there.created_at + DAY_MS > now:
        raise RateLimited("One export a day", retry_after_ms=there.created_at + DAY_MS - now)
    admit()
    job = Job(OWN_EXPORT, user_id, context.new_secret(), user_id, created_at=now, updated_at=now)
    if not stores.jobs.begin(job):  # another request of theirs was quicker
        there = stores.jobs.get(OWN_EXPORT, user_id)
        if there is None:
            raise Unavailable
        return there
    services.job_queue.put(job.next)
    return job


def own_export_of(user_id: str, *, stores: Stores) -> Job:
    """The latest export that the user began. Raises NotFound, and Forbidden (deactivated)."""
    _check_active(user_id, stores)
    return job_of(OWN_EXPORT, user_id, stores=stores)


def _check_active(user_id: str, stores: Stores) -> None:
    if stores.users.of([user_id])[user_id].deactivated:
        raise Forbidden("This user is deactivated")


def hold_user(user_id: str, reason: str, *, by: str, stores: Stores, context: Context) -> Hold:
    """No erasure or removal of the user's begins any more, and one that runs stops. The last hold counts."""
    hold = Hold(user_id, reason, context.now(), by)
    stores.holds.put(hold)
    return hold


def hold_of(user_id: str, *, stores: Stores) -> Hold:
    """Raises NotFound."""
    hold = stores.holds.get(user_id)
    if hold is None:
        raise NotFound("This user is not on hold")
    return hold


def lift_hold(user_id: str, *, stores: Stores) -> None:
    """Idempotent."""
    stores.holds.remove(user_id)


def hold_conversation(
    conversation_id: str, reason: str, *, by: str, stores: Stores, services: RestServices, context: Context
) -> Hold:
    """Of the conversation no row goes any more, by its retention, an erasure or a removal. The last hold counts.

    Its first rows are kept when this returns, all others soon after. Raises NotFound where there is no such
    conversation, or nothing in it.
    """
    if not _is_conversation(conversation_id) or not stores.log.read_back(conversation_id, limit=1):
        raise NotFound("There is no such conversation, or nothing in it")
    hold = Hold(conversation_id, reason, context.now(), by)
    stores.holds.put(hold)
    _keep(conversation_id, stores, services, context)
    return hold


def conversation_hold_of(conversation_id: str, *, stores: Stores) -> Hold:
    """Raises NotFound."""
    hold = stores.holds.get(conversation_id)
    if hold is None:
        raise NotFound("This conversation is not on hold")
    return hold


def lift_conversation_hold(conversation_id: str, *, stores: Stores, services: RestServices, context: Context) -> None:
    """What has ended meanwhile goes a day from now, or later. Idempotent."""
    if not _is_conversation(conversation_id):
        return
    stores.holds.remove(conversation_id)
    _keep(conversation_id, stores, services, context)


def _is_conversation(name: str) -> bool:
    return has_roles(name) or private_members(name) is not None


def _keep(conversation_id: str, stores: Stores, services: RestServices, context: Context) -> None:
    from shared.operations.keeping import begin_keeping, keep_at_once  # noqa: PLC0415  # few requests come to it

    keep_at_once(conversation_id, stores=stores, context=context)
    begin_keeping(conversation_id, stores=stores, services=services, context=context)


def expires_at(job: Job) -> int | None:
    """Until when an export can be downloaded (ms); None before it is done."""
    return job.updated_at + KEPT_DAYS * DAY_MS if job.status == DONE else None


def exported(job: Job, *, after: str, limit: int, services: RestServices, now: int) -> Exported:
    """The objects of an export that is done and not over, in the order of names. One call."""
    ends_at = expires_at(job)
    if ends_at is None or ends_at <= now:
        return Exported()
    found = services.archive.listed(job.job_id, after=after, limit=limit + 1)
    url = services.archive.url
    objects = [
        ExportObject(one.name, one.size, url(job.job_id, one.name, expires_in_s=LINK_S)) for one in found[:limit]
    ]
    return Exported(objects, objects[-1].name if len(found) > limit else None)
