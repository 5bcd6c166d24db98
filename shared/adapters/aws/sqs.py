"""SQS: work for later, or for others to do side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from shared.adapters.aws.deadline import Deadline
from shared.adapters.aws.json_service import UNBOUNDED, JsonService
from shared.config import AwsEnvironment
from shared.domain.connections import Gone
from shared.domain.devices import APNS, FCM, Platform
from shared.domain.notifications import About, AboutMessage, AboutNotification, DeliveryCheck
from shared.domain.pushes import PushJob
from shared.errors import Unavailable

_BATCH: Final = 10
_LONGEST_DELAY_S: Final = 900
LOOK: Final = "look"
PUSH: Final = "push"
REMINDER: Final = "reminder"
_PLATFORMS: Final = (FCM, APNS)


def sqs(environment: AwsEnvironment, deadline: Deadline = UNBOUNDED) -> JsonService:
    """The SQS endpoint of this region (or of the laptop's emulator), called as long as the deadline allows."""
    return JsonService(
        service="sqs",
        target_prefix="AmazonSQS",
        content_type="application/x-amz-json-1.0",
        environment=environment,
        deadline=deadline,
    )


class SqsQueue:
    """One standard queue: at least once, in no order."""

    def __init__(self, service: JsonService, queue_url: str) -> None:
        self._service = service
        self._queue_url = queue_url

    def send(self, body: Mapping[str, Any], *, delay_s: int = 0) -> None:
        """Raises Unavailable where it could not be handed over."""
        request = {"QueueUrl": self._queue_url, "MessageBody": _encoded(body), "DelaySeconds": delay_s}
        self._service.call("SendMessage", request)

    def send_all(self, bodies: Iterable[Mapping[str, Any]], *, delay_s: int = 0, fair_by: str = "") -> None:
        """Ten to a call. Raises Unavailable where some were not taken; others may have been.

        `fair_by` is the field that says whose each message is: one who fills the queue does not hold up the others
        (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html).
        """
        waiting = list(bodies)
        for start in range(0, len(waiting), _BATCH):
            entries: Sequence[Mapping[str, Any]] = [
                {
                    "Id": str(number),
                    "MessageBody": _encoded(body),
                    "DelaySeconds": delay_s,
                    **({"MessageGroupId": body[fair_by]} if fair_by else {}),
                }
                for number, body in enumerate(waiting[start : start + _BATCH])
            ]
            answer = self._service.call("SendMessageBatch", {"QueueUrl": self._queue_url, "Entries": entries})
            if answer.get("Failed"):
                raise Unavailable


class SqsPresenceChecks:
    """PresenceChecks on a queue whose messages wait until the grace period is over (at most 15 minutes)."""

    def __init__(self, queue: SqsQueue, *, grace_s: int, now: Callable[[], int]) -> None:
        self._queue = queue
        self._grace_s = grace_s
        self._now = now

    def schedule(self, gone: Gone) -> None:
        ahead_s = max(0, -((self._now() - gone.at) // 1_000))
        delay_s = min(ahead_s + self._grace_s, _LONGEST_DELAY_S)
        self._queue.send({"user_id": gone.user_id, "at": gone.at}, delay_s=delay_s)


def _encoded(body: Mapping[str, Any]) -> str:
    return json.dumps(body, separators=(",", ":"))


class SqsDeliveryCheckQueue:
    """LookQueue on an SQS queue."""

    def __init__(self, queue: SqsQueue) -> None:
        self._queue = queue

    def put(self, looks: Sequence[DeliveryCheck], *, delay_s: int) -> None:
        self._queue.send_all((look_body(look) for look in looks), delay_s=delay_s)


class SqsPushQueue:
    """PushQueue on one SQS queue for each platform."""

    def __init__(self, queues: Mapping[Platform, SqsQueue]) -> None:
        self._queues = queues

    def put(self, jobs: Sequence[PushJob], *, delay_s: int = 0) -> None:
        for platform, queue in self._queues.items():
            queue.send_all((_job_body(job) for job in jobs if job.platform == platform), delay_s=delay_s)


def look_body(look: DeliveryCheck) -> dict[str, Any]:
    return {"kind": LOOK, "about": _about_body(look.about), "users": list(look.users)}


def look_from(body: Mapping[str, Any]) -> DeliveryCheck:
    """Raises for one that can't be read."""
    return DeliveryCheck(_about_from(body["about"]), tuple(map(str, body["users"])))


def reminder_body(user_id: str, reminder_id: str) -> dict[str, Any]:
    """What comes when a reminder is due."""
    return {"kind": REMINDER, "user_id": user_id, "reminder_id": reminder_id}


def _job_body(job: PushJob) -> dict[str, Any]:
    return {
        "kind": PUSH,
        "platform": job.platform,
        "user_id": job.user_id,
        "about": _about_body(job.about),
        "since": job.since,
        "tries": job.tries,
        "device_id": job.device_id,
        "not_before": job.not_before,
    }


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
