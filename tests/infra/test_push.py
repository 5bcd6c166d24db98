"""The stream's consumer: one bad record never holds up another, and none is lost without a trace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.infra.templates import FUNCTIONS

if TYPE_CHECKING:
    from tests.infra.templates import Resources

pytestmark = pytest.mark.xdist_group("infra")


def stream_of(resources: Resources) -> dict[str, Any]:
    """The event source that is a stream."""
    return resources.named("AWS::Lambda::EventSourceMapping", "PushStream")[1]


def test_stored_messages_and_what_is_to_be_fanned_out_wake_the_push_function(each: Resources) -> None:
    mapping = stream_of(each)
    assert "OfflinePush" in mapping["FunctionName"]["Ref"]
    assert "StorageLog" in mapping["EventSourceArn"]["Fn::GetAtt"][0]
    assert [json.loads(pattern["Pattern"]) for pattern in mapping["FilterCriteria"]["Filters"]] == [
        {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"kind": {"S": ["message"]}}}},
        {"eventName": ["INSERT"], "dynamodb": {"NewImage": {"fan_out": {"BOOL": [True]}}}},
    ]


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


def test_alarms_watch_errors_each_failure_queue_and_the_streams_age(each: Resources) -> None:
    alarms = each.properties("AWS::CloudWatch::Alarm")
    watched = [(alarm["Namespace"], alarm["MetricName"]) for alarm in alarms]
    assert watched.count(("AWS/Lambda", "Errors")) == len(FUNCTIONS)
    assert watched.count(("AWS/Lambda", "IteratorAge")) == 1
    failures = {name for name in each.of("AWS::SQS::Queue") if "Failures" in name}
    assert len(failures) == 3
    for metric in ("ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"):
        assert watched.count(("AWS/SQS", metric)) == len(failures)
        assert {
            alarm["Dimensions"][0]["Value"]["Fn::GetAtt"][0] for alarm in alarms if alarm["MetricName"] == metric
        } == failures
    assert len(watched) == len(FUNCTIONS) + 1 + 2 * len(failures)
    for alarm in alarms:
        assert alarm["TreatMissingData"] == "notBreaching"


def test_alarms_go_to_the_configured_topic(aws: Resources, full: Resources) -> None:
    for alarm in full.properties("AWS::CloudWatch::Alarm"):
        assert alarm["AlarmActions"] == ["arn:aws:sns:us-east-1:123456789012:alarms"]
    for alarm in aws.properties("AWS::CloudWatch::Alarm"):
        assert "AlarmActions" not in alarm
