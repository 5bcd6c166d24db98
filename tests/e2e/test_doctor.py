"""The doctor and the commands for pushes, on the deployed stack: sound, and with faults that were planted into it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from local.stack import Stack
from ops.doctor.patient import PREFIX, Options, Patient
from ops.doctor.report import FAILED, OK, SKIPPED, WARNED, Report
from ops.doctor.run import STEPS, _patient, examine
from tests.e2e.conftest import OwnStack
from tests.e2e.pushes import android, pushed, received, until
from tests.e2e.raw_client import PATIENCE_S, http, new_users
from tests.e2e.test_failures import outage, private, queues, say, set_aside
from tests.local.emulated import client

# Where what other tests have done to the stack shows.
TRACES = frozenset({"logs", "failure-queues", "sources"})


def looked(own_stack: OwnStack, *names: str, device: tuple[str, str] | None = None) -> tuple[Report, Patient]:
    """These steps, or all of them, with what they need."""
    wanted = {one.name for one in STEPS} if not names else {*names, "cleaning"}
    for one in reversed(STEPS):
        wanted |= set(one.needs) if one.name in wanted else set()
    patient = _patient(own_stack.settings, Options(device=device), on_aws=False)
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
    troubled = [one for one in report.findings if one.verdict in {FAILED, WARNED} and one.name not in TRACES]
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


@dataclass(frozen=True)
class Fault:
    """A planted fault, which step has to find it, and words that its cause or what it saw must have."""

    step: str
    words: str
    plant: Callable[[OwnStack, Stack], contextlib.AbstractContextManager[None]]


@contextlib.contextmanager
def without_permission(own_stack: OwnStack, stack: Stack) -> Iterator[None]:
    """The role of `message` may not put into the log any more."""
    iam = client(own_stack.settings, "iam")
    role = next(
        one["RoleName"]
        for page in iam.get_paginator("list_roles").paginate()
        for one in page["Roles"]
        if "MessageRole" in one["RoleName"]
    )
    [name] = iam.list_role_policies(RoleName=role)["PolicyNames"]
    document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
    less = json.loads(json.dumps(document).replace('"dynamodb:PutItem", ', "", 1))
    assert less != document
    iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(less))
    try:
        yield
    finally:
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=json.dumps(document))


@contextlib.contextmanager
def with_another_secret(own_stack: OwnStack, stack: Stack) -> Iterator[None]:
    """The authorizer checks tokens with a secret that nobody signs with."""
    kept = client(own_stack.settings, "secretsmanager")
    arn = kept.create_secret(Name=f"other-{time.time_ns()}", SecretString="o" * 64)["ARN"]
    with outage(own_stack, "Authorizer", JWT_SECRET_ARN=arn):
        yield
    kept.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)


@contextlib.contextmanager
def with_another_endpoint(own_stack: OwnStack, stack: Stack) -> Iterator[None]:
    """Events are posted where nobody is."""
    with outage(own_stack, "Message", CONNECTIONS_ENDPOINT="http://localhost:9/_aws/execute-api/nobody/local"):
        yield


@contextlib.contextmanager
def with_a_source_off(own_stack: OwnStack, stack: Stack) -> Iterator[None]:
    """The queue of looks feeds nobody."""
    functions = client(own_stack.settings, "lambda")
    mappings = functions.list_event_source_mappings()["EventSourceMappings"]
    one = next(mapping for mapping in mappings if "Looks" in mapping["EventSourceArn"])
    functions.update_event_source_mapping(UUID=one["UUID"], Enabled=False)
    try:
        yield
    finally:
        functions.update_event_source_mapping(UUID=one["UUID"], Enabled=True)


@contextlib.contextmanager
def with_work_that_failed(own_stack: OwnStack, stack: Stack) -> Iterator[None]:
    """Something lies in a failure queue."""
    [described] = client(own_stack.settings, "cloudformation").describe_stacks(StackName="Parley-local")["Stacks"]
    urls = json.loads(next(one["OutputValue"] for one in described["Outputs"] if one["OutputKey"] == "FailureQueues"))
    sqs = client(own_stack.settings, "sqs")
    sqs.send_message(QueueUrl=urls["looks"], MessageBody='{"kind": "look"}')
    try:
        yield
    finally:
        sqs.purge_queue(QueueUrl=urls["looks"])


FAULTS = {
    "a permission that was taken away": Fault(
        "permissions", "Message may not dynamodb:PutItem on Log", without_permission
    ),
    "a wrong secret": Fault("functions", "Authorizer: JWT_SECRET_ARN", with_another_secret),
    "a wrong secret, as a user meets it": Fault("handshake-bearer", "reads another secret", with_another_secret),
    "a wrong endpoint": Fault("functions", "Message: CONNECTIONS_ENDPOINT", with_another_endpoint),
    "a wrong endpoint, as it answers": Fault("connections-endpoint", "does not answer", with_another_endpoint),
    "a source that is off": Fault("sources", "OfflinePush is not fed by", with_a_source_off),
    "work that failed": Fault("failure-queues", "looks: 1", with_work_that_failed),
}


@pytest.mark.parametrize("name", list(FAULTS))
def test_a_planted_fault_is_named_with_its_cause(own_stack: OwnStack, stack: Stack, name: str) -> None:
    fault = FAULTS[name]
    with fault.plant(own_stack, stack):
        report, _ = looked(own_stack, fault.step)
        finding = report.of(fault.step)
    assert finding.verdict in {FAILED, WARNED}
    assert fault.words in f"{finding.said} {finding.cause}"
    assert finding.cause
    assert finding.remedy
    assert report.is_well is (finding.verdict == WARNED)
    assert report.of("cleaning").verdict == OK


def command(own_stack: OwnStack, *arguments: str) -> tuple[int, str]:
    """A command's exit code, and what it shows."""
    done = subprocess.run(
        [sys.executable, "-m", "ops", *arguments],
        cwd=own_stack.settings.root,
        env=own_stack.environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
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
