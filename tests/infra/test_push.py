"""The stream's consumer: one bad record never holds up another, and none is lost without a trace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.infra.templates import FUNCTIONS

if TYPE_CHECKING:
    from tests.infra.templates import Resources

pytestmark = pytest.mark.xdist_group("infra")


def test_stored_messages_and_nothing_else_wake_the_push_function(each: Resources) -> None:
    [mapping] = each.properties("AWS::Lambda::EventSourceMapping")
    assert "OfflinePush" in mapping["FunctionName"]["Ref"]
    assert "StorageLog" in mapping["EventSourceArn"]["Fn::GetAtt"][0]
    [pattern] = mapping["FilterCriteria"]["Filters"]
    assert json.loads(pattern["Pattern"]) == {
        "eventName": ["INSERT"],
        "dynamodb": {"NewImage": {"kind": {"S": ["message"]}}},
    }


def test_a_bad_record_is_halved_out_retried_and_set_aside(each: Resources) -> None:
    [mapping] = each.properties("AWS::Lambda::EventSourceMapping")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["MaximumRetryAttempts"] == 5
    assert mapping["MaximumRecordAgeInSeconds"] == 3600
    assert mapping["ParallelizationFactor"] == 4
    assert mapping["BatchSize"] == 100
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    [queue] = each.of("AWS::SQS::Queue")
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": {"Fn::GetAtt": [queue, "Arn"]}}}


def test_the_failure_queue_is_encrypted_and_keeps_records_for_two_weeks(each: Resources) -> None:
    [queue] = each.properties("AWS::SQS::Queue")
    assert queue["SqsManagedSseEnabled"] is True
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 3600


def test_alarms_watch_errors_the_failure_queue_and_the_streams_age(each: Resources) -> None:
    alarms = each.properties("AWS::CloudWatch::Alarm")
    watched = [(alarm["Namespace"], alarm["MetricName"]) for alarm in alarms]
    assert watched.count(("AWS/Lambda", "Errors")) == len(FUNCTIONS)
    assert watched.count(("AWS/SQS", "ApproximateNumberOfMessagesVisible")) == 1
    assert watched.count(("AWS/SQS", "ApproximateAgeOfOldestMessage")) == 1
    assert watched.count(("AWS/Lambda", "IteratorAge")) == 1
    assert len(watched) == len(FUNCTIONS) + 3
    for alarm in alarms:
        assert alarm["TreatMissingData"] == "notBreaching"


def test_alarms_go_to_the_configured_topic(aws: Resources, full: Resources) -> None:
    for alarm in full.properties("AWS::CloudWatch::Alarm"):
        assert alarm["AlarmActions"] == ["arn:aws:sns:us-east-1:123456789012:alarms"]
    for alarm in aws.properties("AWS::CloudWatch::Alarm"):
        assert "AlarmActions" not in alarm
