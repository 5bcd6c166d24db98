"""The event sources' side: what they are answered is always well-formed, and poison holds up no other record."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from local.emulator.retries import Batch, Course, Policy
from tests.faults.beginning import ALICE
from tests.faults.harness import FaultHarness
from tests.faults.invariants import check
from tests.faults.operations import message
from tests.faults.scenes import CAROLS_PHONE, TO_CAROL
from tests.faults.services import Message
from tests.faults.steps import from_on, throttle

Record = dict[str, Any]


def _without(record: Record, *path: str) -> Record:
    inner = record
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    return record


def _with(record: Record, value: Any, *path: str) -> Record:
    inner = record
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = value
    return record


IMAGE = ("dynamodb", "NewImage")
POISON: dict[str, Callable[[Record], Record]] = {
    "no image": lambda record: _without(record, *IMAGE),
    "no kind": lambda record: _without(record, *IMAGE, "kind"),
    "no sender": lambda record: _without(record, *IMAGE, "sender_id"),
    "a seq that is none": lambda record: _with(record, {"S": "x"}, *IMAGE, "seq"),
    "an attribute of two types": lambda record: _with(record, {"S": "x", "N": "1"}, *IMAGE, "seq"),
    "an unknown type": lambda record: _with(record, {"B": "AAAA"}, *IMAGE, "seq"),
    "an image that is none": lambda record: _with(record, "text", *IMAGE),
}


def well_formed(answer: Any, ids: list[str]) -> list[str]:
    """The ids that are to come again, of an answer as Lambda's event sources take it: anything else fails the batch."""
    assert json.loads(json.dumps(answer)) == answer
    assert set(answer) == {"batchItemFailures"}
    named = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
    assert all(set(failure) == {"itemIdentifier"} for failure in answer["batchItemFailures"])
    assert set(named) <= set(ids)
    return named


def records_of_five_messages(harness: FaultHarness) -> list[Record]:
    for number in range(5):
        message(ALICE, f"m{number}", after=number + 1, to="carol")(harness)
    return copy.deepcopy(harness.hand_over())


@pytest.mark.parametrize("at", range(5))
@pytest.mark.parametrize("kind", POISON, ids=lambda one: one.replace(" ", "_"))
def test_a_poison_record_is_named_and_those_around_it_are_looked_at(harness: FaultHarness, kind: str, at: int) -> None:
    records = records_of_five_messages(harness)
    records[at] = POISON[kind](records[at])
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    assert well_formed(harness.push(records), numbers) == [numbers[at]]
    seqs = {json.loads(one.body)["about"]["seq"] for one in harness.take("push")}
    assert seqs == {2, 3, 4, 5, 6} - {at + 2}


@pytest.mark.parametrize("kind", POISON, ids=lambda one: one.replace(" ", "_"))
def test_the_event_source_gets_on_and_every_good_record_is_carried_out_once(harness: FaultHarness, kind: str) -> None:
    """With the retries that the stream's source is deployed with: the poison is set aside, and nothing waits."""
    records = records_of_five_messages(harness)
    records[2] = POISON[kind](records[2])
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    course, position, given_up, invocations = Course(), 0, [], 0
    while position < len(records):
        end = min(course.end(position, len(records)), len(records))
        named = well_formed(harness.push(records[position:end]), numbers)
        handled = numbers.index(named[0]) - position if named else end - position
        following = course.after(Batch(range(position, end), end), handled, Policy(retries=5, bisects=True))
        given_up += list(range(position, end)) if following.given_up else []
        position, invocations = following.position, invocations + 1
        assert invocations < 20
    assert 2 in given_up
    harness.settle()
    check(harness)
    taken = [(push.target.token, push.data["seq"]) for push in harness.provider.taken]
    assert taken == [(CAROLS_PHONE, seq) for seq in ("2", "3", "5", "6")]


@pytest.mark.parametrize(
    "body",
    [
        *(
            "",
            "null",
            "[]",
            "{}",
            "{",
            '{"kind": "look"}',
            '{"kind": "push", "about": {}}',
            '{"kind": "shard", "seq": 1}',
        ),
        *('{"kind": "reminder"}', '{"kind": 7}', '{"kind": "look", "about": {"seq": "x"}, "users": []}', "\ud800"),
    ],
)
def test_a_message_that_cannot_be_read_comes_again_alone(harness: FaultHarness, body: str) -> None:
    TO_CAROL(harness)
    harness.push(harness.hand_over())
    good = harness.take("push")
    bad = Message(body, 0)
    for name in ("push", "presence"):
        assert harness.carry_out(name, [bad]) == [bad]
    assert harness.carry_out("push", [bad, *good, bad]) == [bad, bad]
    assert len(harness.provider.taken) == 1


@pytest.mark.parametrize("records", [[], [{"eventName": "MODIFY", "dynamodb": {}}], [{"eventName": "REMOVE"}]])
def test_nothing_to_do_is_answered_as_done(harness: FaultHarness, records: list[Record]) -> None:
    assert well_formed(harness.push(records), []) == []
    assert well_formed(harness.release(records), []) == []


def test_an_outage_names_every_record_so_that_all_of_them_come_again(harness: FaultHarness) -> None:
    records = records_of_five_messages(harness)
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    harness.steps.begin(before=from_on(0, throttle))
    assert well_formed(harness.push(records), numbers) == numbers
    harness.steps.begin()
    assert well_formed(harness.push(records), numbers) == []
    harness.settle()
    assert [push.data["seq"] for push in harness.provider.taken][-1] == "6"
