"""The doctor and the commands for pushes, on the deployed stack."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from local.settings import REGION
from local.stack import Stack
from ops.doctor.patient import PREFIX, Options, Patient
from ops.doctor.report import FAILED, OK, SKIPPED, WARNED, Report
from ops.doctor.run import STEPS, _patient, examine
from ops.target import connect
from tests.e2e.conftest import OwnStack
from tests.e2e.pushes import android, pushed, received, until
from tests.e2e.raw_client import PATIENCE_S, http, new_users
from tests.e2e.test_failures import outage, private, queues, say, set_aside
from tests.local.emulated import client

# Where what other tests have done to the stack shows.
TRACES = frozenset({"logs", "failure-queues", "sources", "webhooks"})


def looked(
    own_stack: OwnStack, *names: str, device: tuple[str, str] | None = None, aws: str | None = None
) -> tuple[Report, Patient]:
    """These steps, or all of them, with what they need; `aws`: where AWS is, if not where it always is."""
    wanted = {one.name for one in STEPS} if not names else {*names, "cleaning"}
    for one in reversed(STEPS):
        wanted |= set(one.needs) if one.name in wanted else set()
    patient = _patient(own_stack.settings, Options(device=device), on_aws=False)
    if aws:
        patient.target = replace(patient.target, connect=connect(aws, REGION))
    return examine(patient, tuple(one for one in STEPS if one.name in wanted)), patient


def rows(own_stack: OwnStack, stack: Stack) -> list[str]:
    """All rows with something of a doctor's in them."""
    dynamodb = client(own_stack.settings, "dynamodb")
    tables = (stack.tables.log, stack.tables.members, stack.tables.sessions, stack.tables.tickets)
    pages = [page for table in tables for page in dynamodb.get_paginator("scan").paginate(TableName=table)]
    return [str(item) for page in pages for item in page["Items"] if PREFIX in str(item)]


def test_a_sound_stack_is_well_and_is_left_as_it_was(
    own_stack: OwnStack, stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    report, patient = looked(own_stack)
    verdicts = {one.name: one.verdict for one in report.findings}
    # A machine that runs other tests at the same time may be slow, and is told so.
    troubled = [
        one
        for one in report.findings
        if one.verdict in {FAILED, WARNED} and one.name not in TRACES and not one.cause.startswith("That is slow")
    ]
    assert troubled == []
    assert [name for name, verdict in verdicts.items() if verdict == SKIPPED] == [
        "domain",
        "push-device",
        "idle",
        "again",
        "lag",
        "durations",
        "access-logs",
    ]
    assert [row for row in rows(own_stack, stack) if patient.run in row] == []
    written = report.as_json() + report.as_markdown() + capsys.readouterr().out
    assert patient.secrets
    assert not [secret for secret in patient.secrets if secret in written]
    assert "eyJ" not in written


def command(own_stack: OwnStack, *arguments: str, within_s: float = PATIENCE_S) -> tuple[int, str]:
    """A command's exit code, and what it shows."""
    done = subprocess.run(
        [sys.executable, "-m", "ops", *arguments],
        cwd=own_stack.settings.root,
        env=own_stack.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=within_s,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def missed(own_stack: OwnStack, stack: Stack, sender: str, to: str) -> int:
    """The seq of a message that the push function failed to look at, and whose record nobody has any more."""
    sqs, url = client(own_stack.settings, "sqs"), queues(own_stack)["stream-records"]
    sqs.purge_queue(QueueUrl=url)
    with outage(own_stack, "OfflinePush", FCM_QUEUE_URL=f"{stack.endpoint_url}/000000000000/nowhere"):
        seq = say(stack, sender, to)
        asyncio.run(until(lambda: set_aside(own_stack, "stream-records")))
    sqs.purge_queue(QueueUrl=url)
    return seq


def test_what_was_missed_in_an_outage_is_shown_pushed_once_and_then_is_nothing_any_more(
    own_stack: OwnStack, stack: Stack
) -> None:
    alice, bob = new_users(2)
    token = android(stack, bob)
    seq = missed(own_stack, stack, alice, bob)
    code, shown = command(own_stack, "missed-pushes", "--since", "1h", "--dry")
    assert code == 0
    assert f"{bob}: {private(alice, bob)} {seq}\n" in shown
    assert "hello" not in shown
    assert received(stack, token) == []
    assert command(own_stack, "missed-pushes", "--since", "1h")[0] == 0
    assert len(asyncio.run(pushed(stack, token))) == 1
    assert bob not in command(own_stack, "missed-pushes", "--since", "1h", "--dry")[1]


def test_the_schedules_event_has_the_function_look_by_itself(own_stack: OwnStack, stack: Stack) -> None:
    """As EventBridge puts it on the queue; of what is an hour old, which nothing here is."""
    sqs = client(own_stack.settings, "sqs")
    queue = next(url for url in sqs.list_queues()["QueueUrls"] if "LooksQueue" in url)
    alice, bob = new_users(2)
    token = android(stack, bob)
    missed(own_stack, stack, alice, bob)
    now = int(time.time() * 1_000)
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"source": "aws.events", "detail-type": "Scheduled Event"}))
    part: dict[str, Any] = {"kind": "sweep", "since": now - 600_000, "until": now, "after": None}
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(part))
    assert len(asyncio.run(pushed(stack, token))) == 1


def test_why_a_device_got_nothing(own_stack: OwnStack, stack: Stack) -> None:
    alice, bob = new_users(2)
    place = private(alice, bob)

    def says(code: int | None = None) -> str:
        found, shown = command(own_stack, "push-doctor", "--user", bob)
        assert code in {None, found}, shown
        return shown

    assert "no device is registered" in says(1)
    token = android(stack, bob)
    seq = say(stack, alice, bob)
    asyncio.run(pushed(stack, token))
    assert f"{place} {seq}" in (shown := says())
    assert "pushed to android" in shown
    assert "hello" not in shown
    assert token not in shown
    path = f"/v1/conversations/{place}"
    cases: Sequence[tuple[str, str, dict[str, Any], str]] = (
        ("PATCH", f"{path}/settings", {"notify": "mentions"}, "notify: mentions"),
        ("PATCH", f"{path}/settings", {"notify": "all", "muted_until": 2**52}, "muted"),
        ("PUT", f"/v1/blocks/{alice}", {}, "is blocked"),
        ("POST", f"{path}/read", {"seq": seq}, "has been read"),
    )
    for method, where, body, words in cases:
        status, answer = http(stack, method, where, user_id=bob, body=body or None)
        assert status in {200, 201, 204}, answer
        assert words in says(), words
        if where.startswith("/v1/blocks"):
            http(stack, "DELETE", where, user_id=bob)


def test_a_push_to_a_device_that_is_named(own_stack: OwnStack, stack: Stack) -> None:
    [bob] = new_users(1)
    report, _ = looked(own_stack, "push-device", device=(bob, "android"))
    assert (report.of("push-device").verdict, "has no device android" in report.of("push-device").said) == (
        FAILED,
        True,
    )
    token = android(stack, bob)
    report, _ = looked(own_stack, "push-device", device=(bob, "android"))
    assert report.of("push-device").verdict == OK, report.of("push-device")
    assert len(received(stack, token)) == 1
    assert http(stack, "GET", "/v1/notifications", user_id=bob)[1]["notifications"] == []
