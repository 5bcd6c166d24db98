"""Reminders on EventBridge Scheduler: what is asked of it, what its answers mean, and that moto's has them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import boto3
import pytest

from shared.adapters.aws.calls import ServiceError
from shared.adapters.aws.scheduler import EventBridgeReminderScheduler, scheduler
from shared.config import AwsEnvironment
from shared.domain.notifications import Reminder
from tests.calls import Unslept
from tests.moto_tables import environment, moto_url, reset
from tests.shared.adapters.aws.servers import Reply, ScriptedServer, reply
from tests.shared.adapters.aws.test_sdk import answers
from tests.shared.adapters.conftest import Serve

__all__ = ["environment", "moto_url"]

NOW = 1_795_431_200_000  # 2026-11-23T10:53:20Z
QUEUE = "arn:aws:sqs:us-east-1:000000000000:look"
ROLE = "arn:aws:iam::000000000000:role/schedule"


def reminder(reminder_id: str = "r1", *, at: int = NOW + 3_600_000) -> Reminder:
    return Reminder(reminder_id, "alice", "dm:alice:bob", 7, at, NOW)


def clock_at(environment: AwsEnvironment, *, group: str = "parley") -> EventBridgeReminderScheduler:
    return EventBridgeReminderScheduler(
        scheduler(environment, Unslept()), group=group, queue_arn=QUEUE, role_arn=ROLE, now=lambda: NOW
    )


def clock(server: ScriptedServer, *, group: str = "parley") -> EventBridgeReminderScheduler:
    return clock_at(AwsEnvironment("eu-west-1", "AKID", "secret", "token", server.url), group=group)


def refused(status: int, code: str, *, header: bool = True) -> Reply:
    if header:
        return reply(status, b'{"Message":"no"}', headers=f"x-amzn-ErrorType: {code}:http://internal/\r\n")
    return reply(status, json.dumps({"__type": f"com.amazonaws.scheduler#{code}"}).encode())


def test_a_reminder_is_scheduled_once_and_goes_with_its_call(serve: Serve) -> None:
    server = answers(serve, reply(200, b'{"ScheduleArn":"arn"}'))
    clock(server).schedule(reminder())
    (asked,) = server.received
    assert (asked.method, asked.path) == ("POST", "/schedules/r1")
    body = json.loads(asked.body)
    assert json.loads(body["Target"].pop("Input")) == {"kind": "reminder", "user_id": "alice", "reminder_id": "r1"}
    assert body.pop("ClientToken")
    assert body == {
        "GroupName": "parley",
        "ScheduleExpression": "at(2026-11-23T11:53:20)",
        "ScheduleExpressionTimezone": "UTC",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "DELETE",
        "Target": {
            "Arn": QUEUE,
            "RoleArn": ROLE,
            "RetryPolicy": {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185},
        },
    }


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (NOW + 10_001, "2026-11-23T10:53:31"),
        (NOW + 10_000, "2026-11-23T10:53:30"),
        (NOW + 1, "2026-11-23T10:53:25"),
        (NOW - 86_400_000, "2026-11-23T10:53:25"),
    ],
    ids=["never early", "to the second", "too soon", "passed"],
)
def test_it_calls_at_a_whole_second_that_is_still_to_come(serve: Serve, at: int, expected: str) -> None:
    server = answers(serve, reply())
    clock(server).schedule(reminder(at=at))
    assert json.loads(server.received[0].body)["ScheduleExpression"] == f"at({expected})"


def test_a_cancellation_names_the_group(serve: Serve) -> None:
    server = answers(serve, reply())
    clock(server, group="parley dev/1").cancel("r1")
    (asked,) = server.received
    place, _, query = asked.path.partition("?")
    assert (asked.method, place, parse_qs(query)["groupName"]) == ("DELETE", "/schedules/r1", ["parley dev/1"])


@pytest.mark.parametrize("header", [True, False])
def test_what_was_there_or_gone_already_is_fine(serve: Serve, *, header: bool) -> None:
    there = answers(serve, refused(409, "ConflictException", header=header))
    clock(there).schedule(reminder())
    gone = answers(serve, refused(404, "ResourceNotFoundException", header=header))
    clock(gone).cancel("r1")
    assert [len(server.received) for server in (there, gone)] == [1, 1]


def test_a_repetition_finds_what_the_first_attempt_has_scheduled(serve: Serve) -> None:
    server = answers(serve, Reply(b"", "close"), refused(409, "ConflictException"))
    clock(server).schedule(reminder())
    assert len(server.received) == 2


def test_what_it_refuses_for_good_is_an_error(serve: Serve) -> None:
    server = answers(serve, refused(404, "ResourceNotFoundException"))  # no such group
    with pytest.raises(ServiceError) as caught:
        clock(server).schedule(reminder())
    assert (caught.value.call, caught.value.code) == ("scheduler:CreateSchedule", "ResourceNotFoundException")


def test_a_conflict_is_no_answer_to_a_cancellation(serve: Serve) -> None:
    with pytest.raises(ServiceError):
        clock(answers(serve, refused(409, "ConflictException"))).cancel("r1")


# --- moto


@pytest.fixture
def moto_scheduler(environment: AwsEnvironment, moto_url: str) -> Iterator[Any]:
    reset(moto_url)
    client = boto3.client(
        "scheduler",
        endpoint_url=environment.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    client.create_schedule_group(Name="parley")
    yield client
    client.close()


def scheduled(client: Any) -> list[str]:
    return [one["Name"] for one in client.list_schedules(GroupName="parley")["Schedules"]]


def test_schedules_come_and_go_however_often_it_is_said(moto_scheduler: Any, environment: AwsEnvironment) -> None:
    clock = clock_at(environment)
    for name in ("r1", "r1", "r2"):
        clock.schedule(reminder(name))
    assert sorted(scheduled(moto_scheduler)) == ["r1", "r2"]
    found = moto_scheduler.get_schedule(GroupName="parley", Name="r1")
    assert (found["ScheduleExpression"], found["ActionAfterCompletion"]) == ("at(2026-11-23T11:53:20)", "DELETE")
    assert (found["Target"]["Arn"], found["Target"]["RoleArn"]) == (QUEUE, ROLE)
    for _ in range(2):
        clock.cancel("r1")
    assert scheduled(moto_scheduler) == ["r2"]
