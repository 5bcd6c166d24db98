"""The services as the adapters reach them: the simulated store, queues, a scripted gateway. Each call is a step."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.adapters.aws.calls import ApiGatewayConnections, Post, retried
from shared.adapters.aws.transport import TransportError
from shared.adapters.dynamodb.client import Calls
from shared.config import AwsEnvironment
from shared.domain.pushes import Push, PushResult, Sent
from tests.calls import Unhurried, Unslept
from tests.faults.steps import Steps
from tests.wire import Spoken

NOWHERE = AwsEnvironment("us-east-1", "key", "secret", "", "")


def _retried(once: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """With the retries of the real service, and without their waiting."""
    return retried(once, pause=lambda _: None, monotonic=lambda: 0.0)


@dataclass
class DynamoDb(Unhurried):
    """`Calls` on the simulated store. Each attempt is a step."""

    store: Calls
    steps: Steps

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        act = lambda: self.store.call(operation, request)  # noqa: E731
        return _retried(lambda: self.steps.take(operation, act, request))


@dataclass
class Message:
    """A message of a queue. `delay_s` is how long it is held back, `received` how often a function has got it."""

    body: str
    delay_s: int
    received: int = 0

    def record(self, message_id: str) -> dict[str, Any]:
        self.received += 1
        attributes = {"ApproximateReceiveCount": str(self.received)}
        return {"messageId": message_id, "body": self.body, "attributes": attributes, "eventSource": "aws:sqs"}


@dataclass
class Sqs:
    """Every queue, by the last part of its URL."""

    steps: Steps
    queues: defaultdict[str, list[Message]] = field(default_factory=lambda: defaultdict(list))

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        return _retried(lambda: self.steps.take(operation, lambda: self._put(operation, request), request))

    def _put(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        name = request["QueueUrl"].rpartition("/")[2]
        entries = request["Entries"] if operation == "SendMessageBatch" else [request]
        self.queues[name] += [Message(entry["MessageBody"], entry["DelaySeconds"]) for entry in entries]
        return {}


@dataclass
class Gateway:
    """`open` are the connections that a client holds. `answers` are those to posts to a connection, in place of 200."""

    open: dict[str, str] = field(default_factory=dict)
    posts: list[tuple[str, bytes]] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    answers: dict[str, int | None] = field(default_factory=dict)

    def request(self, method: str, connection_id: str, data: bytes) -> int:
        if method == "DELETE":
            self.closed.append(connection_id)
            return 204 if self.open.pop(connection_id, None) else 410
        answer = self.answers.get(connection_id, 200)
        if answer is None:
            raise TransportError("no answer")
        if connection_id not in self.open:
            return 410
        if answer == 200:
            self.posts.append((connection_id, data))
        return answer

    def events(self, connection_id: str) -> list[dict[str, Any]]:
        return [json.loads(data) for target, data in self.posts if target == connection_id]


class Connections(ApiGatewayConnections):
    """The real adapter, over a gateway that is spoken to in bytes and not dialled."""

    def __init__(self, gateway: Gateway, steps: Steps) -> None:
        super().__init__("http://gateway", NOWHERE, deadline=Unslept(), fan_out_ms=float("inf"))

        def answered(method: str, connection_id: str, data: bytes) -> int:
            act = lambda: gateway.request(method, connection_id, data)  # noqa: E731
            status: int = steps.take("DeleteConnection" if method == "DELETE" else "PostToConnection", act)
            return status

        self._pool = Spoken("http://gateway", answered)

    def carry_out_all(self, posts: Sequence[Post], data: bytes, *, until: float) -> None:
        for post in posts:
            self.carry_out(post, data, until=until)


@dataclass
class Provider:
    """A push provider, as its adapter shows it. `answers` come first, and then it takes everything."""

    taken: list[Push] = field(default_factory=list)
    answers: list[PushResult] = field(default_factory=list)

    def push(self, push: Push) -> PushResult:
        answer = self.answers.pop(0) if self.answers else Sent()
        if isinstance(answer, Sent):
            self.taken.append(push)
        return answer
