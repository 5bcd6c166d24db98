"""What the stack asks of the emulator's queues, event sources and stages: deployed by CloudFormation, used by HTTP."""

from __future__ import annotations

import json
import re
import urllib.request
from dataclasses import replace
from typing import Any

import pytest

from local import ports, processes, server
from local.settings import ACCOUNT, Settings
from tests.local.emulated import client, printed
from tests.local.templates import TABLE, function, queue, source

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("emulator")]

WAIT = 30.0
CONSUMER = """
import json, time
def handler(event, context):
    began = time.time()
    if len(event["Records"]) == 1:
        time.sleep(0.2)
    failed = []
    for record in event["Records"]:
        key = record["body"] if "body" in record else record["dynamodb"]["Keys"]["pk"]["S"]
        sent = int(record["attributes"]["SentTimestamp"]) / 1000 if "attributes" in record else began
        print(json.dumps({"key": key, "waited": began - sent, "began": began, "ended": time.time()}))
        if key == "bad":
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}
"""


def pattern(**attributes: dict[str, list[object]]) -> dict[str, str]:
    return {"Pattern": json.dumps({"eventName": ["INSERT"], "dynamodb": {"NewImage": attributes}})}


ROUTE_SETTINGS = {"sync": {"ThrottlingRateLimit": 5, "ThrottlingBurstLimit": 2, "LoggingLevel": "OFF"}}
TEMPLATE = {
    "Resources": {
        "Failures": {"Type": "AWS::SQS::Queue"},
        "Checks": queue("Failures", tries=2, SqsManagedSseEnabled=True),
        "FanOut": queue("Failures", tries=2, SqsManagedSseEnabled=True),
        "Table": TABLE,
        "Function": function(CONSUMER),
        "ChecksSource": source("Checks", BatchSize=10),
        "FanOutSource": source("FanOut", BatchSize=1, ScalingConfig={"MaximumConcurrency": 2}),
        "StreamSource": source(
            "Table",
            StartingPosition="TRIM_HORIZON",
            FilterCriteria={"Filters": [pattern(kind={"S": ["message"]}), pattern(fan_out={"BOOL": [True]})]},
        ),
        "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "live", "ProtocolType": "WEBSOCKET"}},
        "Stage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "Properties": {"ApiId": {"Ref": "Api"}, "StageName": "local", "RouteSettings": ROUTE_SETTINGS},
        },
    },
    "Outputs": {name: {"Value": {"Ref": name}} for name in ("Checks", "FanOut", "Failures", "Api")},
}


@pytest.fixture
def deployed(emulator: Settings) -> dict[str, str]:
    """The outputs of a stack with everything that the tests look at."""
    formation = client(emulator, "cloudformation")
    formation.create_stack(StackName="queues", TemplateBody=json.dumps(TEMPLATE))
    formation.get_waiter("stack_create_complete").wait(StackName="queues", WaiterConfig={"Delay": 1})
    [stack] = formation.describe_stacks(StackName="queues")["Stacks"]
    server.checkpoint(emulator)
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def send(settings: Settings, operation: str, **body: object) -> dict[str, Any]:
    """As the functions do it: JSON to the endpoint, the queue in the body."""
    request = urllib.request.Request(
        settings.address,
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": f"AmazonSQS.{operation}"},
    )
    with urllib.request.urlopen(request, timeout=WAIT) as reply:
        result: dict[str, Any] = json.load(reply)
    return result


def entries(*bodies: str) -> list[dict[str, str]]:
    return [{"Id": str(number), "MessageBody": body} for number, body in enumerate(bodies)]


def handled(settings: Settings) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed(settings)]


def keys(settings: Settings) -> list[str]:
    return sorted(one["key"] for one in handled(settings))


def test_a_queue_is_referred_to_by_its_url_and_a_message_waits_as_long_as_it_is_told(
    emulator: Settings, deployed: dict[str, str]
) -> None:
    assert re.fullmatch(rf"http://localhost:\d+/{ACCOUNT}/queues-Checks-\w+", deployed["Checks"])
    assert send(emulator, "SendMessage", QueueUrl=deployed["Checks"], MessageBody="later", DelaySeconds=2)["MessageId"]
    assert processes.wait_until(lambda: keys(emulator) == ["later"], WAIT)
    assert handled(emulator)[0]["waited"] >= 2


def test_a_single_failure_is_tried_again_and_then_set_aside(emulator: Settings, deployed: dict[str, str]) -> None:
    reply = send(emulator, "SendMessageBatch", QueueUrl=deployed["Checks"], Entries=entries("good", "bad"))
    assert [one["Id"] for one in reply["Successful"]] == ["0", "1"]
    sqs = client(emulator, "sqs")

    def set_aside() -> list[str]:
        received = sqs.receive_message(QueueUrl=deployed["Failures"], VisibilityTimeout=0)
        return [message["Body"] for message in received.get("Messages", [])]

    assert processes.wait_until(lambda: set_aside() == ["bad"], WAIT)
    assert keys(emulator) == ["bad", "bad", "good"]


def test_no_more_batches_are_handled_at_a_time_than_configured(emulator: Settings, deployed: dict[str, str]) -> None:
    bodies = [f"shard {number}" for number in range(6)]
    send(emulator, "SendMessageBatch", QueueUrl=deployed["FanOut"], Entries=entries(*bodies))
    assert processes.wait_until(lambda: set(bodies) <= set(keys(emulator)), WAIT)
    done = handled(emulator)
    for one in done:
        assert sum(other["began"] <= one["began"] < other["ended"] for other in done) <= 2


def test_a_record_that_fits_one_of_two_patterns_is_handed_over(emulator: Settings, deployed: dict[str, str]) -> None:
    dynamodb = client(emulator, "dynamodb")
    entries_of_a_log: dict[str, dict[str, Any]] = {
        "edit": {"kind": {"S": "edit"}, "fan_out": {"BOOL": False}},
        "reaction": {"kind": {"S": "reaction"}},
        "large": {"kind": {"S": "edit"}, "fan_out": {"BOOL": True}},
        "message": {"kind": {"S": "message"}},
    }
    for key, attributes in entries_of_a_log.items():
        dynamodb.put_item(TableName="log", Item={"pk": {"S": key}, **attributes})
    assert processes.wait_until(lambda: "message" in keys(emulator), WAIT)
    assert keys(emulator) == ["large", "message"]


def test_a_message_that_still_waits_outlives_an_orderly_stop(emulator: Settings, deployed: dict[str, str]) -> None:
    send(emulator, "SendMessage", QueueUrl=deployed["Checks"], MessageBody="later", DelaySeconds=2)
    server.stop(emulator)
    server.start(emulator)
    assert processes.wait_until(lambda: keys(emulator) == ["later"], WAIT)


def test_queues_go_on_when_the_stack_moves_to_another_port(emulator: Settings, deployed: dict[str, str]) -> None:
    server.stop(emulator)
    moved = replace(emulator, port=ports.free_port())
    server.start(moved)
    send(moved, "SendMessage", QueueUrl=deployed["Checks"], MessageBody="moved")
    assert processes.wait_until(lambda: keys(moved) == ["moved"], WAIT)
    server.stop(moved)


def test_a_stage_keeps_the_settings_of_its_routes(emulator: Settings, deployed: dict[str, str]) -> None:
    stage = client(emulator, "apigatewayv2").get_stage(ApiId=deployed["Api"], StageName="local")
    assert set(stage["RouteSettings"]) == {"sync"}
