"""EventBridge Scheduler: calls back once at a time, by way of a queue."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, Final

from shared.adapters.aws.calls import UNBOUNDED, ServiceError
from shared.adapters.aws.push_queues import reminder_body
from shared.adapters.aws.sdk import Sdk
from shared.clock import Deadline, now_ms, whole_seconds
from shared.config import AwsEnvironment
from shared.domain.notifications import Reminder

# It need not take a time that has passed once the request is there; and it calls within the minute, not the second.
_EARLIEST_MS: Final = 5_000
_RETRY: Final = {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
_THERE_ALREADY: Final = "ConflictException"
_NOT_THERE: Final = "ResourceNotFoundException"


def scheduler(environment: AwsEnvironment, deadline: Deadline = UNBOUNDED) -> Sdk:
    return Sdk("scheduler", environment, deadline)


class EventBridgeReminderScheduler:
    """ReminderScheduler on the schedules of one group, each gone with its call. `role_arn` may send to the queue."""

    def __init__(
        self, scheduler: Sdk, *, group: str, queue_arn: str, role_arn: str, now: Callable[[], int] = now_ms
    ) -> None:
        self._scheduler = scheduler
        self._group = group
        self._queue_arn = queue_arn
        self._role_arn = role_arn
        self._now = now

    def schedule(self, reminder: Reminder) -> None:
        """Raises Unavailable where it is not known to be scheduled."""
        body = reminder_body(reminder.user_id, reminder.reminder_id)
        target = {
            "Arn": self._queue_arn,
            "RoleArn": self._role_arn,
            "Input": json.dumps(body, separators=(",", ":")),
            "RetryPolicy": _RETRY,
        }
        request = {
            "GroupName": self._group,
            "Name": reminder.reminder_id,
            "ScheduleExpression": f"at({_second(max(reminder.at, self._now() + _EARLIEST_MS))})",
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "Target": target,
        }
        self._call(lambda scheduler: scheduler.create_schedule(**request), fine=_THERE_ALREADY)

    def cancel(self, reminder_id: str) -> None:
        """Raises Unavailable where it may still be scheduled."""
        self._call(lambda one: one.delete_schedule(GroupName=self._group, Name=reminder_id), fine=_NOT_THERE)

    def _call(self, ask: Callable[[Any], object], *, fine: str) -> None:
        """One call, retried as others are: a repetition's answer is as good as the first one's, `fine`."""
        try:
            self._scheduler.call(ask, expected=(fine,))
        except ServiceError as refused:
            if refused.code != fine:
                raise


def _second(ms: int) -> str:
    """The first whole second that is not before."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole_seconds(ms)))
