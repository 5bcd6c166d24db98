"""Reminders on EventBridge Scheduler: what is asked of it, what its answers mean, and that moto's has them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from shared.adapters.aws.json_service import MAX_ATTEMPTS, ServiceError
from shared.adapters.aws.scheduler import EventBridgeReminderScheduler
from shared.config import AwsEnvironment
from shared.domain.notifications import Reminder
from shared.errors import Unavailable
from tests.moto_tables import environment, moto_url, reset
from tests.shared.adapters.aws.servers import Reply, ScriptedServer, reply
from tests.shared.adapters.conftest import Serve

__all__ = ["environment", "moto_url"]

NOW = 1_795_431_200_000  # 2026-11-23T10:53:20Z
QUEUE = "arn:aws:sqs:us-east-1:000000000000:look"
ROLE = "arn:aws:iam::000000000000:role/schedule"


def reminder(reminder_id: str = "r1", *, at: int = NOW + 3_600_000) -> Reminder:
    return Reminder(reminder_id, "alice", "dm:alice:bob", 7, at, NOW)


def clock_at(environment: AwsEnvironment, *, group: str = "parley", slept: list[int] | None = None) -> Any:
    return EventBridgeReminderScheduler(
        environment,
        group=group,
        queue_arn=QUEUE,
        role_arn=ROLE,
        now=lambda: NOW,
        pause=([] if slept is None else slept).append,
    )


def clock(server: ScriptedServer, *, group: str = "parley", slept: list[int] | None = None) -> Any:
    return clock_at(AwsEnvironment("eu-west-1", "AKID", "secret", "token", server.url), group=group, slept=slept)


def answers(serve: Serve, *replies: Reply) -> ScriptedServer:
    """One after the other, and the last of them for ever."""
    waiting = list(replies)
    return serve(lambda _: waiting.pop(0) if len(waiting) > 1 else waiting[0])


def refused(status: int, code: str, *, header: bool = True) -> Reply:
    if header:
        return reply(status, b'{"Message":"no"}', headers=f"x-amzn-ErrorType: {code}:http://internal/\r\n")
    return reply(status, json.dumps({"__type": f"com.amazonaws.scheduler#{code}"}).encode())


def test_a_reminder_is_scheduled_once_and_goes_with_its_call(serve: Serve) -> None:
    server = answers(serve, reply(200, b'{"ScheduleArn":"arn"}'))
    clock(server).schedule(reminder())
    (asked,) = server.received
    assert (asked.method, asked.path) == ("POST", "/schedules/r1")
    assert "/eu-west-1/scheduler/aws4_request" in asked.headers["authorization"]
    assert asked.headers["x-amz-security-token"] == "token"
    body = json.loads(asked.body)
    assert json.loads(body["Target"].pop("Input")) == {"kind": "reminder", "user_id": "alice", "reminder_id": "r1"}
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
    assert (asked.method, asked.path, asked.body) == ("DELETE", "/schedules/r1?groupName=parley%20dev%2F1", b"")


@pytest.mark.parametrize("header", [True, False])
def test_what_was_there_or_gone_already_is_fine(serve: Serve, *, header: bool) -> None:
    there = answers(serve, refused(409, "ConflictException", header=header))
    clock(there).schedule(reminder())
    gone = answers(serve, refused(404, "ResourceNotFoundException", header=header))
    clock(gone).cancel("r1")
    assert [len(server.received) for server in (there, gone)] == [1, 1]


@pytest.mark.parametrize(
    "first",
    [
        refused(429, "ThrottlingException"),
        refused(500, "InternalServerException"),
        reply(503, b"<html>"),
        Reply(b"", "close"),
    ],
    ids=["throttled", "failed", "gateway", "lost"],
)
def test_what_fails_for_the_moment_is_tried_again(serve: Serve, first: Reply) -> None:
    slept: list[int] = []
    server = answers(serve, first, refused(409, "ConflictException"))
    clock(server, slept=slept).schedule(reminder())
    assert (len(server.received), len(slept)) == (2, 1)


def test_what_goes_on_failing_is_unavailable(serve: Serve) -> None:
    server = answers(serve, refused(429, "ThrottlingException"))
    with pytest.raises(Unavailable):
        clock(server).cancel("r1")
    assert len(server.received) == MAX_ATTEMPTS


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refused(404, "ResourceNotFoundException"), "ResourceNotFoundException"),  # no such group
        (refused(403, "AccessDeniedException"), "AccessDeniedException"),
        (reply(400, b"[]"), "HTTP400"),
    ],
)
def test_what_it_refuses_for_good_is_an_error(serve: Serve, answer: Reply, code: str) -> None:
    server = answers(serve, answer)
    with pytest.raises(ServiceError) as caught:
        clock(server).schedule(reminder())
    assert (caught.value.code, len(server.received)) == (code, 1)


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
