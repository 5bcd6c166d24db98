"""Queues: ten to a call, and nothing lost silently."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from shared.adapters.aws.calls import JsonService
from shared.adapters.aws.sqs import SqsPresenceChecks, SqsQueue
from shared.domain.connections import Gone
from shared.errors import Unavailable


@dataclass
class Service:
    answer: dict[str, Any] = field(default_factory=dict)
    made: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    def call(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        self.made.append((operation, request))
        return self.answer


def queue_on(service: Service) -> SqsQueue:
    return SqsQueue(cast("JsonService", service), "https://sqs/queue")


def test_one_message_waits_as_long_as_it_should() -> None:
    service = Service()
    queue_on(service).send({"a": "é"}, delay_s=5)
    ((operation, request),) = service.made
    assert (operation, request["QueueUrl"], request["DelaySeconds"]) == ("SendMessage", "https://sqs/queue", 5)
    assert json.loads(request["MessageBody"]) == {"a": "é"}


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (1, [1]), (10, [10]), (11, [10, 1]), (25, [10, 10, 5])])
def test_many_go_ten_to_a_call(count: int, sizes: list[int]) -> None:
    service = Service()
    queue_on(service).send_all({"n": number} for number in range(count))
    batches = [request["Entries"] for _, request in service.made]
    assert [len(batch) for batch in batches] == sizes
    assert all(len({entry["Id"] for entry in batch}) == len(batch) for batch in batches)
    assert [json.loads(entry["MessageBody"])["n"] for batch in batches for entry in batch] == list(range(count))


def test_messages_say_whose_they_are_where_the_queue_is_to_be_fair() -> None:
    service = Service()
    queue_on(service).send_all([{"of": "a", "n": 1}, {"of": "b", "n": 2}], fair_by="of")
    queue_on(service).send_all([{"of": "a", "n": 3}])
    groups = [entry.get("MessageGroupId") for _, request in service.made for entry in request["Entries"]]
    assert groups == ["a", "b", None]


def test_some_that_were_not_taken_are_an_error() -> None:
    with pytest.raises(Unavailable):
        queue_on(Service({"Successful": [], "Failed": [{"Id": "0"}]})).send_all([{"n": 1}])


def test_a_look_waits_for_the_grace_period() -> None:
    service = Service()
    SqsPresenceChecks(queue_on(service), grace_s=10, now=lambda: 77).schedule(Gone("alice", 77))
    ((_, request),) = service.made
    assert (json.loads(request["MessageBody"]), request["DelaySeconds"]) == ({"user_id": "alice", "at": 77}, 10)


@pytest.mark.parametrize(
    ("at", "delay_s"), [(0, 10), (5_000, 10), (5_001, 11), (65_000, 70), (894_999, 900), (905_000, 900)]
)
def test_a_look_after_an_end_to_come_waits_for_it_but_no_longer_than_a_queue_can(at: int, delay_s: int) -> None:
    service = Service()
    SqsPresenceChecks(queue_on(service), grace_s=10, now=lambda: 5_000).schedule(Gone("alice", at))
    ((_, request),) = service.made
    assert request["DelaySeconds"] == delay_s
