"""The steps of an operator: each planted fault is named, with its cause and what to do about it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from ops.doctor import operating, watching
from ops.doctor.patient import Function, Patient
from ops.doctor.trouble import Doubt, Skip, Trouble
from ops.target import Resource, Target

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:"
OUTPUTS = {
    "WsUrl": "wss://ws1.execute-api.eu-west-1.amazonaws.com/prod",
    "HttpUrl": "https://http1.execute-api.eu-west-1.amazonaws.com",
    "LogTable": "log",
    "MembersTable": "members",
    "SessionsTable": "sessions",
    "TicketsTable": "tickets",
    "Bucket": "bucket",
    "Region": "eu-west-1",
    "JwtSecretArn": "arn:secret",
    "FailureQueues": json.dumps({"looks": "https://sqs/looks-failures", "fan-out": "https://sqs/fan-out-failures"}),
}
ENVIRONMENT = {
    "LOG_TABLE": "log",
    "MEMBERS_TABLE": "members",
    "JWT_SECRET_ARN": "arn:secret",
    "CONNECTIONS_ENDPOINT": "https://ws1.execute-api.eu-west-1.amazonaws.com/prod",
    "LOOK_QUEUE_URL": "https://sqs/looks",
    "FCM_QUEUE_URL": "",
}
RESOURCES = [
    ("AWS::ApiGatewayV2::Api", "WebSocketApi", "ws1"),
    ("AWS::SQS::Queue", "QueuesLooksQueue", "https://sqs/looks"),
    ("AWS::CloudWatch::Alarm", "Alarm", "alarm"),
]


def refusal(code: str, call: str = "Call") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 400}}, call)


@dataclass
class Client:
    """A service: what each of its calls answers; an exception is raised."""

    answers: Mapping[str, Any] = field(default_factory=dict)
    meta: Any = field(default_factory=lambda: SimpleNamespace(region_name="eu-west-1"))

    def __getattr__(self, name: str) -> Any:
        def call(**request: Any) -> Any:
            answer = self.answers[name]
            if isinstance(answer, Exception):
                raise answer
            return answer(**request) if callable(answer) else answer

        return call

    def get_paginator(self, name: str) -> Any:
        return SimpleNamespace(paginate=lambda **request: [getattr(self, name)(**request)])


TABLE = {
    "TableStatus": "ACTIVE",
    "KeySchema": [{"AttributeName": "seq", "KeyType": "HASH"}],
    "AttributeDefinitions": [{"AttributeName": "seq", "AttributeType": "N"}],
    "BillingModeSummary": {"BillingMode": "PAY_PER_REQUEST"},
    "DeletionProtectionEnabled": True,
}
BACKUPS = {"ContinuousBackupsDescription": {"PointInTimeRecoveryDescription": {"PointInTimeRecoveryStatus": "ENABLED"}}}
QUIET: dict[str, list[Any]] = {"Datapoints": []}
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def _changed(at: datetime) -> dict[str, datetime]:
    return {"CreatedDate": LONG_AGO, "LastChangedDate": at}


SOUND: dict[str, dict[str, Any]] = {
    "lambda": {
        "get_account_settings": {"AccountLimit": {"ConcurrentExecutions": 1000, "UnreservedConcurrentExecutions": 900}},
        "list_event_source_mappings": {
            "EventSourceMappings": [
                {"EventSourceArn": "arn:aws:sqs:eu-west-1:1:looks", "State": "Enabled"} for _ in range(5)
            ]
        },
    },
    "dynamodb": {"describe_table": {"Table": TABLE}, "get_item": {}, "describe_continuous_backups": BACKUPS},
    "cloudwatch": {
        "get_metric_statistics": QUIET,
        "describe_alarms": {
            "MetricAlarms": [{"AlarmName": "alarm", "StateValue": "OK", "AlarmActions": ["arn:topic"]}]
        },
    },
    "apigatewayv2": {
        "get_stages": {
            "Items": [
                {"StageName": "prod", "DeploymentId": "d1", "LastDeploymentStatusMessage": "Successfully deployed …"}
            ]
        },
        "get_deployment": {"DeploymentStatus": "DEPLOYED"},
        "get_routes": {"Items": [{"RouteKey": "$connect", "RouteId": "r1"}, {"RouteKey": "message", "RouteId": "r2"}]},
        "get_route_responses": {"Items": [{"RouteResponseKey": "$default"}]},
    },
    "sqs": {"get_queue_attributes": {"Attributes": {"ApproximateNumberOfMessages": "0"}}},
    "secretsmanager": {
        "get_secret_value": {"SecretString": "s" * 64},
        "describe_secret": _changed(LONG_AGO),
    },
}


def patient(
    *,
    environment: Mapping[str, str] | None = None,
    status: str = "UPDATE_COMPLETE",
    outputs: Mapping[str, str] = OUTPUTS,
    resources: Iterable[tuple[str, str, str]] = RESOURCES,
    log: Path | None = None,
    **answers: Mapping[str, Any],
) -> Patient:
    """One that is well but for what is given, in AWS; a service's answers by their calls."""
    clients = {name: Client(SOUND.get(name, {}) | dict(answers.get(name, {}))) for name in {*SOUND, *answers}}
    one = Patient(Target("Parley-prod", lambda name: clients[name], 0), "run", log=log)
    configuration = {
        "FunctionArn": f"{ARN}message",
        "Runtime": "python3.13",
        "Architectures": ["arm64"],
        "Environment": {"Variables": {**ENVIRONMENT, **(environment or {})}},
        "Role": "arn:aws:iam::1:role/message",
        "State": "Active",
        "LastUpdateStatus": "Successful",
    }
    known: dict[str, Any] = {
        "stack": {"StackStatus": status, "CreationTime": LONG_AGO},
        "outputs": outputs,
        "resources": [Resource(*one) for one in resources],
        "functions": {"Message": Function("Message", "message", configuration)},
    }
    one.__dict__.update(known)  # as if they had been asked for
    return one


def came_to(step: Any, one: Patient) -> tuple[str, str]:
    """`ok` and what was seen; or how it ended, and all that was said of it."""
    try:
        return "ok", asyncio.run(step(one))
    except Doubt as doubt:
        return "warned", f"{doubt.said} | {doubt.cause} | {doubt.remedy}"
    except Trouble as trouble:
        return "failed", f"{trouble.said} | {trouble.cause} | {trouble.remedy}"
    except Skip as reason:
        return "skipped", str(reason)


STEPS = {
    "configuration": operating.configuration,
    "quotas": operating.quotas,
    "functions": operating.functions,
    "gateways": operating.gateways,
    "tables": watching.tables,
    "sources": watching.sources,
    "failure_queues": watching.failure_queues,
    "alarms": watching.alarms,
    "secrets": operating.secrets,
    "lag": watching.lag,
    "durations": watching.durations,
    "domain": operating.domain,
}


def test_where_nothing_is_wrong_nothing_is_said_to_be() -> None:
    found = {
        name: came_to(step, patient(lambda_={}))[0] for name, step in STEPS.items() if name not in {"lag", "domain"}
    }
    assert set(found.values()) == {"ok"}, found
    assert came_to(operating.domain, patient())[0] == "skipped"


THROTTLED = refusal("ProvisionedThroughputExceededException", "GetItem")
PROVISIONED = {"Table": {**TABLE, "BillingModeSummary": {}}}
UNPROTECTED = {"Table": {**TABLE, "DeletionProtectionEnabled": False}}
OFF = {"EventSourceMappings": [{"EventSourceArn": "arn:aws:sqs:eu-west-1:1:looks", "State": "Disabled"}] * 5}
FAILING = {
    "EventSourceMappings": [
        {
            "EventSourceArn": "arn:x:dynamodb:y:1:table/log/stream/z",
            "State": "Enabled",
            "LastProcessingResult": "PROBLEM: x",
        }
    ]
    * 5
}
FEW: dict[str, list[Any]] = {"EventSourceMappings": []}
UNDEPLOYED = {"DeploymentStatus": "FAILED", "DeploymentStatusMessage": "Unable to deploy API"}
SMALL = {"AccountLimit": {"ConcurrentExecutions": 10, "UnreservedConcurrentExecutions": 10}}
RINGING = {"MetricAlarms": [{"AlarmName": "alarm", "StateValue": "ALARM"}]}
UNHEARD = {"MetricAlarms": [{"AlarmName": "alarm", "StateValue": "OK"}]}
LATE = {"Datapoints": [{"Sum": 7.0, "Maximum": 120_000.0, "Average": 9.0}]}
NO_SECRET = refusal("ResourceNotFoundException", "GetSecretValue")
SHORT = {"SecretString": "short"}

CASES: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "a deployment that failed": ("configuration", "failed", "ROLLBACK", {"status": "UPDATE_ROLLBACK_COMPLETE"}),
    "an older version": ("configuration", "failed", "FailureQueues", {"outputs": {**OUTPUTS} | {"FailureQueues": ""}}),
    "a new account": (
        "quotas",
        "warned",
        "quota is small: all functions together run 10 at a time and 100 times a second",
        {"lambda": {"get_account_settings": SMALL}},
    ),
    "a deployment that the gateway has not put into effect": (
        "gateways",
        "failed",
        "WebSocketApi: Unable to deploy",
        {"apigatewayv2": {"get_deployment": UNDEPLOYED}},
    ),
    "a stage without a deployment": (
        "gateways",
        "failed",
        "the deployment is missing",
        {"apigatewayv2": {"get_stages": {"Items": [{"StageName": "prod"}]}}},
    ),
    "a route whose replies are dropped": (
        "gateways",
        "failed",
        "no replies on message",
        {"apigatewayv2": {"get_route_responses": {"Items": []}}},
    ),
    "another table": ("functions", "failed", "LOG_TABLE is not the stack's", {"environment": {"LOG_TABLE": "other"}}),
    "another queue": (
        "functions",
        "failed",
        "LOOK_QUEUE_URL",
        {"environment": {"LOOK_QUEUE_URL": "https://sqs/other"}},
    ),
    "another secret": ("functions", "failed", "JWT_SECRET_ARN", {"environment": {"JWT_SECRET_ARN": "arn:other"}}),
    "another endpoint": (
        "functions",
        "failed",
        "CONNECTIONS_ENDPOINT",
        {"environment": {"CONNECTIONS_ENDPOINT": "https://ws2.execute-api.eu-west-1.amazonaws.com/prod"}},
    ),
    "an emulator's address": (
        "functions",
        "failed",
        "AWS_ENDPOINT_URL",
        {"environment": {"AWS_ENDPOINT_URL": "http://localhost:4577"}},
    ),
    "a throttled table": (
        "tables",
        "failed",
        "LogTable is throttled: ProvisionedThroughput",
        {"dynamodb": {"get_item": THROTTLED}},
    ),
    "a table of fixed capacity": ("tables", "warned", "fixed capacity", {"dynamodb": {"describe_table": PROVISIONED}}),
    "a table without protection": (
        "tables",
        "warned",
        "goes with the stack",
        {"dynamodb": {"describe_table": UNPROTECTED}},
    ),
    "a table that was throttled": (
        "tables",
        "warned",
        "throttled 14 times",
        {"cloudwatch": {"get_metric_statistics": LATE}},
    ),
    "a source that is off": (
        "sources",
        "failed",
        "not fed by looks: Disabled",
        {"lambda": {"list_event_source_mappings": OFF}},
    ),
    "a source that fails": (
        "sources",
        "warned",
        "table/log: PROBLEM",
        {"lambda": {"list_event_source_mappings": FAILING}},
    ),
    "no sources": ("sources", "failed", "only 0 event sources", {"lambda": {"list_event_source_mappings": FEW}}),
    "failed work": (
        "failure_queues",
        "warned",
        "looks: 3",
        {"sqs": {"get_queue_attributes": {"Attributes": {"ApproximateNumberOfMessages": "3"}}}},
    ),
    "an alarm that rings": ("alarms", "warned", "ringing: alarm", {"cloudwatch": {"describe_alarms": RINGING}}),
    "alarms that nobody hears": ("alarms", "warned", "alarm_topic_arn", {"cloudwatch": {"describe_alarms": UNHEARD}}),
    "an alarm that is gone": (
        "alarms",
        "failed",
        "are gone",
        {"cloudwatch": {"describe_alarms": {"MetricAlarms": []}}},
    ),
    "a secret that is gone": ("secrets", "failed", "is not there", {"secretsmanager": {"get_secret_value": NO_SECRET}}),
    "a secret that is short": ("secrets", "failed", "5 bytes", {"secretsmanager": {"get_secret_value": SHORT}}),
    "a secret that was just changed": (
        "secrets",
        "warned",
        "within the last five minutes",
        {"secretsmanager": {"describe_secret": lambda **_: _changed(datetime.now(UTC))}},
    ),
    "a service that may not be asked": (
        "quotas",
        "warned",
        "may not",
        {"lambda": {"get_account_settings": refusal("AccessDeniedException")}},
    ),
    "a service that refuses": (
        "quotas",
        "failed",
        "InternalError",
        {"lambda": {"get_account_settings": refusal("InternalError")}},
    ),
    "a service that is not reached": (
        "quotas",
        "failed",
        "not reached: EndpointConnectionError",
        {"lambda": {"get_account_settings": EndpointConnectionError(endpoint_url="https://x")}},
    ),
}


@pytest.mark.parametrize("name", list(CASES))
def test_a_fault_is_named_with_its_cause_and_what_to_do(name: str) -> None:
    step, verdict, words, fault = CASES[name]
    if name == "an older version":
        fault = {"outputs": {key: value for key, value in OUTPUTS.items() if key != "FailureQueues"}}
    found, said = came_to(STEPS[step], patient(**fault))
    assert (found, words in said) == (verdict, True), said
    assert all(part.strip() for part in said.split(" | ")), said


def test_how_long_functions_take_is_asked_for_once_and_averaged_over_all_invocations() -> None:
    asked: list[tuple[str, tuple[str, ...]]] = []

    def statistics(**request: Any) -> dict[str, Any]:
        asked.append((request["MetricName"], tuple(request["Statistics"])))
        if request["MetricName"] != "Duration":
            return QUIET
        few, many = (
            {"Maximum": 900.0, "Sum": 900.0, "SampleCount": 1.0},
            {"Maximum": 20.0, "Sum": 990.0, "SampleCount": 99.0},
        )
        return {"Datapoints": [few, many]}

    found = came_to(watching.durations, patient(cloudwatch={"get_metric_statistics": statistics}))
    assert found == ("ok", "Message 19 ms on average, 900 at most")
    assert asked == [("Throttles", ("Sum",)), ("Duration", ("Maximum", "Sum", "SampleCount"))]


@pytest.mark.parametrize(("quota", "verdict"), [(1_000, "ok"), (999, "warned"), (100, "warned")])
def test_a_quota_is_small_where_a_deployment_calls_it_so(quota: int, verdict: str) -> None:
    limit = {"AccountLimit": {"ConcurrentExecutions": quota, "UnreservedConcurrentExecutions": quota}}
    answers: dict[str, Any] = {"lambda": {"get_account_settings": limit}}
    assert came_to(operating.quotas, patient(**answers))[0] == verdict


@pytest.mark.parametrize(
    ("state", "update", "verdict"),
    [
        ("Active", "Successful", "ok"),
        ("Inactive", "Successful", "ok"),  # nobody has asked for it for weeks
        ("Pending", "InProgress", "warned"),
        ("Active", "InProgress", "warned"),
        ("Failed", "Successful", "failed"),
        ("Active", "Failed", "failed"),
    ],
)
def test_a_function_that_is_being_changed_is_none_that_is_wrong(state: str, update: str, verdict: str) -> None:
    one = patient()
    message = one.functions["Message"]
    changed = {**message.configuration, "State": state, "LastUpdateStatus": update}
    one.functions["Message"] = Function("Message", "message", changed)
    assert came_to(operating.functions, one)[0] == verdict


def test_posts_through_a_domain_of_ones_own_are_right() -> None:
    environment = {"CONNECTIONS_ENDPOINT": "https://chat.example.com/"}
    outputs = {**OUTPUTS, "WsUrl": "wss://chat.example.com"}
    assert came_to(operating.functions, patient(environment=environment, outputs=outputs))[0] == "ok"


@pytest.mark.parametrize(
    ("text", "verdict", "words"),
    [
        ('{"project_id": "p", "client_email": "e", "private_key": "-----BEGIN PRIVATE KEY-----"}', "ok", "fcm"),
        ('{"project_id": "p", "client_email": "e", "private_key": "x"}', "failed", "not a PEM"),
        ('{"project_id": "p"}', "failed", "client_email"),
        ("a key", "failed", "as JSON"),
    ],
)
def test_a_providers_secret_is_looked_into(text: str, verdict: str, words: str) -> None:
    one = patient(secretsmanager={"get_secret_value": {"SecretString": text}})
    one.__dict__["outputs"] = {name: value for name, value in OUTPUTS.items() if name != "JwtSecretArn"}
    configuration = {"Environment": {"Variables": {"FCM_SECRET_ARN": "arn:fcm"}}}
    one.functions["OfflinePush"] = Function("OfflinePush", "push", configuration)
    found, said = came_to(operating.secrets, one)
    assert (found, words in said) == (verdict, True), said
    assert text in one.secrets  # which keeps it out of the report


def line(function: str, said: Mapping[str, Any] | str, at: float) -> str:
    written = said if isinstance(said, str) else json.dumps(said)
    entry = {"time": datetime.fromtimestamp(at, UTC).isoformat(), "function": function, "line": written}
    return json.dumps(entry) + "\n"


MESSAGE = "Parley-local-WebSocketMessageFunction0A1B2C3D-x1Y2"


def test_the_cause_of_what_a_client_meets_is_what_functions_noted_meanwhile(tmp_path: Path) -> None:
    log, now = tmp_path / "functions.log", time.time()
    denied = {"level": "ERROR", "message": "refused", "call": "dynamodb:PutItem", "code": "AccessDeniedException"}
    old = {"level": "ERROR", "message": "before", "call": "x:Y", "code": "Old"}
    with log.open("w", encoding="utf-8") as lines:
        lines.write(line(MESSAGE, old, now - 100))
        lines.write(line(MESSAGE, {"level": "INFO", "message": "request"}, now))
        for _ in range(3):
            lines.write(line(MESSAGE, denied, now))
        lines.write(line(MESSAGE, "Task timed out after 29 seconds", now))
        lines.write("half a line")
    one = patient(log=log)
    cause, remedy = one.cause(now - 1)
    assert "Message: refused dynamodb:PutItem AccessDeniedException (3 times)" in cause
    assert "Task timed out" in cause
    assert "Old" not in cause
    assert "`permissions`" in remedy


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ({"code": "ProvisionedThroughputExceededException", "call": "dynamodb:Query"}, "capacity"),
        ({"code": "ResourceNotFoundException", "call": "secretsmanager:GetSecretValue"}, "`secrets`"),
        ({"code": "DnsError", "class": "unreachable"}, "endpoints"),
    ],
)
def test_each_kind_of_refusal_has_its_remedy(tmp_path: Path, said: dict[str, Any], hint: str) -> None:
    log, now = tmp_path / "functions.log", time.time()
    log.write_text(line(MESSAGE, {"level": "ERROR", "message": "refused", **said}, now), encoding="utf-8")
    cause, remedy = patient(log=log).cause(now)
    assert said["code"] in cause
    assert hint in remedy


def test_nothing_that_people_wrote_gets_into_a_cause(tmp_path: Path) -> None:
    log, now = tmp_path / "functions.log", time.time()
    said = {
        "level": "ERROR",
        "message": "work not done",
        "reason": "the canary „text“ of a message",
        "content": "canary",
    }
    log.write_text(line(MESSAGE, said, now), encoding="utf-8")
    assert patient(log=log).cause(now)[0] == "Message: work not done"


def test_where_functions_are_silent_it_says_where_to_look(tmp_path: Path) -> None:
    cause, remedy = patient(log=tmp_path / "none").cause(time.time())
    assert cause == "No function has noted anything"
    assert "permissions" in remedy
    assert cast("Any", patient(log=tmp_path / "none")).on_aws is False
