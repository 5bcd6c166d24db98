"""Files: who hears of uploads and of what no message has any more, and what happens if that fails."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.infra.templates import Resources

pytestmark = pytest.mark.xdist_group("infra")


def failures(resources: Resources) -> dict[str, Any]:
    name, _ = resources.named("AWS::SQS::Queue", "FileChecksFailures")
    return {"Fn::GetAtt": [name, "Arn"]}


def rules_of(resources: Resources) -> dict[str, dict[str, Any]]:
    """The rules that wake the function for files."""
    return {name: one for name, one in resources.of("AWS::Events::Rule").items() if "FileChecks" in name}


def test_the_bucket_tells_eventbridge_and_nobody_else(each: Resources) -> None:
    [bucket] = each.properties("AWS::S3::Bucket")
    assert bucket["NotificationConfiguration"] == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}


def test_no_resource_of_the_cdks_own_may_change_notifications(each: Resources) -> None:
    assert not [name for name, resource in each.all.items() if resource["Type"].startswith("Custom::")]


def test_uploads_to_this_bucket_wake_the_function_and_nothing_else_in_it_does(each: Resources) -> None:
    _, rule = each.named("AWS::Events::Rule", "Uploaded")
    [bucket] = each.of("AWS::S3::Bucket")
    assert rule["EventPattern"] == {
        "source": ["aws.s3"],
        "detail-type": ["Object Created"],
        "detail": {"bucket": {"name": [{"Ref": bucket}]}, "object": {"key": [{"prefix": "uploads/"}]}},
    }
    assert rule["State"] == "ENABLED"
    assert "EventBusName" not in rule
    [target] = rule["Targets"]
    assert "FilesFunction" in target["Arn"]["Fn::GetAtt"][0]
    assert "InputTransformer" not in target


def test_an_upload_that_cannot_be_handed_over_is_set_aside_within_an_hour(each: Resources) -> None:
    for rule in rules_of(each).values():
        [target] = rule["Properties"]["Targets"]
        assert target["RetryPolicy"] == {"MaximumRetryAttempts": 2, "MaximumEventAgeInSeconds": 3_600}
        assert target["DeadLetterConfig"] == {"Arn": failures(each)}


def test_files_that_lead_nowhere_are_looked_for_every_quarter_of_an_hour(each: Resources) -> None:
    _, rule = each.named("AWS::Events::Rule", "FileChecksSwept")
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(15 minutes)", "ENABLED")
    [target] = rule["Targets"]
    assert "FilesFunction" in target["Arn"]["Fn::GetAtt"][0]


def test_an_upload_whose_check_fails_is_tried_twice_more_and_set_aside(each: Resources) -> None:
    [config] = each.properties("AWS::Lambda::EventInvokeConfig")
    assert "FilesFunction" in config["FunctionName"]["Ref"]
    assert config["Qualifier"] == "$LATEST"
    assert (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"]) == (2, 3_600)
    assert config["DestinationConfig"] == {"OnFailure": {"Destination": failures(each)}}


def test_only_these_rules_may_set_uploads_aside(each: Resources) -> None:
    rules = rules_of(each)
    queue, _ = each.named("AWS::SQS::Queue", "FileChecksFailures")
    [policy] = [one for one in each.properties("AWS::SQS::QueuePolicy") if one["Queues"] == [{"Ref": queue}]]
    allowed = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
    for one in allowed:
        assert (one["Action"], one["Resource"]) == ("sqs:SendMessage", failures(each))
        assert one["Principal"] == {"Service": "events.amazonaws.com"}
    sources = [one["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::GetAtt"] for one in allowed]
    assert sorted(sources) == sorted([rule, "Arn"] for rule in rules)


def test_deletions_of_messages_with_a_file_wake_the_function(each: Resources) -> None:
    _, mapping = each.named("AWS::Lambda::EventSourceMapping", "FileChecksDeleted")
    assert "FilesFunction" in mapping["FunctionName"]["Ref"]
    assert "StorageLog" in mapping["EventSourceArn"]["Fn::GetAtt"][0]
    [pattern] = [json.loads(one["Pattern"]) for one in mapping["FilterCriteria"]["Filters"]]
    assert pattern == {
        "eventName": ["INSERT"],
        "dynamodb": {"NewImage": {"kind": {"S": ["message_deleted"]}, "file_id": {"S": [{"exists": True}]}}},
    }


def test_a_deletion_that_fails_is_halved_out_retried_and_set_aside(each: Resources) -> None:
    _, mapping = each.named("AWS::Lambda::EventSourceMapping", "FileChecksDeleted")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert (mapping["MaximumRetryAttempts"], mapping["MaximumRecordAgeInSeconds"]) == (5, 3_600)
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": failures(each)}}


def test_the_failure_queue_is_encrypted_and_keeps_for_two_weeks(each: Resources) -> None:
    _, queue = each.named("AWS::SQS::Queue", "FileChecksFailures")
    assert queue["SqsManagedSseEnabled"] is True
    assert queue["MessageRetentionPeriod"] == 14 * 24 * 3_600


def test_pages_of_allowed_origins_may_upload_and_download(full: Resources) -> None:
    [bucket] = full.properties("AWS::S3::Bucket")
    [rule] = bucket["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedOrigins"] == ["https://chat.example.com", "https://example.com:8443"]
    assert sorted(rule["AllowedMethods"]) == ["GET", "POST"]


def test_on_a_laptop_pages_of_it_may(local: Resources) -> None:
    [bucket] = local.properties("AWS::S3::Bucket")
    [rule] = bucket["CorsConfiguration"]["CorsRules"]
    assert rule["AllowedOrigins"] == ["http://localhost:*", "http://127.0.0.1:*"]


def test_without_allowed_origins_no_page_may(aws: Resources) -> None:
    [bucket] = aws.properties("AWS::S3::Bucket")
    assert "CorsConfiguration" not in bucket
