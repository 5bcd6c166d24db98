"""Whatever contends or is throttled: every loop ends in time to say so, before a gateway gives up on the function."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

import tests.functions.environment  # noqa: F401  # read by the handlers when they are imported
from functions.message.handler import respond
from shared.adapters.aws.calls import ServiceError, refusal, retried
from shared.clock import FRAME_S, GRACE_S, REQUEST_S, Deadline
from shared.domain.connections import Identity
from shared.errors import Unavailable
from shared.operations.contacts import request_contact
from shared.operations.editing import React, react
from shared.operations.groups import AddMembers, NewGroup, add_members, create_group
from tests.dynamodb import Store
from tests.fakes import FakeGateway, FakeNonces
from tests.functions.events import HOUR, NOW, frame_event
from tests.stores import adapters, simulated
from tests.wiring import Wiring, parts

GROUP = "group:0123456789abcdef"
# What a call takes at the most once it has been started.
CALL_S = 4.0


@dataclass
class Slow:
    """DynamoDB, where each call takes `seconds` and is refused as `trouble` wants."""

    store: Store = field(default_factory=Store)
    seconds: float = 0.0
    trouble: Callable[[str], ServiceError | None] = lambda _: None
    time: float = 0.0
    deadline: Deadline = field(init=False)

    def __post_init__(self) -> None:
        self.limit(FRAME_S)

    def limit(self, seconds: float) -> None:
        self.deadline = Deadline(seconds, monotonic=lambda: self.time, sleep=self.sleep)
        self.began = self.time
        self.deadline.begin()

    def sleep(self, seconds: float) -> None:
        self.time += seconds

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        def once() -> dict[str, Any]:
            self.time += self.seconds
            if (error := self.trouble(operation)) is not None:
                raise error
            return self.store.call(operation, request)

        return retried(once, pause=self.pause, monotonic=lambda: self.time, check=self.deadline.check)

    def pause(self, attempt: int) -> None:
        self.deadline.pause(attempt)

    def wait_ms(self, ms: int) -> None:
        self.deadline.wait_ms(ms)

    @property
    def took(self) -> float:
        return self.time - self.began


def throttled(_: str) -> ServiceError:
    return refusal(400, {"__type": "ThrottlingException"})


def contended(operation: str) -> ServiceError | None:
    """Another writer is always quicker."""
    if operation == "TransactWriteItems":
        return refusal(400, {"__type": "TransactionCanceledException", "CancellationReasons": [_LOST]})
    if operation in {"PutItem", "UpdateItem"}:
        return refusal(400, {"__type": "ConditionalCheckFailedException", "Item": _THERE})
    return None


_THERE: dict[str, Any] = {
    "conversation_id": {"S": GROUP},
    "seq": {"N": "2"},
    "kind": {"S": "message"},
    "sender_id": {"S": "dave"},
    "created_at": {"N": "1"},
    "number": {"N": "1"},
    "authors": {"M": {}},
    "nonce": {"S": "another"},
}
_LOST: dict[str, Any] = {"Code": "ConditionalCheckFailed", "Item": _THERE}


@dataclass
class DeadlineHarness:
    calls: Slow = field(default_factory=Slow)

    def __post_init__(self) -> None:
        self.stores = adapters(self.calls)
        gateway = FakeGateway()
        wiring = Wiring(
            self.stores,
            gateway,
            lambda: NOW + int(self.calls.time * 1_000),
            FakeNonces(),
            pause=self.calls.pause,
            wait_ms=self.calls.wait_ms,
            begin=lambda: self.calls.limit(FRAME_S),
        )
        self.wired = wiring.message(verify=lambda _: Identity("alice", NOW + HOUR), group_limit=1_000)
        self.guard = wiring.guard(wiring.limiter(buckets=simulated().buckets))
        self.create("alice", "bob", "carol")
        first = self.say(type="message", conversation_id=GROUP, content="x")
        assert first["success"], first

    @property
    def whole(self) -> dict[str, Any]:
        return {name: getattr(self.wired, name) for name in ("stores", "services", "context")}

    def say(self, **frame: Any) -> dict[str, Any]:
        reply: dict[str, Any] = json.loads(respond(frame_event(frame, user_id="alice"), self.wired, self.guard)["body"])
        return reply

    def create(self, creator: str, *others: str) -> None:
        stores, services, context = self.wired.stores, self.wired.services, self.wired.context
        create_group(
            NewGroup(creator, "many", others),
            admit=lambda *_: None,
            stores=stores,
            services=services,
            context=replace(context, new_secret=lambda: GROUP.partition(":")[2]),
        )

    def add(self) -> None:
        stores, services, context = self.wired.stores, self.wired.services, self.wired.context
        users = [f"user{number}" for number in range(100)]
        add_members(
            AddMembers(GROUP, users, "alice"), admit=lambda *_: None, stores=stores, services=services, context=context
        )

    def suffer(self, seconds: float, trouble: Callable[[str], ServiceError | None]) -> None:
        self.calls.seconds, self.calls.trouble = seconds, trouble


FRAMES: dict[str, dict[str, Any]] = {
    "message": {"type": "message", "conversation_id": GROUP, "content": "y", "client_message_id": "y", "after": 1},
    "message without after": {"type": "message", "conversation_id": GROUP, "content": "y"},
    "edit": {"type": "edit", "conversation_id": GROUP, "seq": 2, "content": "z"},
    "react": {"type": "react", "conversation_id": GROUP, "seq": 2, "emoji": "👍"},
    "sync": {"type": "sync", "conversations": {GROUP: 1}},
    "presence": {"type": "presence", "users": [f"user{number}" for number in range(100)]},
}


@pytest.mark.parametrize("seconds", [0.005, 1.0, 3.0])
@pytest.mark.parametrize("trouble", [contended, throttled])
@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_is_answered_in_time(name: str, trouble: Callable[[str], ServiceError | None], seconds: float) -> None:
    harness = DeadlineHarness()
    harness.suffer(seconds, trouble)
    reply = harness.say(**FRAMES[name])
    assert harness.calls.took <= FRAME_S + GRACE_S + CALL_S
    if not reply["success"]:
        assert (reply["code"], reply["retry_after_ms"] > 0) == ("unavailable", True)


REQUESTS: dict[str, Callable[[DeadlineHarness], object]] = {
    "add": DeadlineHarness.add,
    "react": lambda harness: react(React("bob", GROUP, 2, "👍"), **harness.whole),
    "contact": lambda harness: request_contact("alice", "bob", **parts(harness.stores, NOW)),
}


@pytest.mark.parametrize("seconds", [0.005, 1.0, 3.0])
@pytest.mark.parametrize("trouble", [contended, throttled])
@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_answered_in_time(
    name: str, trouble: Callable[[str], ServiceError | None], seconds: float
) -> None:
    harness = DeadlineHarness()
    harness.suffer(seconds, trouble)
    harness.calls.limit(REQUEST_S)
    with pytest.raises(Unavailable) as refused:
        REQUESTS[name](harness)
    assert harness.calls.took <= REQUEST_S + GRACE_S + CALL_S < 29
    assert refused.value.retry_after_ms
