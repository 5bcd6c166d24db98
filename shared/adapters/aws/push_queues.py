"""The queues of pushes, and what stands in their messages. Apart from `sqs`, which every function loads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final, get_args

from shared.adapters.aws.sqs import SqsQueue
from shared.domain.broadcasts import BroadcastJob
from shared.domain.contacts import MailStopped
from shared.domain.devices import APNS, FCM, WEB, Platform
from shared.domain.jobs import KINDS, JobStep
from shared.domain.mails import USER_TAG, MailLook, MailRound, MailStop, decoded
from shared.domain.notifications import About, AboutMessage, AboutNotification, DeliveryCheck, Digest
from shared.domain.packs import DuePack
from shared.domain.pushes import PushJob, SweepPart

LOOK: Final = "look"
LOOKS: Final = "looks"
PUSH: Final = "push"
WITHDRAWAL: Final = "withdrawal"
REMINDER: Final = "reminder"
SWEEP: Final = "sweep"
MAIL: Final = "mail"
MAIL_STOP: Final = "mail_stop"
JOB: Final = "job"
BROADCAST: Final = "broadcast"
# All broadcasts are one group of the queue: together they hold up no message, however many there are.
_TOGETHER: Final = "broadcasts"
_PLATFORMS: Final = (FCM, APNS, WEB)
# Of one BatchGetItem: each user's membership, and the place in the log.
_ROWS: Final = 100


class SqsDeliveryCheckQueue:
    """DeliveryCheckQueue on an SQS queue."""

    def __init__(self, queue: SqsQueue) -> None:
        self._queue = queue

    def put(self, looks: Sequence[DeliveryCheck | Digest | DuePack], *, delay_s: int) -> None:
        self._queue.send_all(look_bodies(looks), delay_s=delay_s)


class SqsPushQueue:
    """PushQueue on one SQS queue for each platform."""

    def __init__(self, queues: Mapping[Platform, SqsQueue]) -> None:
        self._queues = queues

    def put(self, jobs: Sequence[PushJob], *, delay_s: int = 0) -> None:
        for platform, queue in self._queues.items():
            queue.send_all((job_body(job) for job in jobs if job.platform == platform), delay_s=delay_s)


class SqsSweepQueue:
    """SweepQueue on an SQS queue."""

    def __init__(self, queue: SqsQueue) -> None:
        self._queue = queue

    def put(self, part: SweepPart | MailRound) -> None:
        kind = MAIL if isinstance(part, MailRound) else SWEEP
        self._queue.send_all([{"kind": kind, **asdict(part)}])


class SqsJobQueue:
    """JobQueue on an SQS queue. Versions that know of no jobs fail over a step, so that it comes again."""

    def __init__(self, queue: SqsQueue) -> None:
        self._queue = queue

    def put(self, step: JobStep, *, delay_s: int = 0) -> None:
        self._queue.send_all([{**asdict(step), "job": step.kind, "kind": JOB}], delay_s=delay_s)


def step_from(body: Mapping[str, Any]) -> JobStep:
    """Raises for one that can't be read."""
    kind = body["job"]
    if kind not in KINDS:
        raise ValueError("no such kind of job")
    return JobStep(kind, str(body["user_id"]), str(body["job_id"]), int(body["step"]))


class SqsBroadcastQueue:
    """BroadcastQueue on the SQS queue of shards, fair between all broadcasts together and each group.

    Versions that know of no broadcasts fail over such a message, so that it comes again.
    """

    def __init__(self, queue: SqsQueue) -> None:
        self._queue = queue

    def put(self, jobs: Sequence[BroadcastJob]) -> None:
        bodies = ({"kind": BROADCAST, "group": _TOGETHER, **asdict(job)} for job in jobs)
        self._queue.send_all(bodies, fair_by="group")


def broadcast_from(body: Mapping[str, Any]) -> BroadcastJob:
    """Raises for one that can't be read."""
    return BroadcastJob(str(body["broadcast_id"]), int(body["segment"]), int(body["step"]), str(body["nonce"]))


def sweep_from(body: Mapping[str, Any]) -> SweepPart:
    """Raises for one that can't be read."""
    after = body["after"]
    return SweepPart(int(body["since"]), int(body["until"]), None if after is None else (str(after[0]), str(after[1])))


def mail_round_from(body: Mapping[str, Any]) -> MailRound:
    """What the schedule puts says no more than its kind. Raises for one that can't be read."""
    after = body.get("after")
    return MailRound(int(body.get("part", 0)), after and MailLook(str(after["user_id"]), int(after["at"])))


def mail_stop_from(body: Mapping[str, Any]) -> MailStop:
    """What the rules make of what SES tells of a mail (infra/mail.py). Of a mail that is none of ours it is nobody's.

    Raises for one that can't be read.
    """
    reason, addresses, named = body["reason"], body["to"], body["tags"].get(USER_TAG, [""])
    if reason not in get_args(MailStopped):
        raise ValueError("neither a bounce nor a complaint")
    return MailStop(decoded(str(named[0])), str(addresses[0]), reason)


def look_bodies(looks: Sequence[DeliveryCheck | Digest | DuePack]) -> Iterator[dict[str, Any]]:
    """Messages for these looks: checks of messages share one, as many as one read of a hundred rows answers.

    Versions that know of no such message fail over it, so that it comes again.
    """
    pack: list[DeliveryCheck] = []
    room = _ROWS
    for look in looks:
        if not isinstance(look, DeliveryCheck) or isinstance(look.about, AboutNotification):
            yield look_body(look)
            continue
        rows = len(look.users) + 1
        if rows > room and pack:
            yield _pack_body(pack)
            pack, room = [], _ROWS
        pack.append(look)
        room -= rows
    if pack:
        yield _pack_body(pack)


def _pack_body(pack: Sequence[DeliveryCheck]) -> dict[str, Any]:
    return look_body(pack[0]) if len(pack) == 1 else {"kind": LOOKS, "looks": [look_body(look) for look in pack]}


def looks_from(body: Mapping[str, Any]) -> list[DeliveryCheck | Digest | DuePack]:
    """Raises for one that can't be read."""
    return [look_from(one) for one in (body["looks"] if body["kind"] == LOOKS else [body])]


def look_body(look: DeliveryCheck | Digest | DuePack) -> dict[str, Any]:
    """A digest, and a pack, is a delivery check of no users to versions that know of none: they drop it."""
    if isinstance(look, DuePack):
        about = AboutMessage(look.conversation_id, look.seq)
        return {"kind": LOOK, "about": _about_body(about), "users": [], "pack": True}
    if isinstance(look, Digest):
        return {"kind": LOOK, "about": _about_body(look.about), "users": [], "digest": True}
    rest: dict[str, Any] = {"quiet": True} if look.quiet else {}
    if look.until is not None:
        rest["until"] = look.until
    return {"kind": LOOK, "about": _about_body(look.about), "users": list(look.users), **rest}


def look_from(body: Mapping[str, Any]) -> DeliveryCheck | Digest | DuePack:
    """Raises for one that can't be read."""
    about = _about_from(body["about"])
    if body.get("pack") is True and isinstance(about, AboutMessage):
        return DuePack(about.conversation_id, about.seq)
    if body.get("digest") is True and isinstance(about, AboutMessage):
        return Digest(about)
    until = body.get("until")
    users = tuple(map(str, body["users"]))
    return DeliveryCheck(about, users, body.get("quiet") is True, None if until is None else int(until))


def reminder_body(user_id: str, reminder_id: str) -> dict[str, Any]:
    """What comes when a reminder is due."""
    return {"kind": REMINDER, "user_id": user_id, "reminder_id": reminder_id}


def job_body(job: PushJob) -> dict[str, Any]:
    """Versions that know of no withdrawals fail over one, so that it comes again."""
    body = {"kind": WITHDRAWAL if job.withdraws else PUSH, **asdict(job), "about": _about_body(job.about)}
    del body["withdraws"]
    return body


def job_from(body: Mapping[str, Any]) -> PushJob:
    """Raises for one that can't be read."""
    platform: Platform = body["platform"]
    if platform not in _PLATFORMS:
        raise ValueError("no such platform")
    return PushJob(
        platform=platform,
        user_id=str(body["user_id"]),
        about=_about_from(body["about"]),
        since=int(body["since"]),
        tries=int(body["tries"]),
        device_id=None if body["device_id"] is None else str(body["device_id"]),
        not_before=int(body["not_before"]),
        withdraws=body.get("kind") == WITHDRAWAL,
    )


def _about_body(about: About) -> dict[str, Any]:
    match about:
        case AboutMessage():
            return {"conversation_id": about.conversation_id, "seq": about.seq}
        case AboutNotification():
            return {"notice_id": about.notification_id}


def _about_from(body: Mapping[str, Any]) -> About:
    if "notice_id" in body:
        return AboutNotification(str(body["notice_id"]))
    return AboutMessage(str(body["conversation_id"]), int(body["seq"]))
