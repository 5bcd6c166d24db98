"""Resources of small stacks: a function, what it reads from, and a stream."""

from __future__ import annotations

from typing import Any

from local.settings import ACCOUNT

TABLE: dict[str, Any] = {
    "Type": "AWS::DynamoDB::Table",
    "Properties": {
        "TableName": "log",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
    },
}


def function(code: str, **properties: object) -> dict[str, Any]:
    made = {"Runtime": "python3.13", "Handler": "index.handler", "Role": f"arn:aws:iam::{ACCOUNT}:role/any"}
    return {"Type": "AWS::Lambda::Function", "Properties": {**made, "Code": {"ZipFile": code}, **properties}}


def queue(failures: str, *, tries: int, **properties: object) -> dict[str, Any]:
    redrive = {"deadLetterTargetArn": {"Fn::GetAtt": [failures, "Arn"]}, "maxReceiveCount": tries}
    return {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 1, "RedrivePolicy": redrive, **properties}}


def source(of: str, **properties: object) -> dict[str, Any]:
    """What hands a queue's messages, or the table's stream, to the function."""
    made = {
        "FunctionName": {"Ref": "Function"},
        "EventSourceArn": {"Fn::GetAtt": [of, "StreamArn" if of == "Table" else "Arn"]},
        "FunctionResponseTypes": ["ReportBatchItemFailures"],
    }
    return {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {**made, **properties}}
