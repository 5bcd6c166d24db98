"""What services do to functions and queues, and whether the policies there let them: API Gateway and EventBridge.

Lambda's own pollers need none of that: they act with the function's role.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.aws.deployment import Deployment, Unresolvable
from tests.aws.permissions import matches

_GATEWAY: Final = "apigateway.amazonaws.com"
_EVENTS: Final = "events.amazonaws.com"
_INVOKED: Final = re.compile(r"functions/(arn:[^/]+)/invocations$")


@dataclass(frozen=True)
class Invocation:
    """A service that invokes a function, or sends to a queue, on behalf of something."""

    service: str
    target: str
    source: str


@dataclass(frozen=True)
class Granted:
    """A resource of type AWS::Lambda::Permission, or what a queue's policy allows."""

    name: str
    service: str
    target: str
    source: str


def invocations(deployment: Deployment) -> Iterator[Invocation]:
    """What the template has services do."""
    integrations = {
        name: str(deployment.value(one["IntegrationUri"]))
        for name, one in deployment.of("AWS::ApiGatewayV2::Integration")
    }
    for _, route in deployment.of("AWS::ApiGatewayV2::Route"):
        integration = next(name for name in integrations if {"Ref": name} in _within(route["Target"]))
        yield Invocation(_GATEWAY, _function(integrations[integration]), _route(deployment, route))
    for name, authorizer in deployment.of("AWS::ApiGatewayV2::Authorizer"):
        source = f"{_api(deployment, authorizer)}/authorizers/{deployment.name(name)}"
        yield Invocation(_GATEWAY, _function(str(deployment.value(authorizer["AuthorizerUri"]))), source)
    for name, rule in deployment.of("AWS::Events::Rule"):
        for target in rule["Targets"]:
            yield Invocation(_EVENTS, str(deployment.value(target["Arn"])), deployment.arn(name))
            if "DeadLetterConfig" in target:
                yield Invocation(
                    _EVENTS, str(deployment.value(target["DeadLetterConfig"]["Arn"])), deployment.arn(name)
                )


def granted(deployment: Deployment) -> Iterator[Granted]:
    for name, one in deployment.of("AWS::Lambda::Permission"):
        assert one["Action"] == "lambda:InvokeFunction", name
        function, source = str(deployment.value(one["FunctionName"])), str(deployment.value(one["SourceArn"]))
        yield Granted(name, str(one["Principal"]), function, source)
    for name, policy in deployment.of("AWS::SQS::QueuePolicy"):
        for number, statement in enumerate(policy["PolicyDocument"]["Statement"]):
            if statement["Effect"] == "Allow":
                yield _to_send(f"{name} {number}", deployment.value(statement))


def _to_send(name: str, statement: Mapping[str, Any]) -> Granted:
    """Of a queue's policy: whom it lets send, for what. That is exact, or not understood here."""
    match statement:
        case {  # the CDK lets a rule look at its queue, too
            "Action": "sqs:SendMessage" | ["sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"],
            "Principal": {"Service": str(service)},
            "Resource": str(queue),
            "Condition": {"ArnEquals": {"aws:SourceArn": str(source)}},
        }:
            return Granted(name, service, queue, source)
    raise Unresolvable(str(statement))


def lets(permission: Granted, invocation: Invocation) -> bool:
    return (permission.service, permission.target) == (invocation.service, invocation.target) and matches(
        permission.source, invocation.source
    )


def _api(deployment: Deployment, of: Mapping[str, Any]) -> str:
    api = deployment.value(of["ApiId"])
    return f"arn:aws:execute-api:{deployment.region}:{deployment.account}:{api}"


def _route(deployment: Deployment, route: Mapping[str, Any]) -> str:
    """A request of a route as the policy sees it: of a WebSocket API its key, of an HTTP API method and path."""
    [stage] = [
        one["StageName"] for _, one in deployment.of("AWS::ApiGatewayV2::Stage") if one["ApiId"] == route["ApiId"]
    ]
    api = deployment.resources[route["ApiId"]["Ref"]]["Properties"]
    key = str(route["RouteKey"])
    if api["ProtocolType"] == "HTTP":
        key = "GET/v1/health" if key == "$default" else key.replace(" ", "")
    return f"{_api(deployment, route)}/{deployment.value(stage)}/{key}"


def _function(uri: str) -> str:
    found = _INVOKED.search(uri)
    return found[1] if found else uri


def _within(value: Any) -> Iterator[Any]:
    yield value
    for one in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _within(one)
