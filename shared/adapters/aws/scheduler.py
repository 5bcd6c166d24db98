"""EventBridge Scheduler: calls back once at a time, by way of a queue."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import quote

from shared.adapters.aws.json_service import ServiceError, always, endpoint, pause, retried, timestamp
from shared.adapters.aws.sigv4 import signer_for
from shared.adapters.aws.sqs import reminder_body
from shared.adapters.aws.transport import Pool, Response
from shared.clock import now_ms
from shared.config import AwsEnvironment
from shared.domain.notifications import Reminder

_MS: Final = 1_000
# It need not take a time that has passed once the request is there; and it calls within the minute, not the second.
_EARLIEST_MS: Final = 5_000
_RETRY: Final = {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
_THERE_ALREADY: Final = "ConflictException"
_NOT_THERE: Final = "ResourceNotFoundException"


class EventBridgeReminderScheduler:
    """Clock on the schedules of one group, each of which goes with its call. `role_arn` may send to the queue."""

    def __init__(
        self,
        environment: AwsEnvironment,
        *,
        group: str,
        queue_arn: str,
        role_arn: str,
        now: Callable[[], int] = now_ms,
        pause: Callable[[int], None] = pause,
        monotonic: Callable[[], float] = time.monotonic,
        check: Callable[[], None] = always,
    ) -> None:
        self._pool = Pool(environment.endpoint_url or endpoint("scheduler", environment.region))
        self._signer = signer_for("scheduler", environment)
        self._group = group
        self._queue_arn = queue_arn
        self._role_arn = role_arn
        self._now = now
        self._pause = pause
        self._monotonic = monotonic
        self._check = check

    def schedule(self, reminder: Reminder) -> None:
        """Raises Unavailable where it is not known to be scheduled."""
        body = reminder_body(reminder.user_id, reminder.reminder_id)
        request = {
            "GroupName": self._group,
            "ScheduleExpression": f"at({_second(max(reminder.at, self._now() + _EARLIEST_MS))})",
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "Target": {
                "Arn": self._queue_arn,
                "RoleArn": self._role_arn,
                "Input": json.dumps(body, separators=(",", ":")),
                "RetryPolicy": _RETRY,
            },
        }
        self._call("POST", reminder.reminder_id, request, fine=_THERE_ALREADY)

    def cancel(self, reminder_id: str) -> None:
        """Raises Unavailable where it may still be scheduled."""
        self._call("DELETE", reminder_id, fine=_NOT_THERE, query=f"groupName={quote(self._group, safe='')}")

    def _call(
        self, method: str, name: str, request: Mapping[str, Any] | None = None, *, fine: str, query: str = ""
    ) -> None:
        """One call, retried as others are: a repetition's answer is as good as the first one's, `fine`."""
        body = json.dumps(request, separators=(",", ":")).encode() if request is not None else b""
        path = f"{self._pool.base_path}/schedules/{quote(name, safe='')}"
        headers = {"host": self._pool.host, "content-type": "application/json"}

        def once() -> None:
            signed = self._signer.sign(method, path, headers, body, timestamp=timestamp(), query=query)
            response = self._pool.request(method, f"{path}?{query}" if query else path, signed, body)
            if response.status == HTTPStatus.OK:
                return
            refused = _refusal(response)
            if refused.code != fine:
                raise refused

        retried(once, pause=self._pause, monotonic=self._monotonic, check=self._check)


def _second(ms: int) -> str:
    """The first whole second that is not before."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(-(-ms // _MS)))


def _refusal(response: Response) -> ServiceError:
    """What it says: the code in a header, perhaps with an address behind it, or in the body."""
    try:
        body = json.loads(response.body)
    except ValueError:
        body = None
    said = body if isinstance(body, dict) else {}
    code = response.headers.get("x-amzn-errortype") or str(said.get("__type") or said.get("code") or "")
    return ServiceError(
        code.partition(":")[0].rpartition("#")[2] or f"HTTP{response.status}",
        str(said.get("message") or said.get("Message") or ""),
        said,
        is_transient=response.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        or response.status == HTTPStatus.TOO_MANY_REQUESTS,
    )
