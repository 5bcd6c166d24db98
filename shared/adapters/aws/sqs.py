"""SQS: work for later, or for others to do side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from shared.adapters.aws.calls import UNBOUNDED, JsonService, undone
from shared.clock import Deadline
from shared.config import AwsEnvironment
from shared.domain.connections import Gone
from shared.errors import Unavailable

_BATCH: Final = 10
_LONGEST_DELAY_S: Final = 900


def sqs(environment: AwsEnvironment, deadline: Deadline = UNBOUNDED) -> JsonService:
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

        `fair_by` is the field that says whose a message is: one who fills the queue holds up no others (SQS fair
        queues).
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
            if failed := answer.get("Failed"):
                raise Unavailable from undone("sqs:SendMessageBatch", str(failed[0].get("Code")))


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
