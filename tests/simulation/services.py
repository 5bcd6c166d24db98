"""DynamoDB and SQS as functions reach them: each call a step, with whatever faults there are."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.adapters.aws.calls import ServiceError, refusal, retried
from shared.adapters.aws.transport import READ_TIMEOUT_S, TransportError
from tests.dynamodb import Store
from tests.simulation.faults import Fault, FaultModel
from tests.simulation.scheduler import Hub

_TIMEOUT_MS: Final = READ_TIMEOUT_S * 1_000
_WRITES: Final = frozenset({"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"})


def pause(hub: Hub, attempt: int) -> None:
    """As long as the real one waits."""
    hub.wait(hub.random.random() * min(400.0, 25.0 * 2**attempt))


class DynamoDb:
    """`Calls` on the simulated store, with the retries of the real service."""

    def __init__(self, hub: Hub, fault_model: FaultModel, store: Store) -> None:
        self._hub = hub
        self._fault_model = fault_model
        self._store = store
        self.puts: Counter[str] = Counter()
        """How often each conversation was asked for one of its log's places, in vain or not."""

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if operation == "PutItem" and "seq" in request["Item"]:
            self.puts[request["Item"]["conversation_id"]["S"]] += 1
        return retried(lambda: self._once(operation, request), pause=self.pause, monotonic=self._monotonic)

    def pause(self, attempt: int) -> None:
        pause(self._hub, attempt)

    def _monotonic(self) -> float:
        return self._hub.now / 1_000

    def _once(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        self._hub.step()
        if not self._fault_model.odds:
            return self._store.call(operation, request)
        self._before(operation, request)
        answer = self._store.call(operation, request)
        if self._fault_model.strikes(Fault.LOST_AFTER):
            self._lose()
        return answer

    def _before(self, operation: str, request: Mapping[str, Any]) -> None:
        strikes = self._fault_model.strikes
        if strikes(Fault.THROTTLED):
            raise refusal(400, {"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException"})
        if strikes(Fault.SERVER_ERROR):
            raise refusal(500, {"__type": "InternalServerError"})
        if strikes(Fault.LOST_BEFORE):
            self._lose()
        if strikes(Fault.SLOW):
            self._hub.wait(self._hub.random.random() * _TIMEOUT_MS)
        if operation in _WRITES and strikes(Fault.CONTENDED):
            raise _contended(operation, request)

    def _lose(self) -> None:
        """Half of them are cut off at once, the others keep silent until the caller gives up."""
        self._hub.wait(self._hub.random.choice((1.0, _TIMEOUT_MS)))
        raise TransportError("lost")


def _contended(operation: str, request: Mapping[str, Any]) -> ServiceError:
    if operation != "TransactWriteItems":
        return refusal(400, {"__type": "TransactionConflictException"})
    parts = len(request["TransactItems"])
    reasons = [{"Code": "TransactionConflict"}, *({"Code": "None"} for _ in range(parts - 1))]
    return refusal(400, {"__type": "TransactionCanceledException", "CancellationReasons": reasons})


class Sqs:
    """What `SqsQueue` asks of the service. `deliver(queue, body, delay_ms)` takes each message on."""

    def __init__(self, hub: Hub, fault_model: FaultModel, deliver: Callable[[str, str, float], None]) -> None:
        self._hub = hub
        self._fault_model = fault_model
        self._deliver = deliver

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        return retried(
            lambda: self._once(operation, request),
            pause=lambda attempt: pause(self._hub, attempt),
            monotonic=lambda: self._hub.now / 1_000,
        )

    def _once(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        self._hub.step()
        if self._fault_model.strikes(Fault.QUEUE_REFUSED):
            raise refusal(503, {})
        entries = request["Entries"] if operation == "SendMessageBatch" else [request]
        for entry in entries:
            self._deliver(request["QueueUrl"], entry["MessageBody"], entry["DelaySeconds"] * 1_000.0)
        return {}


@dataclass(slots=True)
class Queued:
    """A message of a queue, and how often a function has got it."""

    message_id: str
    body: str
    received: int = 0

    @property
    def kind(self) -> str:
        return str(json.loads(self.body).get("kind", "presence"))

    def record(self) -> dict[str, Any]:
        attributes = {"ApproximateReceiveCount": str(self.received)}
        return {"messageId": self.message_id, "body": self.body, "attributes": attributes, "eventSource": "aws:sqs"}
