"""The team's own event bus, on EventBridge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from shared.adapters.aws.calls import UNBOUNDED, JsonService, ServiceError
from shared.clock import Deadline
from shared.config import AwsEnvironment
from shared.errors import Unavailable
from shared.ports.webhooks import Outgoing

SOURCE: Final = "parley"
# Of one PutEvents call: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html
_ENTRIES: Final = 10
_BYTES: Final = 256 * 1_024
# What an entry counts beside its detail: source, type and time.
_AROUND: Final = 256


def eventbridge(environment: AwsEnvironment, deadline: Deadline = UNBOUNDED) -> JsonService:
    return JsonService(
        service="events",
        target_prefix="AWSEvents",
        content_type="application/x-amz-json-1.1",
        environment=environment,
        deadline=deadline,
    )


class EventBridgeBus:
    """An EventBus on EventBridge. The bus hands events on in no order: whoever needs one has `seq`."""

    def __init__(self, service: JsonService, name: str) -> None:
        self._service = service
        self._name = name

    def put(self, events: Sequence[Outgoing]) -> Sequence[bool]:
        """Ten to a call. After one that was not taken no more of its conversation are handed over."""
        taken: list[bool] = []
        stopped: set[str] = set()
        for batch in _batches(events):
            wanted = [event for event in batch if event.conversation_id not in stopped]
            results = iter(self._put(wanted))
            done = [event.conversation_id not in stopped and next(results) for event in batch]
            stopped |= {event.conversation_id for event, is_done in zip(batch, done, strict=True) if not is_done}
            taken += done
        return taken

    def _put(self, events: Sequence[Outgoing]) -> list[bool]:
        if not events:
            return []
        entries = [
            {
                "EventBusName": self._name,
                "Source": SOURCE,
                "DetailType": event.event_type,
                "Detail": event.body.decode(),
                "Resources": [],
            }
            for event in events
        ]
        try:
            answer: dict[str, Any] = self._service.call("PutEvents", {"Entries": entries})
        except (Unavailable, ServiceError):
            return [False] * len(events)
        return ["ErrorCode" not in one for one in answer["Entries"]]


def _batches(events: Sequence[Outgoing]) -> Iterator[Sequence[Outgoing]]:
    batch: list[Outgoing] = []
    size = 0
    for event in events:
        weight = len(event.body) + _AROUND
        if batch and (len(batch) == _ENTRIES or size + weight > _BYTES):
            yield batch
            batch, size = [], 0
        batch.append(event)
        size += weight
    if batch:
        yield batch
