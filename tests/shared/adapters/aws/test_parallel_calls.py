"""Functions that call a service, side by side on one thread: each call is made once, and all that can be together."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.aws.calls import MAX_ATTEMPTS, JsonService, ServiceError
from shared.adapters.aws.parallel import ParallelCalls
from shared.adapters.dynamodb.client import dynamodb
from shared.clock import Deadline
from shared.config import AwsEnvironment
from shared.errors import Unavailable
from tests.calls import Unslept
from tests.shared.adapters.aws.servers import Received, Reply, Script, ScriptedServer, reply
from tests.shared.adapters.conftest import Serve


def service(server: ScriptedServer, deadline: Deadline | None = None) -> JsonService:
    return dynamodb(AwsEnvironment("eu-west-1", "key", "secret", "", server.url), deadline or Unslept())


def asked(request: Received) -> Any:
    return json.loads(request.body)["ask"]


def echo(request: Received) -> Reply:
    return reply(body=json.dumps({"said": asked(request)}).encode())


def refused(status: int, code: str, **said: Any) -> Reply:
    return reply(status, json.dumps({"__type": code, **said}).encode())


@dataclass
class Together:
    """Answers nobody before this many calls are under way."""

    count: int
    barrier: threading.Barrier = field(init=False)

    def __post_init__(self) -> None:
        self.barrier = threading.Barrier(self.count)

    def __call__(self, request: Received) -> Reply:
        self.barrier.wait(timeout=20)
        return echo(request)


def test_calls_are_made_side_by_side_and_their_results_come_in_the_order_of_the_items(serve: Serve) -> None:
    calls = service(serve(Together(20)))
    found = ParallelCalls(calls)(lambda item: calls.call("GetItem", {"ask": item})["said"] * 10, range(20))
    assert list(found) == [10 * item for item in range(20)]


def test_calls_that_follow_others_are_made_side_by_side_as_well(serve: Serve) -> None:
    calls = service(serve(Together(8)))

    def three(item: int) -> list[str]:
        first = calls.call("GetItem", {"ask": f"{item}"})["said"]
        second = calls.call("GetItem", {"ask": f"{first}+"})["said"]
        return [first, second, calls.call("GetItem", {"ask": f"{second}+"})["said"]]

    assert list(ParallelCalls(calls)(three, range(8))) == [[f"{n}", f"{n}+", f"{n}++"] for n in range(8)]


def test_each_call_is_made_once_however_often_the_function_runs(serve: Serve) -> None:
    server = serve(echo)
    calls = service(server)

    def some(item: int) -> int:
        return sum(calls.call("PutItem", {"ask": [item, number]})["said"][1] for number in range(item))

    assert list(ParallelCalls(calls)(some, range(6))) == [0, 0, 1, 3, 6, 10]
    made = Counter(tuple(asked(one)) for one in server.received)
    assert made == {(item, number): 1 for item in range(6) for number in range(item)}


def test_nothing_to_do_is_no_call_and_one_item_is_called_for_as_ever(serve: Serve) -> None:
    server = serve(echo)
    calls = service(server)
    runs: list[int] = []

    def once(item: int) -> Any:
        runs.append(item)
        return calls.call("GetItem", {"ask": item})["said"]

    assert list(ParallelCalls(calls)(once, [])) == []
    assert list(ParallelCalls(calls)(once, [7])) == [7]
    assert (len(server.received), runs) == (1, [7])


def test_it_takes_no_other_thread(serve: Serve) -> None:
    calls = service(serve(echo))

    def who(item: int) -> int:
        calls.call("GetItem", {"ask": item})
        return threading.get_ident()

    assert set(ParallelCalls(calls)(who, range(10))) == {threading.get_ident()}


def test_what_a_service_refuses_is_raised_where_it_was_called_and_can_be_handled_there(serve: Serve) -> None:
    def script(request: Received) -> Reply:
        odd = isinstance(asked(request), int) and asked(request) % 2
        return refused(400, "ConditionalCheckFailedException") if odd else echo(request)

    calls = service(serve(script))

    def handled(item: int) -> str:
        try:
            calls.call("PutItem", {"ask": item})
        except ServiceError as error:
            return str(calls.call("GetItem", {"ask": f"after {error.code}"})["said"])
        return "fine"

    odd = "after ConditionalCheckFailedException"
    assert list(ParallelCalls(calls)(handled, range(4))) == ["fine", odd, "fine", odd]


@pytest.mark.parametrize("failing", [[0], [3], [2, 4]])
def test_what_is_not_handled_is_raised_the_first_of_several(serve: Serve, failing: list[int]) -> None:
    calls = service(serve(lambda one: refused(400, f"No{asked(one)}") if asked(one) in failing else echo(one)))
    with pytest.raises(ServiceError) as found:
        ParallelCalls(calls)(lambda item: calls.call("GetItem", {"ask": item}), range(5))
    assert found.value.code == f"No{failing[0]}"
    assert calls.call("GetItem", {"ask": 9}) == {"said": 9}  # it is as it was before


def test_an_error_of_the_functions_own_is_raised_too(serve: Serve) -> None:
    calls = service(serve(echo))

    def function(item: int) -> None:
        calls.call("GetItem", {"ask": item})
        raise LookupError(item)

    with pytest.raises(LookupError):
        ParallelCalls(calls)(function, [1, 2])
    assert calls.rerun is None


@dataclass
class Troubled:
    """The first answers to some are no answers."""

    answers: Sequence[Callable[[Received], Reply]]
    seen: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, request: Received) -> Reply:
        name = asked(request)
        with self.lock:
            self.seen[name] += 1
            attempt = self.seen[name]
        is_troubled = name.startswith("troubled") and attempt <= len(self.answers)
        return self.answers[attempt - 1](request) if is_troubled else echo(request)


THROTTLED: Script = lambda _: refused(400, "ThrottlingException")  # noqa: E731
BROKEN: Script = lambda _: refused(500, "InternalServerError")  # noqa: E731
CUT: Script = lambda _: Reply(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", then="close")  # noqa: E731
NO_JSON: Script = lambda _: reply(body=b"<html>")  # noqa: E731


@pytest.mark.parametrize("answers", [[THROTTLED], [BROKEN, THROTTLED], [CUT], [NO_JSON], [BROKEN] * 4])
def test_those_that_fail_for_now_are_repeated_alone(serve: Serve, answers: list[Script]) -> None:
    script, deadline = Troubled(answers), Unslept()
    calls = service(serve(script), deadline)
    items = ["troubled", "a", "b"]
    assert list(ParallelCalls(calls)(lambda item: calls.call("GetItem", {"ask": item})["said"], items)) == items
    assert script.seen == {"troubled": len(answers) + 1, "a": 1, "b": 1}
    assert deadline.pauses == list(range(len(answers)))


@pytest.mark.parametrize("answer", [THROTTLED, BROKEN, CUT, NO_JSON])
def test_one_that_fails_every_time_is_unavailable_in_the_end(serve: Serve, answer: Script) -> None:
    script = Troubled([answer] * 20)
    calls = service(serve(script))
    with pytest.raises(Unavailable) as found:
        ParallelCalls(calls)(lambda item: calls.call("GetItem", {"ask": item}), ["a", "troubled"])
    assert found.value.__cause__ is not None
    assert script.seen["a"] == 1
    seen = script.seen["troubled"]
    assert seen >= MAX_ATTEMPTS if answer is CUT else seen == MAX_ATTEMPTS  # a kept connection is replaced beside that


def test_where_the_invocation_has_no_time_left_there_is_no_call(serve: Serve) -> None:
    now = [0.0]
    deadline = Deadline(1.0, grace_s=0.0, monotonic=lambda: now[0])
    deadline.begin()
    now[0] = 2.0
    server = serve(echo)
    calls = service(server, deadline)
    with pytest.raises(Unavailable):
        ParallelCalls(calls)(lambda item: calls.call("GetItem", {"ask": item}), [1, 2])
    assert server.received == []


def test_a_map_within_such_a_function_is_carried_out_in_turn(serve: Serve) -> None:
    server = serve(echo)
    calls = service(server)

    def outer(item: int) -> list[Any]:
        return list(ParallelCalls(calls)(lambda one: calls.call("GetItem", {"ask": [item, one]})["said"], range(3)))

    assert list(ParallelCalls(calls)(outer, range(4))) == [[[item, one] for one in range(3)] for item in range(4)]
    assert len(server.received) == 12


def test_a_pause_for_what_was_left_unprocessed_is_made_once(serve: Serve) -> None:
    deadline = Unslept()
    calls = service(serve(echo), deadline)

    def paused(item: int) -> list[Any]:
        first = calls.call("BatchGetItem", {"ask": item})["said"]
        calls.pause(0)
        second = calls.call("BatchGetItem", {"ask": item + 10})["said"]
        return [first, second, calls.call("BatchGetItem", {"ask": item + 20})["said"]]

    assert list(ParallelCalls(calls)(paused, [1, 2])) == [[1, 11, 21], [2, 12, 22]]
    assert deadline.pauses == [0, 0]


@given(st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=6))
@settings(max_examples=25, deadline=None)
def test_it_is_as_one_after_the_other(scripts: list[list[int]]) -> None:
    """A script is the calls of one item; 9 is refused, and ends it."""

    def script(request: Received) -> Reply:
        return refused(400, "Refused") if asked(request)[1] == 9 else echo(request)

    def run(item: tuple[int, list[int]]) -> list[Any]:
        found: list[Any] = []
        try:
            for number in item[1]:
                found.append(calls.call("GetItem", {"ask": [item[0], number, len(found)]})["said"])
        except ServiceError as error:
            found.append(error.code)
        return found

    with ScriptedServer(script) as server:
        calls = service(server)
        items = list(enumerate(scripts))
        together = list(ParallelCalls(calls)(run, items))
        made = Counter(one.body for one in server.received)
        server.received.clear()
        assert together == list(map(run, items))
        assert made == Counter(one.body for one in server.received)
        calls._pool._drop_idle()
