"""The judges find what AWS would refuse: planted requests of each kind, each with one thing wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.aws.calls import Recorded, call_of
from tests.aws.deployment import Deployment
from tests.aws.judging import judge, problems_of, removals
from tests.aws.permissions import Need, allows

TABLES = {"Log": "log", "Members": "members", "Sessions": "sessions", "Tickets": "tickets"}
Request = dict[str, Any]
KEY = {"user_id": {"S": "u"}}
PUT = {"TableName": "Sessions", "Item": KEY}
UPDATE = {
    "TableName": "Sessions",
    "Key": KEY,
    "UpdateExpression": "SET #a = :b",
    "ExpressionAttributeNames": {"#a": "a"},
    "ExpressionAttributeValues": {":b": {"S": "b"}},
}
MESSAGE = {"QueueUrl": "https://sqs.us-east-1.amazonaws.com/123456789012/Looks", "MessageBody": "{}"}
SCHEDULE = {
    "GroupName": "reminders",
    "ScheduleExpression": "at(2026-11-29T10:00:00)",
    "FlexibleTimeWindow": {"Mode": "OFF"},
    "Target": {
        "Arn": "arn:aws:sqs:us-east-1:123456789012:Looks",
        "RoleArn": "arn:aws:iam::123456789012:role/Reminders",
        "Input": "{}",
    },
}


def json_request(service: str, operation: str, request: Mapping[str, Any], **more: Any) -> Recorded:
    target = {"dynamodb": "DynamoDB_20120810", "sqs": "AmazonSQS", "secretsmanager": "secretsmanager"}[service]
    version = "1.1" if service == "secretsmanager" else "1.0"
    headers = {
        "x-amz-target": f"{target}.{operation}",
        "content-type": f"application/x-amz-json-{version}",
        "host": "h",
    }
    body = json.dumps(request).encode()
    return Recorded("Message", service, "POST", "/", {**headers, **more}, body, len(body), 200)


def scheduling(request: Mapping[str, Any], name: str = "r1") -> Recorded:
    body = json.dumps(request).encode()
    return Recorded("Rest", "scheduler", "POST", f"/schedules/{name}", {"host": "h"}, body, len(body), 200)


def posting(path: str, body: bytes = b"{}", method: str = "POST") -> Recorded:
    headers = {"host": "api.execute-api.us-east-1.amazonaws.com"}
    return Recorded("Message", "execute-api", method, path, headers, body, len(body), 200)


def objecting(target: str, method: str = "GET", **headers: str) -> Recorded:
    return Recorded("Rest", "s3", method, target, {"host": "b.s3.us-east-1.amazonaws.com", **headers}, b"", 0, 200)


def problems(request: Recorded) -> list[str]:
    return problems_of(call_of(request), TABLES)


def changed(request: Request, **changes: Any) -> Request:
    """With other members; those that are None go."""
    return {name: value for name, value in {**request, **changes}.items() if value is not None}


GOOD = {
    "put": json_request("dynamodb", "PutItem", PUT),
    "update": json_request("dynamodb", "UpdateItem", UPDATE),
    "secret": json_request("secretsmanager", "GetSecretValue", {"SecretId": "arn"}),
    "message": json_request("sqs", "SendMessage", {**MESSAGE, "DelaySeconds": 900}),
    "schedule": scheduling(SCHEDULE),
    "post": posting("/prod/%40connections/L0SM9cOFvHcCIhw%3D"),
    "largest post": posting("/prod/%40connections/L0SM9cOFvHcCIhw%3D", b"x" * 131_072),
    "close": posting("/prod/%40connections/L0SM9cOFvHcCIhw%3D", b"", "DELETE"),
    "link": objecting("/files/a?response-content-type=image%2Fpng&X-Amz-Signature=5"),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_is_right_is_found_right(name: str) -> None:
    assert problems(GOOD[name]) == []


def _transaction(count: int, **attributes: Any) -> Request:
    puts = [{"Put": {"TableName": "Sessions", "Item": {"user_id": {"S": str(n)}, **attributes}}} for n in range(count)]
    return {"TransactItems": puts, "ClientRequestToken": "t"}


def _batch(count: int) -> Request:
    return {"RequestItems": {"Sessions": {"Keys": [{"user_id": {"S": str(n)}} for n in range(count)]}}}


def _entries(count: int, **entry: Any) -> Request:
    entries = [{"Id": str(n), "MessageBody": "{}", **entry} for n in range(count)]
    return {"QueueUrl": MESSAGE["QueueUrl"], "Entries": entries}


BAD_DYNAMODB: dict[str, tuple[str, Request, str]] = {
    "an unknown member": ("PutItem", changed(PUT, Consistent=True), ".Consistent is unknown"),
    "a missing member": ("PutItem", changed(PUT, Item=None), ".Item is missing"),
    "no text": ("PutItem", changed(PUT, Item={"user_id": {"S": 5}}), "is a int, and no string"),
    "two types": ("PutItem", changed(PUT, Item={"user_id": {"S": "u", "N": "1"}}), "exactly one"),
    "a made-up type": ("PutItem", changed(PUT, Item={"user_id": {"T": "u"}}), ".T is unknown"),
    "a made-up choice": ("UpdateItem", changed(UPDATE, ReturnValues="ALL"), "is none of"),
    "a short name": ("PutItem", changed(PUT, TableName=""), "less than 1"),
    "a reserved word": ("UpdateItem", changed(UPDATE, UpdateExpression="SET #a = :b, name = :b"), "reserved keyword"),
    "a name that is not used": (
        "UpdateItem",
        changed(UPDATE, ExpressionAttributeNames={"#a": "a", "#c": "c"}),
        "unused",
    ),
    "a name that is not said": ("UpdateItem", changed(UPDATE, ExpressionAttributeNames=None), "#a"),
    "a value that is not used": (
        "UpdateItem",
        changed(UPDATE, ExpressionAttributeValues={":b": {"S": "b"}, ":c": {"S": "c"}}),
        "unused",
    ),
    "a value that is not said": ("UpdateItem", changed(UPDATE, UpdateExpression="SET #a = :c"), ":c"),
    "no names in there": ("UpdateItem", changed(UPDATE, ExpressionAttributeNames={}), "must not be empty"),
    "no expression": ("UpdateItem", changed(UPDATE, UpdateExpression=""), "empty"),
    "a key too few": ("PutItem", changed(PUT, Item={"name": {"S": "u"}}), "required keys"),
    "an empty key": ("PutItem", changed(PUT, Item={"user_id": {"S": ""}}), "empty"),
    "an item of over 400 KB": ("PutItem", changed(PUT, Item={**KEY, "a": {"S": "x" * 410_000}}), "maximum allowed"),
    "a table of nobody's": ("PutItem", changed(PUT, TableName="Other"), "not found"),
    "101 parts": ("TransactWriteItems", _transaction(101), "more than 100"),
    "two parts on one item": (
        "TransactWriteItems",
        {"TransactItems": _transaction(1)["TransactItems"] * 2},
        "multiple operations on one item",
    ),
    "over 4 MB in a transaction": ("TransactWriteItems", _transaction(12, a={"S": "x" * 390_000}), "4MB"),
    "a token of 37": ("TransactWriteItems", {**_transaction(1), "ClientRequestToken": "t" * 37}, "more than 36"),
    "101 keys": ("BatchGetItem", _batch(101), "more than 100"),
    "no key": ("BatchGetItem", _batch(0), "less than 1"),
    "a key twice": ("BatchGetItem", {"RequestItems": {"Sessions": {"Keys": [KEY, KEY]}}}, "duplicates"),
    "26 writes": (
        "BatchWriteItem",
        {"RequestItems": {"Sessions": [{"PutRequest": {"Item": {"user_id": {"S": str(n)}}}} for n in range(26)]}},
        "more than 25",
    ),
}


@pytest.mark.parametrize("name", BAD_DYNAMODB)
def test_of_dynamodb(name: str) -> None:
    operation, request, words = BAD_DYNAMODB[name]
    found = problems(json_request("dynamodb", operation, request))
    assert any(words in one for one in found), found


BAD: dict[str, tuple[Callable[[], Recorded], str]] = {
    "a target of the old": (
        lambda: json_request("dynamodb", "PutItem", PUT, **{"x-amz-target": "DynamoDB_20111205.PutItem"}),
        "x-amz-target",
    ),
    "another version of JSON": (
        lambda: json_request("sqs", "SendMessage", MESSAGE, **{"content-type": "application/json"}),
        "content-type",
    ),
    "eleven messages": (lambda: json_request("sqs", "SendMessageBatch", _entries(11)), "11 messages"),
    "an id twice": (lambda: json_request("sqs", "SendMessageBatch", _entries(2, Id="1")), "two messages of one id"),
    "an id with a blank": (lambda: json_request("sqs", "SendMessageBatch", _entries(1, Id="a b")), "an id"),
    "a megabyte": (lambda: json_request("sqs", "SendMessageBatch", _entries(3, MessageBody="x" * 400_000)), "megabyte"),
    "a long delay": (lambda: json_request("sqs", "SendMessage", {**MESSAGE, "DelaySeconds": 901}), "901 seconds"),
    "a control": (lambda: json_request("sqs", "SendMessage", {**MESSAGE, "MessageBody": "\x00"}), "characters"),
    "a group with a blank": (
        lambda: json_request("sqs", "SendMessage", {**MESSAGE, "MessageGroupId": "\n"}),
        "a group called",
    ),
    "a schedule without a target": (lambda: scheduling(changed(SCHEDULE, Target=None)), ".Target is missing"),
    "a schedule with a blank": (lambda: scheduling(SCHEDULE, "r%201"), "does not fit"),
    "a long name": (lambda: scheduling(SCHEDULE, "r" * 65), "more than 64"),
    "no such mode": (lambda: scheduling(changed(SCHEDULE, FlexibleTimeWindow={"Mode": "ON"})), "is none of"),
    "no role": (
        lambda: scheduling(changed(SCHEDULE, Target={**SCHEDULE["Target"], "RoleArn": "Reminders"})),  # type: ignore[dict-item]
        "does not fit",
    ),
    "a large post": (lambda: posting("/prod/%40connections/a%3D", b"x" * 131_073), "more than 131072"),
    "an unknown query": (lambda: objecting("/files/a?response-content-typ=x"), "is unknown"),
}


@pytest.mark.parametrize("name", BAD)
def test_of_other_services(name: str) -> None:
    make, words = BAD[name]
    found = problems(make())
    assert any(words in one for one in found), found


@pytest.mark.parametrize(
    "request_",
    [
        json_request("dynamodb", "PutItems", PUT),
        posting("/prod/connections/a"),
        scheduling(SCHEDULE, "r1/r2"),
    ],
    ids=["no such operation", "no connection", "no such path"],
)
def test_a_request_to_no_operation_is_none(request_: Recorded) -> None:
    with pytest.raises(AssertionError, match=r"has no|is no connection"):
        call_of(request_)


# -- roles ------------------------------------------------------------------------------------------------------------


def deployed(action: Any, resource: Any, **statement: Any) -> Deployment:
    """A function with one statement in its role."""
    policy = {"Effect": "Allow", "Action": action, "Resource": resource, **statement}
    return Deployment(
        {
            "Resources": {
                "Sessions": {"Type": "AWS::DynamoDB::Table"},
                "Message": {
                    "Type": "AWS::Lambda::Function",
                    "Properties": {
                        "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                        "LoggingConfig": {"LogGroup": "log"},
                        "Environment": {"Variables": {"SESSIONS_TABLE": {"Ref": "Sessions"}}},
                    },
                },
                "Role": {"Type": "AWS::IAM::Role"},
                "Policy": {
                    "Type": "AWS::IAM::Policy",
                    "Properties": {"Roles": [{"Ref": "Role"}], "PolicyDocument": {"Statement": [policy]}},
                },
            }
        }
    )


TABLE = {"Fn::GetAtt": ["Sessions", "Arn"]}


@pytest.mark.parametrize(
    ("action", "resource", "is_allowed"),
    [
        ("dynamodb:PutItem", TABLE, True),
        (["dynamodb:GetItem", "dynamodb:PutItem"], [TABLE], True),
        ("dynamodb:Put*", TABLE, True),
        ("dynamodb:putitem", TABLE, True),
        ("dynamodb:PutItem", "*", True),
        ("dynamodb:PutItem", {"Fn::Join": ["", [TABLE, "/index/*"]]}, False),
        ("dynamodb:PutItem", {"Fn::Sub": "arn:aws:dynamodb:${AWS::Region}:${AWS::AccountId}:table/Session?"}, True),
        ("dynamodb:PutItem", "arn:aws:dynamodb:eu-west-1:123456789012:table/Sessions", False),
        ("dynamodb:GetItem", TABLE, False),
        ("dynamodb:PutItemX", TABLE, False),
        ("sqs:*", TABLE, False),
    ],
)
def test_a_call_is_allowed_by_action_and_resource(action: Any, resource: Any, is_allowed: bool) -> None:
    verdict = judge([json_request("dynamodb", "PutItem", PUT)], deployed(action, resource))
    assert (verdict.invalid.total(), verdict.refused.total() == 0) == (0, is_allowed)


@pytest.mark.parametrize(
    ("actions", "missed"),
    [
        (["dynamodb:PutItem", "dynamodb:GetItem"], [1, 0]),
        (["dynamodb:PutItem", "dynamodb:Put*"], [0, 0]),
        ("logs:CreateLogStream", [1]),
    ],
    ids=["one that no call needs", "two that do the same", "one that a service needs"],
)
def test_a_permission_that_nothing_would_miss_is_told_from_others(actions: Any, missed: list[int]) -> None:
    resource = "arn:aws:logs:us-east-1:123456789012:log-group:log:*" if "logs" in str(actions) else TABLE
    deployment = deployed(actions, resource)
    removed = removals(judge([json_request("dynamodb", "PutItem", PUT)], deployment), deployment)
    assert [len(one) for one in removed.values()] == missed


def test_a_transaction_needs_what_its_parts_do() -> None:
    request = json_request("dynamodb", "TransactWriteItems", _transaction(1))
    assert judge([request], deployed("dynamodb:TransactWriteItems", TABLE)).refused.total() == 1
    assert judge([request], deployed("dynamodb:PutItem", TABLE)).refused.total() == 0


@pytest.mark.parametrize(
    ("context", "is_allowed"),
    [
        ((("iam:PassedToService", "scheduler.amazonaws.com"),), True),
        ((("iam:PassedToService", "x"),), False),
        ((), False),
    ],
)
def test_a_condition_has_to_hold(context: tuple[tuple[str, str], ...], is_allowed: bool) -> None:
    condition = {"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}}
    [statement] = deployed("iam:PassRole", "role", Condition=condition).statements()
    assert allows(statement, Need("Role", "iam:PassRole", "role", context)) is is_allowed


def test_what_is_not_understood_is_no_permission() -> None:
    for statement in ({"Effect": "Deny"}, {"NotAction": "x", "Action": None}):
        with pytest.raises((AssertionError, TypeError)):
            assert [one.actions for one in deployed("a", "b", **statement).statements()] == [("a",)]
    [odd] = deployed("a", "b", Condition={"DateGreaterThan": {"aws:CurrentTime": "x"}}).statements()
    with pytest.raises(AssertionError):
        allows(odd, Need("Role", "a", "b"))
