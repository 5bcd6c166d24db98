"""What each function's role must allow, and whether the deployed one does. AWS itself says so by refused calls only."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

if TYPE_CHECKING:
    from ops.doctor.patient import Patient

_PUT: Final = "dynamodb:BatchGetItem dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem"
_MEMBERS: Final = (
    "dynamodb:BatchGetItem dynamodb:DeleteItem dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem"
)
_SESSIONS: Final = "dynamodb:BatchGetItem dynamodb:UpdateItem"
_POSTING: Final = {"POST/@connections/*": "execute-api:ManageConnections"}
_CONNECTIONS: Final = {**_POSTING, "DELETE/@connections/*": "execute-api:ManageConnections"}
_STREAM: Final = "dynamodb:DescribeStream dynamodb:GetRecords dynamodb:GetShardIterator dynamodb:ListStreams"
_SEND: Final = "sqs:SendMessage"
_CONSUME: Final = "sqs:ReceiveMessage sqs:DeleteMessage sqs:GetQueueAttributes"
_READ_KEPT: Final = "secretsmanager:GetSecretValue"

# Function → what it works with → the actions. A test holds it to the template.
NEEDED: Final[Mapping[str, Mapping[str, str]]] = {
    "Authorizer": {"Tickets": "dynamodb:DeleteItem", "Secret": _READ_KEPT},
    "Connect": {
        "Log": "dynamodb:Query",
        "Members": "dynamodb:BatchGetItem dynamodb:BatchWriteItem dynamodb:DeleteItem dynamodb:Query",
        "Sessions": "dynamodb:UpdateItem",
        "PresenceChecks": _SEND,
        **_CONNECTIONS,
    },
    "Disconnect": {"Sessions": "dynamodb:UpdateItem", "PresenceChecks": _SEND},
    "Message": {
        "Log": _PUT,
        "Members": f"{_MEMBERS} dynamodb:BatchWriteItem",
        "Sessions": _SESSIONS,
        "Secret": _READ_KEPT,
        "PresenceChecks": _SEND,
        **_CONNECTIONS,
    },
    "Rest": {
        "Log": _PUT,
        "Members": f"{_MEMBERS} dynamodb:BatchWriteItem",
        "Sessions": _SESSIONS,
        "Tickets": "dynamodb:PutItem",
        "Secret": _READ_KEPT,
        "PresenceChecks": _SEND,
        "Looks": _SEND,
        "FanOut": _SEND,
        "uploads/*": "s3:PutObject",
        "files/*": "s3:GetObject",
        "thumbnails/*": "s3:GetObject",
        "exports/*": "s3:GetObject",
        "Bucket": "s3:ListBucket",
        "schedules of the group": "scheduler:CreateSchedule scheduler:DeleteSchedule",
        "Schedules' role": "iam:PassRole",
        **_CONNECTIONS,
    },
    "OfflinePush": {
        "Log": f"{_PUT} dynamodb:DeleteItem dynamodb:Scan",
        "Members": f"{_MEMBERS} dynamodb:BatchWriteItem dynamodb:Scan",
        "Sessions": f"{_SESSIONS} dynamodb:Scan",
        "Bucket": "s3:ListBucket",
        "exports/*": "s3:PutObject",
        "files/*": "s3:GetObject s3:DeleteObject",
        "uploads/*": "s3:DeleteObject",
        "thumbnails/*": "s3:DeleteObject",
        "Log stream": _STREAM,
        "Members stream": _STREAM,  # where pushes are withdrawn
        "PresenceChecks": _SEND,
        "FanOut": f"{_SEND} {_CONSUME}",
        "Looks": f"{_SEND} {_CONSUME}",
        "FcmPushes": f"{_SEND} {_CONSUME}",
        "ApnsPushes": f"{_SEND} {_CONSUME}",
        "Failures": _SEND,
        "FcmSecret": _READ_KEPT,
        "ApnsSecret": _READ_KEPT,
        **_POSTING,
    },
    "Presence": {
        "Log": "dynamodb:Query",
        "Members": "dynamodb:BatchGetItem dynamodb:DeleteItem dynamodb:Query",
        "Sessions": _SESSIONS,
        "PresenceChecks": _CONSUME,
        **_POSTING,
    },
    "Files": {
        "Members": "dynamodb:DeleteItem dynamodb:GetItem dynamodb:PutItem dynamodb:Query dynamodb:UpdateItem",
        "Log stream": _STREAM,
        "Failed checks": _SEND,
        "Bucket": "s3:ListBucket",
        "uploads/*": "s3:GetObject s3:DeleteObject",
        "files/*": "s3:PutObject s3:DeleteObject",
        "thumbnails/*": "s3:PutObject s3:DeleteObject",
    },
}
_QUEUES: Final = {
    "PresenceChecks": "PresenceChecksQueue",
    "FanOut": "FanOutQueue",
    "Looks": "LooksQueue",
    "FcmPushes": "FcmPushesQueue",
    "ApnsPushes": "ApnsPushesQueue",
    "Failures": "PushFailures",
    "Failed checks": "FileChecksFailures",
}
_TABLES: Final = {"Log": "LogTable", "Members": "MembersTable", "Sessions": "SessionsTable", "Tickets": "TicketsTable"}


def missing(patient: Patient) -> dict[str, list[str]]:
    """By function the actions that its role does not allow, each with what it is for."""
    arns = _arns(patient)
    found: dict[str, list[str]] = {}
    for name, function in patient.functions.items():
        statements = list(_statements(patient, function.role))
        for place, actions in NEEDED.get(name, {}).items():
            for arn in arns.get(place, ()):
                lacking = [one for one in actions.split() if not _is_allowed(one, arn, statements)]
                found.setdefault(name, []).extend(f"{action} on {place}" for action in lacking)
    return {name: some for name, some in found.items() if some}


def _arns(patient: Patient) -> dict[str, list[str]]:
    """What each of the names above stands for in this stack; nothing where it has none."""
    _, partition, _, region, account, *_ = str(
        next(iter(patient.functions.values())).configuration["FunctionArn"]
    ).split(":")

    def arn(service: str, rest: str) -> str:
        return f"arn:{partition}:{service}:{region}:{account}:{rest}"

    found = {name: [arn("dynamodb", f"table/{patient.outputs[output]}")] for name, output in _TABLES.items()}
    for name in ("Log", "Members"):
        table = patient.client("dynamodb").describe_table(TableName=patient.outputs[_TABLES[name]])["Table"]
        found[f"{name} stream"] = [table["LatestStreamArn"]] if "LatestStreamArn" in table else []
    found |= {name: [arn("sqs", url.rsplit("/", 1)[-1])] if (url := _queue(patient, name)) else [] for name in _QUEUES}
    apis = [one for name, one in patient.of_kind("AWS::ApiGatewayV2::Api").items() if name.startswith("WebSocket")]
    stage = patient.connections_endpoint.rstrip("/").rsplit("/", 1)[-1]
    for method in ("POST", "DELETE"):
        found[f"{method}/@connections/*"] = [
            arn("execute-api", f"{api}/{stage}/{method}/@connections/d=") for api in apis
        ]
    bucket = f"arn:{partition}:s3:::{patient.outputs['Bucket']}"
    found |= {
        "Bucket": [bucket],
        **{f"{one}/*": [f"{bucket}/{one}/doctor"] for one in ("uploads", "files", "thumbnails")},
    }
    secrets = {"Secret": ("Rest", "JWT_SECRET_ARN")}
    secrets |= {f"{name}Secret": ("OfflinePush", f"{name.upper()}_SECRET_ARN") for name in ("Fcm", "Apns")}
    found |= {name: [one] if (one := patient.setting(*where)) else [] for name, where in secrets.items()}
    group = patient.setting("Rest", "SCHEDULE_GROUP")
    found["schedules of the group"] = [arn("scheduler", f"schedule/{group}/doctor")]
    found["Schedules' role"] = [patient.setting("Rest", "SCHEDULE_ROLE_ARN")]
    return found


def _queue(patient: Patient, name: str) -> str:
    queues = patient.of_kind("AWS::SQS::Queue")
    return next((url for logical, url in queues.items() if _QUEUES[name] in logical), "")


def _statements(patient: Patient, role: str) -> Iterator[Mapping[str, Any]]:
    """What the role's own policies allow and deny. It has no others."""
    iam = patient.client("iam")
    for page in iam.get_paginator("list_role_policies").paginate(RoleName=role):
        for name in page["PolicyNames"]:
            document = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
            if isinstance(document, str):
                document = json.loads(unquote(document))
            yield from _listed(document["Statement"])


def _is_allowed(action: str, arn: str, statements: Sequence[Mapping[str, Any]]) -> bool:
    effects = [one["Effect"] for one in statements if _covers(one, "Action", action) and _covers(one, "Resource", arn)]
    return "Allow" in effects and "Deny" not in effects


def _covers(statement: Mapping[str, Any], key: str, wanted: str) -> bool:
    return any(fnmatchcase(wanted, str(pattern)) for pattern in _listed(statement.get(key, [])))


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
