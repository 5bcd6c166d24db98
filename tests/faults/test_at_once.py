"""Several at once: twenty writers on one log, and a removal at every step of a message that is on its way."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import pytest

from tests.faults.beginning import ALICE, BOB, DAVE, DM, done, heard, ok, said, template
from tests.faults.harness import FaultHarness
from tests.faults.invariants import check, check_to_the_end, logs
from tests.faults.operations import Act, Operation, calm, frame, message, of_queue, started, then
from tests.faults.scenes import TO_CREW, TO_HALL, streamed
from tests.faults.steps import Step, at
from tests.faults.table import OPERATIONS

WRITERS, EACH = 20, 10


@dataclass
class OneAtATime:
    """Each call is atomic, as DynamoDB's are. Operations of several calls race."""

    calls: Any
    lock: Any = field(default_factory=Lock)

    def call(self, operation: str, request: Any) -> dict[str, Any]:
        with self.lock:
            answer: dict[str, Any] = self.calls.call(operation, request)
            return answer

    def pause(self, attempt: int) -> None:
        return


def test_twenty_writers_on_one_conversation_have_every_message_once_and_in_one_order(harness: FaultHarness) -> None:
    harness.dynamodb.store = OneAtATime(harness.store)
    harness.guard.limiters.messages.limit = type(harness.guard.limiters.messages.limit)(10_000, 10_000)

    def write(writer: int) -> list[int]:
        connection_id, other = ((ALICE, "bob"), ("bob1", "alice"))[writer % 2]
        seqs, after = [], 3
        for number in range(EACH):
            frame = said(f"{writer}/{number}", after=after, to=other)
            while not (reply := harness.say(connection_id, frame))["success"]:
                assert reply["retryable"], reply
            after = reply["data"]["seq"]
            seqs.append(after)
        return seqs

    with ThreadPoolExecutor(WRITERS) as threads:
        written = list(threads.map(write, range(WRITERS)))
    check(harness)
    log = logs(harness)[DM][3:]
    assert sorted(seq for seqs in written for seq in seqs) == [entry.seq for entry in log]
    assert all(seqs == sorted(seqs) for seqs in written)
    assert len({entry.client_message_id for entry in log}) == WRITERS * EACH


def remove(user: str, group: str) -> Act:
    return lambda harness: ok(harness.call("alice", "DELETE", f"/conversations/{group}/members/{user}"))


def at_each_step(first: Act, act: Act, meanwhile: Act) -> Any:
    """A harness for each step of `act` before which something else has happened."""
    operation = Operation("watched", act, lambda harness: None, first=first)
    _, steps = calm(operation)
    for number in range(len(steps)):
        harness = started(operation)

        def interfere(_: Step, harness: FaultHarness = harness) -> None:
            harness.steps.before = lambda step: None
            meanwhile(harness)

        harness.steps.begin(before=at(number, interfere))
        operation.act(harness)
        yield harness


def _seq_of(harness: FaultHarness, group: str, kind: str) -> int:
    (seq,) = (entry.seq for entry in logs(harness)[group] if entry.kind == kind and entry.seq > 1)
    return seq


def test_who_is_removed_while_a_message_is_sent_gets_it_only_if_it_came_before() -> None:
    crew = template().crew
    for harness in at_each_step(lambda harness: None, TO_CREW, remove("bob", crew)):
        check(harness)
        (sent,) = (entry.seq for entry in logs(harness)[crew] if entry.content == "crew!")
        if sent > _seq_of(harness, crew, "member_removed"):
            assert not heard(harness, "bob1", "new_message", conversation_id=crew, seq=sent)
        harness.settle()
        check(harness)
        assert all(push.target.token != "bob-token" for push in harness.provider.taken if push.data["seq"] == str(sent))


@pytest.mark.parametrize("stage", ["message", "stream", "shard", "second look", "push"])
def test_who_is_removed_from_a_large_group_at_any_step_of_a_fan_out_hears_nothing_of_what_came_after(
    stage: str,
) -> None:
    """And is pushed nothing any more, not even what came before."""
    hall = template().hall
    stages: dict[str, tuple[Act, Act]] = {
        "message": (lambda harness: None, TO_HALL),
        "stream": (TO_HALL, streamed),
        "shard": (then(TO_HALL, streamed), of_queue("fan-out")),
        "second look": (then(TO_HALL, streamed, of_queue("fan-out")), of_queue("look")),
        "push": (then(TO_HALL, streamed, of_queue("fan-out"), of_queue("look")), of_queue("push")),
    }
    for harness in at_each_step(*stages[stage], remove("dave", hall)):
        check(harness)
        removed = _seq_of(harness, hall, "member_removed")
        pushed = len([push for push in harness.provider.taken if push.target.token == "dave-token"])
        done(harness.say("bob1", said("dave is gone", after=removed, conversation_id=hall)))
        harness.settle()
        check(harness)
        assert not heard(harness, DAVE, "new_message", seq=removed + 1)
        assert len([push for push in harness.provider.taken if push.target.token == "dave-token"]) == pushed


def test_whoever_leaves_while_being_written_to_is_written_to_in_vain_and_nobody_else_is() -> None:
    """Every operation of a group, with a removal before each of its steps: what is stored stays in order."""
    crew = template().crew
    of_group = [one for one in OPERATIONS if one.name in {"group message", "add", "rename", "role", "forward"}]
    for operation in of_group:
        for harness in at_each_step(operation.first, _in_any_case(operation), remove("carol", crew)):
            check_to_the_end(harness)


def _in_any_case(operation: Operation) -> Act:
    """It may be refused: its object may be no member any more."""

    def act(harness: FaultHarness) -> Any:
        try:
            return operation.act(harness)
        except AssertionError as refused:
            assert "not_found" in str(refused)  # noqa: PT017  # anything else is no refusal
            return None

    return act


def test_two_first_messages_at_once_make_one_conversation(harness: FaultHarness) -> None:
    harness.dynamodb.store = OneAtATime(harness.store)
    place = "dm:alice:erin"
    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(message(ALICE, "from alice", after=0, to="erin"), harness)
        other = threads.submit(message("erin1", "from erin", after=0, to="alice"), harness)
        assert {one.result()["seq"], other.result()["seq"]} == {1, 2}
    check(harness)
    assert len(logs(harness)[place]) == 2


@pytest.mark.parametrize("kind", ["read", "delivered"])
def test_of_two_devices_that_move_a_cursor_at_once_the_further_one_counts(kind: str) -> None:
    further = frame(BOB, kind, conversation_id=DM, seq=3)
    for harness in at_each_step(lambda harness: None, frame(BOB, kind, conversation_id=DM, seq=2), further):
        check(harness)
        assert frame(BOB, kind, conversation_id=DM, seq=1)(harness)["seq"] == 3
