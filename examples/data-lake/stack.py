"""What the lake is made of, as a CloudFormation template: a rule on Parley's bus, queue, function, bucket."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3

WINDOW_S = 60  # so long the function waits for more, so that files are few
TIMEOUT_S = 60
VISIBLE_AGAIN_S = 6 * TIMEOUT_S + WINDOW_S  # as AWS advises for a queue that feeds a function
FOURTEEN_DAYS_S = 1_209_600


def arn(name: str) -> dict[str, Any]:
    return {"Fn::GetAtt": [name, "Arn"]}


def allowed(actions: list[str], resource: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resource}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def function(*, is_local: bool) -> dict[str, Any]:
    """AWS has boto3 where functions run, the laptop has not: there it is this environment's."""
    variables: dict[str, Any] = {"BUCKET": {"Ref": "Bucket"}}
    if is_local:
        variables["PYTHONPATH"] = str(Path(boto3.__file__).parents[1])
    return {
        "Runtime": "python3.13",
        "Handler": "index.handler",
        "Code": {"ZipFile": Path(__file__).with_name("lake.py").read_text(encoding="utf-8")},
        "Role": arn("Role"),
        "LoggingConfig": {"LogGroup": {"Ref": "Logs"}},
        "Timeout": TIMEOUT_S,
        "MemorySize": 256,
        "Environment": {"Variables": variables},
    }


def template(bus: str, *, is_local: bool) -> dict[str, Any]:
    statements = [
        allowed(["s3:PutObject"], {"Fn::Join": ["", [arn("Bucket"), "/events/*"]]}),
        allowed(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], arn("Queue")),
        allowed(["logs:CreateLogStream", "logs:PutLogEvents"], arn("Logs")),
    ]
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    sends = {**allowed(["sqs:SendMessage"], arn("Queue")), "Principal": {"Service": "events.amazonaws.com"}}
    sends["Condition"] = {"ArnEquals": {"aws:SourceArn": arn("Rule")}}
    to_queue = {"Id": "lake", "Arn": arn("Queue")}
    redrive = {"deadLetterTargetArn": arn("Failures"), "maxReceiveCount": 5}
    resources = {
        "Bucket": ("S3::Bucket", {}),
        "Logs": ("Logs::LogGroup", {"RetentionInDays": 30}),
        "Failures": ("SQS::Queue", {"MessageRetentionPeriod": FOURTEEN_DAYS_S}),
        "Queue": ("SQS::Queue", {"VisibilityTimeout": VISIBLE_AGAIN_S, "RedrivePolicy": redrive}),
        "MayFill": ("SQS::QueuePolicy", {"Queues": [{"Ref": "Queue"}], "PolicyDocument": policy(sends)}),
        "Rule": ("Events::Rule", {"EventBusName": bus, "EventPattern": {"source": ["parley"]}, "Targets": [to_queue]}),
        "Role": ("IAM::Role", {"AssumeRolePolicyDocument": policy(trust)}),
        "May": ("IAM::Policy", {
            "PolicyName": "lake", "Roles": [{"Ref": "Role"}], "PolicyDocument": policy(*statements),
        }),
        "Function": ("Lambda::Function", function(is_local=is_local)),
        "Feeds": ("Lambda::EventSourceMapping", {
            "FunctionName": {"Ref": "Function"}, "EventSourceArn": arn("Queue"),
            "BatchSize": 1_000, "MaximumBatchingWindowInSeconds": 1 if is_local else WINDOW_S,
        }),
    }  # fmt: skip
    made: dict[str, Any] = {
        name: {"Type": f"AWS::{kind}", "Properties": about} for name, (kind, about) in resources.items()
    }
    made["Feeds"]["DependsOn"] = "May"  # AWS asks first whether the function may read the queue
    made["Bucket"] |= {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    return {"Resources": made, "Outputs": {"Bucket": {"Value": {"Ref": "Bucket"}}}}
