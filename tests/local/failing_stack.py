"""A small stack whose function fails where it is told to: a stream, a work queue and uploads, and where failures go."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

from local import server
from local.settings import Settings
from tests.local.emulated import client, printed
from tests.local.templates import TABLE, function, queue, source

WAIT = 30.0
STACK_NAME = "Parley-local"
BUCKET = "uploads-of-a-test"
# "named…" is reported as failed, "thrown…" fails its invocation, as does an upload below "uploads/bad"; in an outage
# everything fails.
CONSUMER = """
import json, os
def handler(event, context):
    outage = os.environ["MODE"] == "outage"
    if "detail" in event:
        key = event["detail"]["object"]["key"]
        print(json.dumps({"upload": key, "event": event["detail-type"]}))
        if outage or key.startswith("uploads/bad"):
            raise ValueError("bad upload")
        return
    records = event["Records"]
    if "body" in records[0]:
        print(json.dumps({"bodies": [record["body"] for record in records]}))
        return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in records if outage]}
    assert all(record["eventSource"] == "aws:dynamodb" and "/stream/" in record["eventSourceARN"] for record in records)
    assert all(record["dynamodb"]["ApproximateCreationDateTime"] > 1e9 for record in records)
    keys = [record["dynamodb"]["Keys"]["pk"]["S"] for record in records]
    print(json.dumps({"keys": keys}))
    if any(key.startswith("thrown") for key in keys):
        raise ValueError("bad batch")
    for record, key in zip(records, keys):
        if outage or key.startswith("named"):
            return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
    return {"batchItemFailures": []}
"""
FUNCTION_ARN = {"Fn::GetAtt": ["Function", "Arn"]}
ON_FAILURE = {"OnFailure": {"Destination": {"Fn::GetAtt": ["Failures", "Arn"]}}}
PATTERN = {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"kind": {"S": ["message"]}}}}
QUEUES = {"Fn::Sub": '{"records": "${Failures}", "work": "${WorkFailures}"}'}
TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Failures": {"Type": "AWS::SQS::Queue"},
        "WorkFailures": {"Type": "AWS::SQS::Queue"},
        "Work": queue("WorkFailures", tries=1),
        "WorkSource": source("Work"),
        "Table": TABLE,
        "Function": function(CONSUMER, Environment={"Variables": {"MODE": "normal"}}),
        "Stream": source(
            "Table",
            StartingPosition="TRIM_HORIZON",
            BatchSize=100,
            BisectBatchOnFunctionError=True,
            MaximumRetryAttempts=1,
            DestinationConfig=ON_FAILURE,
            FilterCriteria={"Filters": [{"Pattern": json.dumps(PATTERN)}]},
        ),
        "Asynchronous": {
            "Type": "AWS::Lambda::EventInvokeConfig",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "Qualifier": "$LATEST",
                "MaximumRetryAttempts": 1,
                "DestinationConfig": ON_FAILURE,
            },
        },
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "Properties": {
                "BucketName": BUCKET,
                "NotificationConfiguration": {"EventBridgeConfiguration": {"EventBridgeEnabled": True}},
            },
        },
        "Uploaded": {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "EventPattern": {
                    "source": ["aws.s3"],
                    "detail-type": ["Object Created"],
                    "detail": {"bucket": {"name": [BUCKET]}, "object": {"key": [{"prefix": "uploads/"}]}},
                },
                "Targets": [{"Id": "Target0", "Arn": FUNCTION_ARN}],
            },
        },
    },
    "Outputs": {
        "FailureQueues": {"Value": QUEUES},
        **{name: {"Value": {"Ref": name}} for name in ("Failures", "WorkFailures", "Work", "Stream", "Function")},
    },
}


def deploy(settings: Settings) -> dict[str, str]:
    """The outputs of the stack, under the name that the laptop stack has."""
    formation = client(settings, "cloudformation")
    formation.create_stack(StackName=STACK_NAME, TemplateBody=json.dumps(TEMPLATE))
    formation.get_waiter("stack_create_complete").wait(StackName=STACK_NAME, WaiterConfig={"Delay": 1})
    [stack] = formation.describe_stacks(StackName=STACK_NAME)["Stacks"]
    server.checkpoint(settings)
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def set_mode(settings: Settings, deployed: dict[str, str], mode: str) -> None:
    functions = client(settings, "lambda")
    functions.update_function_configuration(
        FunctionName=deployed["Function"], Environment={"Variables": {"MODE": mode}}
    )


def put(settings: Settings, deployed: dict[str, str], *keys: str, kind: str = "message") -> None:
    """Items whose records the consumer finds all at once: it rests meanwhile."""
    dynamodb, functions = client(settings, "dynamodb"), client(settings, "lambda")
    functions.update_event_source_mapping(UUID=deployed["Stream"], Enabled=False)
    for key in keys:
        dynamodb.put_item(TableName="log", Item={"pk": {"S": key}, "kind": {"S": kind}})
    functions.update_event_source_mapping(UUID=deployed["Stream"], Enabled=True)


def said(settings: Settings, what: str) -> list[Any]:
    """What the function printed about `what`, one for each invocation."""
    lines = [json.loads(line) for line in printed(settings) if line.startswith("{")]
    return [line[what] for line in lines if what in line]


def batches(settings: Settings) -> list[list[str]]:
    """The keys of the records in each batch of the stream."""
    return said(settings, "keys")


def upload(settings: Settings, key: str) -> None:
    """By a form, as a browser does it."""
    form = client(settings, "s3").generate_presigned_post(Bucket=BUCKET, Key=key)
    parts = [f'--xx\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
             for name, value in form["fields"].items()]  # fmt: skip
    parts.append('--xx\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nbytes\r\n--xx--\r\n')
    headers = {"Content-Type": "multipart/form-data; boundary=xx"}
    request = urllib.request.Request(form["url"], data="".join(parts).encode(), headers=headers)
    with urllib.request.urlopen(request, timeout=WAIT) as reply:
        assert reply.status in {200, 204}
