"""DynamoDB behind a real server that fails before or after it has done what was asked: the retries as they are.

Whatever writes is stored once, and answered as if nothing had happened.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from shared.adapters.aws import transport as http
from shared.adapters.aws.calls import JsonService, ServiceError
from shared.adapters.dynamodb.client import dynamodb
from shared.config import AwsEnvironment
from tests.calls import Unslept
from tests.faults.beginning import ALICE, CAROLS, DM, done, entries, new_harness, said
from tests.faults.harness import FaultHarness
from tests.faults.invariants import check, check_to_the_end
from tests.faults.operations import Act, of_queue, stored, then
from tests.faults.scenes import BOBS, CAROLS_PHONE, TO_BOB, TO_CAROL, came_in, dial, streamed
from tests.shared.adapters.aws.servers import Received, Reply, ScriptedServer, reply


@dataclass
class Trouble:
    """What happens to the first call of `operation`: nothing else goes wrong. `done`: after it has taken effect."""

    operation: str
    answer: Reply
    done: bool
    struck: list[Received] = field(default_factory=list)


THROTTLED = reply(400, b'{"__type": "com.amazonaws.dynamodb.v20120810#ThrottlingException", "message": "slow down"}')
FAULT = reply(500, b'{"__type": "InternalServerError"}')
HALF = reply(200, b'{"Attributes": {"user_id"')
NO_JSON = reply(200, b"<html>a proxy says hello</html>")
TROUBLES = {
    "throttled": (THROTTLED, False),
    "a fault before": (FAULT, False),
    "a fault after": (FAULT, True),
    "timeout before": (Reply(then="hang"), False),
    "timeout after": (Reply(then="hang"), True),
    "reset before": (Reply(then="reset"), False),
    "reset after": (Reply(then="reset"), True),
    "half an answer": (HALF, True),
    "no answer of DynamoDB": (NO_JSON, True),
}


def _serve(harness: FaultHarness, received: Received, trouble: Trouble) -> Reply:
    operation = received.headers["x-amz-target"].partition(".")[2]
    strikes = operation == trouble.operation and not trouble.struck
    if strikes:
        trouble.struck.append(received)
        if not trouble.done:
            return trouble.answer
    try:
        answer = reply(200, json.dumps(harness.store.call(operation, json.loads(received.body))).encode())
    except ServiceError as error:
        body = {"__type": error.code, **error.body}
        answer = reply(400, json.dumps(body).encode())
    return trouble.answer if strikes else answer


@contextmanager
def over_http(harness: FaultHarness, trouble: Trouble) -> Iterator[JsonService]:
    """The functions reach the store by the real client over a real server."""
    with ScriptedServer(lambda received: _serve(harness, received, trouble)) as server:
        service = dynamodb(AwsEnvironment("us-east-1", "key", "secret", "", server.url))
        service._deadline = Unslept()
        harness.dynamodb.store = service
        yield service
        while service._pool._idle:
            service._pool._idle.pop().close()
    harness.dynamodb.store = harness.store


WRITES: dict[str, tuple[str, Act, Act, Act]] = {
    "a message": ("PutItem", lambda harness: None, TO_BOB, stored(DM, "hello", pushed=(BOBS,))),
    "a first message": (
        "TransactWriteItems",
        lambda harness: None,
        lambda harness: done(harness.say(ALICE, said("hi erin", after=0, to="erin"))),
        stored("dm:alice:erin", "hi erin"),
    ),
    "a session": ("UpdateItem", lambda harness: None, dial, came_in),
    "a claim": (
        "UpdateItem",
        then(TO_CAROL, streamed),
        of_queue("push"),
        stored(CAROLS, "are you there?", pushed=(CAROLS_PHONE,)),
    ),
}


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda one: one.replace(" ", "_"))
@pytest.mark.parametrize("write", WRITES, ids=lambda one: one.replace(" ", "_"))
def test_a_write_that_goes_wrong_once_is_made_once_and_answered_as_if_it_had_not(
    write: str, trouble: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "READ_TIMEOUT_S", 0.2)
    monkeypatch.setattr(http, "KEPT_TIMEOUT_S", 0.2)
    operation, first, act, holds = WRITES[write]
    calm, harness = new_harness(), new_harness()
    for one in (calm, harness):
        first(one)
    expected = act(calm)
    failing = Trouble(operation, *TROUBLES[trouble])
    with over_http(harness, failing):
        assert act(harness) == expected
    assert failing.struck
    check_to_the_end(harness)
    holds(harness)


@pytest.mark.parametrize("answer", [THROTTLED, FAULT, Reply(then="reset")], ids=["throttled", "fault", "reset"])
def test_what_never_works_is_an_answer_that_says_when_to_try_again(harness: FaultHarness, answer: Reply) -> None:
    forever = Trouble("PutItem", answer, done=False)
    with over_http(harness, forever):
        forever.struck = _Never()
        refused = harness.say(ALICE, said("hello", after=3, to="bob"))
    assert (refused["code"], refused["retryable"], refused["retry_after_ms"]) == ("unavailable", True, 1_000)
    check(harness)
    assert len(entries(harness, DM)) == 3
    assert done(harness.say(ALICE, said("hello", after=3, to="bob")))["duplicate"] is False


class _Never(list[Any]):
    """Always empty: the trouble never ends."""

    def append(self, _: Any, /) -> None:
        return


def test_an_answer_that_is_lost_for_good_is_found_by_the_clients_own_resend(harness: FaultHarness) -> None:
    """Every attempt is carried out and none is heard of: the client is told to try again, and has its message once."""
    forever = Trouble("PutItem", FAULT, done=True)
    with over_http(harness, forever):
        forever.struck = _Never()
        refused = harness.say(ALICE, said("hello", after=3, to="bob"))
    assert refused["code"] == "unavailable"
    check(harness)
    assert done(harness.say(ALICE, said("hello", after=3, to="bob")))["duplicate"] is True
    check(harness)
    assert len(entries(harness, DM)) == 4
