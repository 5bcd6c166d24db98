"""The stream's first consumer, and who hears of what goes wrong."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.infra.templates import APNS_SECRET, FCM_SECRET, ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.infra.templates import Resources

pytestmark = pytest.mark.xdist_group("infra")


def stream_of(resources: Resources) -> dict[str, Any]:
    """The event source that is a stream."""
    return resources.named("AWS::Lambda::EventSourceMapping", "PushStored")[1]


def test_stored_messages_and_what_is_to_be_fanned_out_wake_the_push_function(each: Resources) -> None:
    mapping = stream_of(each)
    assert "OfflinePush" in mapping["FunctionName"]["Ref"]
    assert "StorageLog" in mapping["EventSourceArn"]["Fn::GetAtt"][0]
    patterns = [json.loads(pattern["Pattern"]) for pattern in mapping["FilterCriteria"]["Filters"]]
    function = each.named("AWS::Lambda::Function", "OfflinePush")[1]
    if function["Environment"]["Variables"]["RETENTION_GROUP_DAYS"] != "0":
        assert patterns == [{"eventName": ["INSERT"]}]  # of each, the one before it may go some day
        return
    assert patterns == [
        {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"kind": {"S": ["message"]}}}},
        {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"fan_out": {"BOOL": [True]}}}},
        OWN_RULE,
        *([DELETED] if noting(each) else []),
    ]


# Of a conversation with a rule of its own for how long it is kept.
OWN_RULE = {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"keep_seq": {"N": [{"exists": True}]}}}}
DELETED = {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"kind": {"S": ["message_deleted"]}}}}
NOTED = {"pushed_seq": {"N": [{"exists": True}]}}


def noting(resources: Resources) -> set[str]:
    """The event source for memberships of which something was pushed, if there is one."""
    return {name for name in resources.of("AWS::Lambda::EventSourceMapping") if "PushNoted" in name}


def test_changes_where_a_push_is_noted_wake_the_push_function_and_no_others(
    aws: Resources, local: Resources, full: Resources
) -> None:
    assert not noting(aws)
    for resources in (local, full):
        mapping = resources.named("AWS::Lambda::EventSourceMapping", "PushNoted")[1]
        assert "OfflinePush" in mapping["FunctionName"]["Ref"]
        assert "StorageMembers" in mapping["EventSourceArn"]["Fn::GetAtt"][0]
        assert [json.loads(pattern["Pattern"]) for pattern in mapping["FilterCriteria"]["Filters"]] == [
            {"eventName": ["MODIFY"], "dynamodb": {"OldImage": NOTED, "NewImage": NOTED}},
            {"eventName": ["REMOVE"], "dynamodb": {"OldImage": NOTED}},
        ]
        assert mapping["MaximumBatchingWindowInSeconds"] == 1
        assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        queue, _ = resources.named("AWS::SQS::Queue", "PushFailures")
        assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": {"Fn::GetAtt": [queue, "Arn"]}}}


def test_a_bad_record_is_halved_out_retried_and_set_aside(each: Resources) -> None:
    mapping = stream_of(each)
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["MaximumRetryAttempts"] == 5
    assert mapping["MaximumRecordAgeInSeconds"] == 3600
    assert mapping["ParallelizationFactor"] == 4
    assert mapping["BatchSize"] == 100
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    queue, _ = each.named("AWS::SQS::Queue", "PushFailures")
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": {"Fn::GetAtt": [queue, "Arn"]}}}


def test_the_failure_queue_is_encrypted_and_keeps_records_for_two_weeks(each: Resources) -> None:
    _, queue = each.named("AWS::SQS::Queue", "PushFailures")
    assert queue["SqsManagedSseEnabled"] is True
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_the_page_of_costs_counts_alarms_and_queues_as_they_are(
    aws: Resources, synthesize: Callable[..., Resources]
) -> None:
    both = synthesize(fcm_secret_arn=FCM_SECRET, apns_secret_arn=APNS_SECRET)
    page = (ROOT / "docs" / "costs.md").read_text(encoding="utf-8")
    alarms, queues = (re.findall(rf"(\d+) {what}; (\d+) with both providers", page) for what in ("alarms", "queues"))
    assert alarms == [tuple(str(len(one.of("AWS::CloudWatch::Alarm"))) for one in (aws, both))]
    assert queues == [
        tuple(str(sum("Failures" not in name for name in one.of("AWS::SQS::Queue"))) for one in (aws, both))
    ]


def test_alarms_go_to_the_configured_topic(aws: Resources, full: Resources) -> None:
    for alarm in full.properties("AWS::CloudWatch::Alarm"):
        assert alarm["AlarmActions"] == ["arn:aws:sns:us-east-1:123456789012:alarms"]
    for alarm in aws.properties("AWS::CloudWatch::Alarm"):
        assert "AlarmActions" not in alarm


def test_who_missed_a_push_is_looked_for_twice_a_day_by_way_of_a_queue_that_can_be_replayed(
    full: Resources, local: Resources
) -> None:
    for resources in (full, local):
        _, rule = resources.named("AWS::Events::Rule", "PushSwept")
        assert (rule["ScheduleExpression"], rule["State"]) == ("rate(12 hours)", "ENABLED")
        [target] = rule["Targets"]
        looks, failures = (resources.named("AWS::SQS::Queue", name)[0] for name in ("LooksQueue", "LooksFailures"))
        assert target["Arn"] == {"Fn::GetAtt": [looks, "Arn"]}
        assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": [failures, "Arn"]}}
        assert not {"Input", "InputPath", "InputTransformer"} & target.keys()  # told by its source


def test_only_that_rule_may_put_something_into_these_queues(full: Resources) -> None:
    rule, _ = full.named("AWS::Events::Rule", "PushSwept")
    for name in ("LooksQueue", "LooksFailures"):
        queue, _ = full.named("AWS::SQS::Queue", name)
        [policy] = [one for one in full.properties("AWS::SQS::QueuePolicy") if one["Queues"] == [{"Ref": queue}]]
        allowed = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
        for one in allowed:
            assert one["Principal"] == {"Service": "events.amazonaws.com"}
            assert one["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Fn::GetAtt": [rule, "Arn"]}}}
            assert "sqs:SendMessage" in one["Action"]
        assert len(allowed) == 1


def test_where_nobody_can_be_pushed_to_nobody_is_looked_for(aws: Resources) -> None:
    assert not [name for name in aws.of("AWS::Events::Rule") if "PushSwept" in name]
