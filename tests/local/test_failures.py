"""What the emulator does with events whose function fails, deployed by CloudFormation as our stack is."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from local import processes, server
from local.settings import ACCOUNT, REGION, Settings
from tests.local.emulated import client, printed

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("emulator")]

WAIT = 30.0
BUCKET = "uploads-of-a-test"
# "named…" is reported as failed, "thrown…" fails its invocation, as does an upload below "uploads/bad".
CONSUMER = """
import json
def handler(event, context):
    records = event["Records"]
    if "s3" in records[0]:
        key = records[0]["s3"]["object"]["key"]
        print(json.dumps({"upload": key, "event": records[0]["eventName"]}))
        if key.startswith("uploads/bad"):
            raise ValueError("bad upload")
        return
    keys = [record["dynamodb"]["Keys"]["pk"]["S"] for record in records]
    print(json.dumps({"keys": keys}))
    if any(key.startswith("thrown") for key in keys):
        raise ValueError("bad batch")
    for record, key in zip(records, keys):
        if key.startswith("named"):
            return {"batchItemFailures": [{"itemIdentifier": record["dynamodb"]["SequenceNumber"]}]}
    return {"batchItemFailures": []}
"""
FUNCTION_ARN = {"Fn::GetAtt": ["Function", "Arn"]}
ON_FAILURE = {"OnFailure": {"Destination": {"Fn::GetAtt": ["Failures", "Arn"]}}}
TEMPLATE: dict[str, Any] = {
    "Resources": {
        "Failures": {"Type": "AWS::SQS::Queue"},
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "TableName": "log",
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "BillingMode": "PAY_PER_REQUEST",
                "StreamSpecification": {"StreamViewType": "NEW_AND_OLD_IMAGES"},
            },
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.13",
                "Handler": "index.handler",
                "Role": f"arn:aws:iam::{ACCOUNT}:role/any",
                "Code": {"ZipFile": CONSUMER},
            },
        },
        "Stream": {
            "Type": "AWS::Lambda::EventSourceMapping",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "EventSourceArn": {"Fn::GetAtt": ["Table", "StreamArn"]},
                "FunctionResponseTypes": ["ReportBatchItemFailures"],
                "StartingPosition": "TRIM_HORIZON",
                "BatchSize": 100,
                "BisectBatchOnFunctionError": True,
                "MaximumRetryAttempts": 1,
                "DestinationConfig": ON_FAILURE,
            },
        },
        "Asynchronous": {
            "Type": "AWS::Lambda::EventInvokeConfig",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "Qualifier": "$LATEST",
                "MaximumRetryAttempts": 1,
                "DestinationConfig": ON_FAILURE,
            },
        },
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": FUNCTION_ARN,
                "Principal": "s3.amazonaws.com",
                "SourceArn": f"arn:aws:s3:::{BUCKET}",
            },
        },
        "Bucket": {
            "Type": "AWS::S3::Bucket",
            "DependsOn": "Permission",
            "Properties": {
                "BucketName": BUCKET,
                "NotificationConfiguration": {
                    "LambdaConfigurations": [
                        {
                            "Event": "s3:ObjectCreated:*",
                            "Filter": {"S3Key": {"Rules": [{"Name": "prefix", "Value": "uploads/"}]}},
                            "Function": FUNCTION_ARN,
                        }
                    ]
                },
            },
        },
    },
    "Outputs": {"Failures": {"Value": {"Ref": "Failures"}}, "Mapping": {"Value": {"Ref": "Stream"}}},
}


@pytest.fixture
def deployed(emulator: Settings) -> dict[str, str]:
    formation = client(emulator, "cloudformation")
    formation.create_stack(StackName="failures", TemplateBody=json.dumps(TEMPLATE))
    formation.get_waiter("stack_create_complete").wait(StackName="failures", WaiterConfig={"Delay": 1})
    [stack] = formation.describe_stacks(StackName="failures")["Stacks"]
    server.checkpoint(emulator)
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def put(settings: Settings, *keys: str) -> None:
    """All in one transaction, so that they are in the stream together."""
    writes = [{"Put": {"TableName": "log", "Item": {"pk": {"S": key}}}} for key in keys]
    client(settings, "dynamodb").transact_write_items(TransactItems=writes)


def batches(settings: Settings) -> list[list[str]]:
    said = [json.loads(line) for line in printed(settings) if line.startswith("{")]
    return [line["keys"] for line in said if "keys" in line]


def set_aside(settings: Settings, deployed: dict[str, str], count: int = 1) -> list[dict[str, Any]]:
    """What lies in the failure queue, once it is as much as expected."""
    sqs, found = client(settings, "sqs"), []

    def enough() -> bool:
        found.extend(sqs.receive_message(QueueUrl=deployed["Failures"], MaxNumberOfMessages=10).get("Messages", []))
        return len(found) >= count

    assert processes.wait_until(enough, WAIT), batches(settings)
    return [json.loads(message["Body"]) for message in found]


def pointed_at(settings: Settings, failure: dict[str, Any]) -> list[str]:
    """The records from the first to the last that a failure names, read again from the stream."""
    where, streams = failure["DDBStreamBatchInfo"], client(settings, "dynamodbstreams")
    iterator = streams.get_shard_iterator(
        StreamArn=where["streamArn"],
        ShardId=where["shardId"],
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        SequenceNumber=where["startSequenceNumber"],
    )["ShardIterator"]
    records = streams.get_records(ShardIterator=iterator)["Records"]
    last = next(i for i, one in enumerate(records) if one["dynamodb"]["SequenceNumber"] == where["endSequenceNumber"])
    assert last + 1 == where["batchSize"]
    return [record["dynamodb"]["Keys"]["pk"]["S"] for record in records[: last + 1]]


def test_a_record_named_in_a_partial_response_is_retried_set_aside_and_passed(
    emulator: Settings, deployed: dict[str, str]
) -> None:
    put(emulator, "a", "b", "named")
    [failure] = set_aside(emulator, deployed)
    assert failure["requestContext"]["condition"] == "RetryAttemptsExhausted"
    assert pointed_at(emulator, failure) == ["named"]
    put(emulator, "c")
    assert processes.wait_until(lambda: ["c"] in batches(emulator), WAIT)
    assert batches(emulator) == [["a", "b", "named"], ["named"], ["named"], ["c"]]


def test_a_batch_that_fails_is_halved_until_only_the_bad_record_is_set_aside(
    emulator: Settings, deployed: dict[str, str]
) -> None:
    put(emulator, "a", "b", "thrown", "c", "d")
    [failure] = set_aside(emulator, deployed)
    assert pointed_at(emulator, failure) == ["thrown"]
    assert processes.wait_until(lambda: any("d" in batch for batch in batches(emulator)[1:]), WAIT)
    good = sorted(key for batch in batches(emulator) if "thrown" not in batch for key in batch)
    assert good == ["a", "b", "c", "d"]


def test_records_that_are_too_old_are_set_aside_without_more_retries(
    emulator: Settings, deployed: dict[str, str]
) -> None:
    lambda_ = client(emulator, "lambda")
    lambda_.update_event_source_mapping(UUID=deployed["Mapping"], MaximumRetryAttempts=100, MaximumRecordAgeInSeconds=2)
    put(emulator, "named")
    [failure] = set_aside(emulator, deployed)
    assert failure["requestContext"]["condition"] == "MaxRecordAgeExceeded"


def test_what_a_failure_points_at_can_be_read_after_a_restart_too(emulator: Settings, deployed: dict[str, str]) -> None:
    put(emulator, "a", "named")
    [failure] = set_aside(emulator, deployed)
    server.stop(emulator)
    server.start(emulator)
    assert pointed_at(emulator, failure) == ["named"]


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


def uploads(settings: Settings) -> list[tuple[str, str]]:
    said = [json.loads(line) for line in printed(settings) if line.startswith("{")]
    return [(line["upload"], line["event"]) for line in said if "upload" in line]


def test_an_upload_wakes_the_function_and_one_it_fails_on_is_set_aside_with_its_whole_event(
    emulator: Settings, deployed: dict[str, str]
) -> None:
    s3 = client(emulator, "s3")
    s3.put_object(Bucket=BUCKET, Key="elsewhere/1", Body=b"x")
    upload(emulator, "uploads/good")
    upload(emulator, "uploads/bad")
    [failure] = set_aside(emulator, deployed)
    assert failure["requestPayload"]["Records"][0]["s3"]["object"]["key"] == "uploads/bad"
    assert failure["requestPayload"]["Records"][0]["s3"]["bucket"]["name"] == BUCKET
    assert f":lambda:{REGION}:" in failure["requestContext"]["functionArn"]
    created = "ObjectCreated:Post"
    assert sorted(uploads(emulator)) == [("uploads/bad", created)] * 2 + [("uploads/good", created)]
