"""What a call needs of its caller's role, and whether the role gives it: as IAM decides.

Some permissions no call of ours needs: the services act with a function's role, too, to poll its queues and streams, to
write its log, to set failures aside. Those the template itself asks for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

from tests.aws.calls import Call
from tests.aws.deployment import FUNCTION, Deployment, Statement, Unresolvable, listed

_POLLING: Final = {
    "sqs": ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes"),
    "dynamodb": ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams"),
}
_NOT_FOUND: Final = 404


@dataclass(frozen=True)
class Need:
    """That a principal (a role) may do this to that. `why` is for the one who reads that it may not."""

    principal: str
    action: str
    resource: str
    context: tuple[tuple[str, str], ...] = ()
    why: str = field(default="", compare=False)


# -- what is needed ---------------------------------------------------------------------------------------------------


def needs(call: Call, deployment: Deployment) -> Iterator[Need]:
    """Raises Unresolvable for a call of which nobody has said yet what it needs."""
    role = deployment.role_of(deployment.named(FUNCTION, call.function))
    maker = _NEEDS.get(call.service)
    if maker is None:
        raise Unresolvable(f"what {call.service}:{call.operation} needs")
    for action, resource, context in maker(call, deployment):
        yield Need(role, action, resource, tuple(sorted(context.items())), f"{call.function}: {call}")
    if call.operation == "CreateSchedule":
        target = call.parameters["Target"]
        taken = deployment.named("AWS::IAM::Role", target["RoleArn"].rpartition("/")[2])
        yield Need(taken, "sqs:SendMessage", target["Arn"], (), f"a schedule of {call.function}")


Asked = tuple[str, str, Mapping[str, str]]
_NOTHING: Final[Mapping[str, str]] = {}


def _dynamodb(call: Call, deployment: Deployment) -> Iterator[Asked]:
    def at(table: str, request: Mapping[str, Any] = _NOTHING) -> str:
        index = request.get("IndexName")
        return f"arn:aws:dynamodb:{call.region}:{deployment.account}:table/{table}" + (
            f"/index/{index}" if index else ""
        )

    request = call.parameters
    if call.operation in {"TransactWriteItems", "TransactGetItems"}:
        for part in request["TransactItems"]:
            ((kind, one),) = part.items()
            action = kind if kind == "ConditionCheck" else f"{kind}Item"
            yield f"dynamodb:{action.replace('ConditionCheck', 'ConditionCheckItem')}", at(one["TableName"]), _NOTHING
    elif call.operation in {"BatchGetItem", "BatchWriteItem"}:
        for table in request["RequestItems"]:
            yield f"dynamodb:{call.operation}", at(table), _NOTHING
    else:
        yield f"dynamodb:{call.operation}", at(request["TableName"], request), _NOTHING


def _sqs(call: Call, deployment: Deployment) -> Iterator[Asked]:
    action = call.operation.removesuffix("Batch")
    queue = call.parameters["QueueUrl"].rpartition("/")[2]
    yield f"sqs:{action}", f"arn:aws:sqs:{call.region}:{deployment.account}:{queue}", _NOTHING


def _secretsmanager(call: Call, deployment: Deployment) -> Iterator[Asked]:
    secret = call.parameters["SecretId"]
    yield f"secretsmanager:{call.operation}", secret, _NOTHING
    if key := deployment.key_of(secret):  # Secrets Manager decrypts with the rights of the caller
        service = f"secretsmanager.{call.region}.amazonaws.com"
        yield "kms:Decrypt", key, {"kms:ViaService": service, "kms:EncryptionContext:SecretARN": secret}


def _connections(call: Call, deployment: Deployment) -> Iterator[Asked]:
    stage = f"arn:aws:execute-api:{call.region}:{deployment.account}:{call.place}"
    resource = f"{stage}/{call.method}/@connections/{call.parameters['ConnectionId']}"
    yield "execute-api:ManageConnections", resource, _NOTHING


def _s3(call: Call, _deployment: Deployment) -> Iterator[Asked]:
    bucket = call.parameters["Bucket"]
    if call.operation == "ListObjectsV2":
        yield "s3:ListBucket", f"arn:aws:s3:::{bucket}", _NOTHING
        return
    key = call.parameters["Key"]
    action = {"HeadObject": "GetObject", "CopyObject": "PutObject", "PostObject": "PutObject"}
    yield f"s3:{action.get(call.operation, call.operation)}", f"arn:aws:s3:::{bucket}/{key}", _NOTHING
    if call.operation == "CopyObject":
        yield "s3:GetObject", f"arn:aws:s3:::{call.parameters['CopySource'].lstrip('/')}", _NOTHING
    if call.status == _NOT_FOUND:  # to those who may not list S3 says 403 for what is not there
        yield "s3:ListBucket", f"arn:aws:s3:::{bucket}", _NOTHING


def _scheduler(call: Call, deployment: Deployment) -> Iterator[Asked]:
    group, name = call.parameters.get("GroupName", "default"), call.parameters["Name"]
    schedule = f"arn:aws:scheduler:{call.region}:{deployment.account}:schedule/{group}/{name}"
    yield f"scheduler:{call.operation}", schedule, _NOTHING
    if call.operation == "CreateSchedule":
        yield "iam:PassRole", call.parameters["Target"]["RoleArn"], {"iam:PassedToService": "scheduler.amazonaws.com"}


def _events(call: Call, deployment: Deployment) -> Iterator[Asked]:
    for bus in {entry["EventBusName"] for entry in call.parameters["Entries"]}:
        yield f"events:{call.operation}", f"arn:aws:events:{call.region}:{deployment.account}:event-bus/{bus}", _NOTHING


def _ses(call: Call, deployment: Deployment) -> Iterator[Asked]:
    """Whether it is the address that is verified or its domain is for the account to say: SES asks of that one."""
    place, sender = f"arn:aws:ses:{call.region}:{deployment.account}:", call.parameters["FromEmailAddress"]
    for identity in (sender, sender.partition("@")[2]):
        yield f"ses:{call.operation}", f"{place}identity/{identity}", _NOTHING
    if name := call.parameters.get("ConfigurationSetName"):
        yield f"ses:{call.operation}", f"{place}configuration-set/{name}", _NOTHING


_NEEDS: Final[Mapping[str, Callable[[Call, Deployment], Iterator[Asked]]]] = {
    "dynamodb": _dynamodb,
    "sqs": _sqs,
    "secretsmanager": _secretsmanager,
    "execute-api": _connections,
    "s3": _s3,
    "scheduler": _scheduler,
    "events": _events,
    "ses": _ses,
}


def needs_of_services(deployment: Deployment) -> Iterator[Need]:
    """What AWS's services do with the functions' roles, as the template has them do it."""
    for function, properties in deployment.of(FUNCTION):
        role = deployment.role_of(function)
        group = deployment.value(properties["LoggingConfig"]["LogGroup"])
        stream = f"arn:aws:logs:{deployment.region}:{deployment.account}:log-group:{group}:log-stream:2026/11/29/a"
        for action in ("CreateLogStream", "PutLogEvents"):
            yield Need(role, f"logs:{action}", stream, (), f"{function} writes its log")
        if properties.get("TracingConfig", {}).get("Mode") == "Active":
            for action in ("PutTraceSegments", "PutTelemetryRecords"):
                yield Need(role, f"xray:{action}", "*", (), f"{function} is traced")
    for mapping, properties in deployment.of("AWS::Lambda::EventSourceMapping"):
        role = deployment.role_of(_function(properties["FunctionName"]))
        source = str(deployment.value(properties["EventSourceArn"]))
        service = source.split(":")[2]
        for action in _POLLING[service]:
            yield Need(role, f"{service}:{action}", source, (), f"{mapping} polls")
        yield from _failures(role, properties, deployment, mapping)
    for config, properties in deployment.of("AWS::Lambda::EventInvokeConfig"):
        yield from _failures(deployment.role_of(_function(properties["FunctionName"])), properties, deployment, config)


def _failures(role: str, properties: Mapping[str, Any], deployment: Deployment, of: str) -> Iterator[Need]:
    """Where what can't be done is set aside."""
    destination = properties.get("DestinationConfig", {}).get("OnFailure", {}).get("Destination")
    if destination is not None:
        arn = str(deployment.value(destination))
        yield Need(role, f"{arn.split(':')[2]}:SendMessage", arn, (), f"{of} sets failures aside")


def _function(reference: Mapping[str, Any]) -> str:
    """The logical id of a function that is referred to."""
    match reference:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), _]}:
            return name
    raise Unresolvable(str(reference))


# -- what is given ----------------------------------------------------------------------------------------------------


def allowed_by(need: Need, statements: Iterable[Statement]) -> Statement | None:
    """The first statement that allows it."""
    return next((one for one in statements if allows(one, need)), None)


def allows(statement: Statement, need: Need) -> bool:
    return (
        statement.principal == need.principal
        and any(matches(pattern.lower(), need.action.lower()) for pattern in statement.actions)
        and any(matches(pattern, need.resource) for pattern in statement.resources)
        and all(_holds(operator, wanted, dict(need.context)) for operator, wanted in statement.conditions.items())
    )


def _holds(operator: str, wanted: Mapping[str, Any], context: Mapping[str, str]) -> bool:
    """A block of conditions: all of its keys, each with any of its values. What is not there does not hold."""
    for key, values in wanted.items():
        found = context.get(key)
        match operator:
            case "StringEquals":
                holds = found is not None and found in map(str, listed(values))
            case "StringLike" | "ArnLike" | "ArnEquals":
                holds = found is not None and any(matches(str(one), found) for one in listed(values))
            case _:
                raise Unresolvable(f"a condition with {operator}")
        if not holds:
            return False
    return True


def matches(pattern: str, text: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = {"*": ".*", "?": "."}
    return re.compile("".join(parts.get(one, re.escape(one)) for one in pattern), re.DOTALL)


def not_allowed(wanted: Collection[Need], statements: Collection[Statement]) -> list[Need]:
    by_principal: dict[str, list[Statement]] = {}
    for one in statements:
        by_principal.setdefault(one.principal, []).append(one)
    return [need for need in wanted if allowed_by(need, by_principal.get(need.principal, ())) is None]


def single_permissions(deployment: Deployment) -> Iterator[Statement]:
    """Each action on each resource that a statement allows, as a statement by itself: what could be removed."""
    for statement in deployment.statements():
        for action in statement.actions:
            for resource in statement.resources:
                yield replace(statement, actions=(action,), resources=(resource,))
