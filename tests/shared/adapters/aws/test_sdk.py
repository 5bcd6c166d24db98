"""boto3 as we call it: bounded, repeated by us, and its errors ours."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from shared.adapters.aws.calls import GIVE_UP_AFTER_S, MAX_ATTEMPTS, ServiceError
from shared.adapters.aws.s3 import s3
from shared.adapters.aws.scheduler import scheduler
from shared.adapters.aws.sdk import Sdk
from shared.adapters.aws.transport import CONNECT_TIMEOUT_S, READ_TIMEOUT_S, TransportError
from shared.clock import Deadline
from shared.config import AwsEnvironment
from shared.errors import Unavailable
from shared.observability import describe
from tests.calls import Unslept
from tests.shared.adapters.aws.servers import Reply, ScriptedServer, reply
from tests.shared.adapters.conftest import Serve


def sdk_at(url: str, deadline: Deadline) -> Sdk:
    return Sdk("scheduler", AwsEnvironment("eu-west-1", "AKID", "secret", "token", url), deadline)


def ask(client: Any) -> Any:
    return client.get_schedule(Name="one")


def answers(serve: Serve, *replies: Reply) -> ScriptedServer:
    """One after the other, and the last of them for ever."""
    waiting = list(replies)
    return serve(lambda _: waiting.pop(0) if len(waiting) > 1 else waiting[0])


def refused(status: int, code: str) -> Reply:
    return reply(status, b'{"Message":"no"}', headers=f"x-amzn-ErrorType: {code}:http://internal/\r\n")


@pytest.mark.parametrize(("made", "read_timeout"), [(s3, 20.0), (scheduler, READ_TIMEOUT_S)])
def test_every_client_is_bounded_and_repeats_nothing_itself(made: Any, read_timeout: float) -> None:
    config = made(AwsEnvironment("eu-west-1", "AKID", "secret", "", "")).client.meta.config
    assert (config.connect_timeout, config.read_timeout) == (CONNECT_TIMEOUT_S, read_timeout)
    assert config.retries == {"mode": "standard", "total_max_attempts": 1}


@pytest.mark.parametrize(
    ("service", "region", "url"),
    [
        ("scheduler", "eu-west-1", "https://scheduler.eu-west-1.amazonaws.com"),
        ("scheduler", "cn-north-1", "https://scheduler.cn-north-1.amazonaws.com.cn"),
        ("s3", "us-east-1", "https://s3.us-east-1.amazonaws.com"),
    ],
)
def test_without_an_endpoint_the_regions_own_is_called(service: str, region: str, url: str) -> None:
    made = {"s3": s3, "scheduler": scheduler}[service](AwsEnvironment(region, "AKID", "secret", "", ""))
    assert made.client.meta.endpoint_url == url


def test_it_signs_with_the_credentials_of_the_environment_and_asks_no_proxy(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    server = answers(serve, reply())
    sdk_at(server.url, Unslept()).call(ask)
    (asked,) = server.received
    assert "Credential=AKID/" in asked.headers["authorization"]
    assert "/eu-west-1/scheduler/aws4_request" in asked.headers["authorization"]
    assert asked.headers["x-amz-security-token"] == "token"


@pytest.mark.parametrize(
    "trouble",
    [
        refused(429, "ThrottlingException"),
        refused(500, "InternalServerException"),
        refused(400, "ThrottlingException"),
        reply(503, b"<html>"),
        Reply(b"", "close"),
        Reply(b"", "reset"),
    ],
    ids=["throttled", "failed", "throttled by name", "gateway", "closed", "reset"],
)
def test_what_passes_is_asked_again_and_what_does_not_is_unavailable(serve: Serve, trouble: Reply) -> None:
    deadline = Unslept()
    server = answers(serve, trouble, reply(body=b'{"Name":"one"}'))
    assert sdk_at(server.url, deadline).call(ask)["Name"] == "one"
    assert (len(server.received), deadline.pauses) == (2, [0])
    never = answers(serve, trouble)
    with pytest.raises(Unavailable):
        sdk_at(never.url, deadline).call(ask)
    assert len(never.received) == MAX_ATTEMPTS


def test_what_cannot_be_reached_is_unavailable(serve: Serve) -> None:
    server = answers(serve, reply())
    server.close()
    with pytest.raises(Unavailable) as raised:
        sdk_at(server.url, Unslept()).call(ask)
    assert isinstance(raised.value.__cause__, TransportError)


def test_what_hangs_is_given_up_after_the_time_for_reading_and_asked_again(serve: Serve) -> None:
    waiting = [Reply(b"", "hang"), reply(body=b'{"Name":"one"}')]
    server = serve(lambda _: waiting.pop(0))
    environment = AwsEnvironment("eu-west-1", "AKID", "secret", "", server.url)
    assert Sdk("scheduler", environment, Unslept(), read_timeout_s=0.05).call(ask)["Name"] == "one"


def test_retries_end_with_the_time_for_them(serve: Serve) -> None:
    server = answers(serve, reply(503))
    times = iter([0.0, GIVE_UP_AFTER_S, GIVE_UP_AFTER_S + 1])
    environment = AwsEnvironment("eu-west-1", "AKID", "secret", "", server.url)
    with pytest.raises(Unavailable):
        Sdk("scheduler", environment, Unslept(), monotonic=lambda: next(times)).call(ask)
    assert len(server.received) == 2


def test_nothing_is_asked_when_the_invocations_time_is_up(serve: Serve) -> None:
    server = answers(serve, reply())
    now = 0.0
    deadline = Deadline(10, grace_s=4, monotonic=lambda: now)
    deadline.begin()
    now = 14.1
    with pytest.raises(Unavailable):
        sdk_at(server.url, deadline).call(ask)
    assert not server.received


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (refused(403, "AccessDeniedException"), "AccessDeniedException"),
        (refused(404, "ResourceNotFoundException"), "ResourceNotFoundException"),
        (reply(400, b'{"__type":"com.amazonaws.scheduler#ValidationException"}'), "ValidationException"),
    ],
)
def test_what_is_refused_for_good_is_an_error_and_the_log_has_the_call_and_the_code(
    serve: Serve, answer: Reply, code: str
) -> None:
    server = answers(serve, answer)
    with pytest.raises(ServiceError) as raised:
        sdk_at(server.url, Unslept()).call(ask)
    assert (raised.value.code, raised.value.call, len(server.received)) == (code, "scheduler:GetSchedule", 1)
    described = describe(raised.value)
    assert (described["call"], described["code"]) == ("scheduler:GetSchedule", code)


def test_a_mistake_of_ours_is_no_matter_of_the_network() -> None:
    with pytest.raises(Exception, match="Missing required parameter"):
        sdk_at("http://127.0.0.1:9", Unslept()).call(lambda client: client.get_schedule())


def test_adapters_are_made_without_it() -> None:
    """It comes with the first call: those who never make one never pay."""
    code = """
import sys
from shared.adapters.aws.s3 import S3Objects, s3
from shared.adapters.aws.scheduler import EventBridgeReminderScheduler, scheduler
from shared.config import AwsEnvironment
environment = AwsEnvironment("eu-west-1", "key", "secret", "", "")
S3Objects(s3(environment), bucket="files")
EventBridgeReminderScheduler(scheduler(environment), group="g", queue_arn="q", role_arn="r")
assert not {"boto3", "botocore", "urllib3"} & {name.partition(".")[0] for name in sys.modules}
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
