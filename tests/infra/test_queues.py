"""Work for later: it is tried some times, set aside, and never handed out twice at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.infra.templates import Resources

pytestmark = pytest.mark.xdist_group("infra")

QUEUES = {"PresenceChecks": "Presence", "FanOut": "OfflinePush"}
EACH_QUEUE = pytest.mark.parametrize(("queue", "function"), QUEUES.items())


def source_of(resources: Resources, queue: str) -> dict[str, Any]:
    return resources.named("AWS::Lambda::EventSourceMapping", f"{queue}Source")[1]


@EACH_QUEUE
def test_a_queue_feeds_its_function_and_takes_back_single_messages(queue: str, function: str, each: Resources) -> None:
    logical_id, _ = each.named("AWS::SQS::Queue", f"{queue}Queue")
    source = source_of(each, queue)
    assert source["EventSourceArn"] == {"Fn::GetAtt": [logical_id, "Arn"]}
    assert f"{function}Function" in source["FunctionName"]["Ref"]
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert "MaximumBatchingWindowInSeconds" not in source
    assert "FilterCriteria" not in source


def test_nothing_else_wakes_a_function(each: Resources) -> None:
    assert len(each.of("AWS::Lambda::EventSourceMapping")) == len(QUEUES) + 1


@EACH_QUEUE
def test_a_message_stays_hidden_for_six_times_as_long_as_its_function_may_take(
    queue: str, function: str, each: Resources
) -> None:
    _, properties = each.named("AWS::SQS::Queue", f"{queue}Queue")
    assert properties["VisibilityTimeout"] == 6 * each.functions[function]["Timeout"]


@EACH_QUEUE
def test_what_failed_five_times_is_set_aside_for_two_weeks(queue: str, function: str, each: Resources) -> None:
    _, properties = each.named("AWS::SQS::Queue", f"{queue}Queue")
    failures, set_aside = each.named("AWS::SQS::Queue", f"{queue}Failures")
    assert properties["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": [failures, "Arn"]},
        "maxReceiveCount": 5,
    }
    assert set_aside["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert source_of(each, queue)["EventSourceArn"] != {"Fn::GetAtt": [failures, "Arn"]}


def test_every_queue_is_encrypted(each: Resources) -> None:
    assert all(queue["SqsManagedSseEnabled"] is True for queue in each.properties("AWS::SQS::Queue"))


def test_ten_presence_checks_come_at_once(each: Resources) -> None:
    source = source_of(each, "PresenceChecks")
    assert source["BatchSize"] == 10
    assert "ScalingConfig" not in source


@pytest.mark.parametrize(("name", "concurrency"), [("aws", 5), ("local", 5), ("full", 8)])
def test_shares_of_a_fan_out_come_one_by_one_to_as_many_invocations_as_configured(
    name: str, concurrency: int, request: pytest.FixtureRequest
) -> None:
    source = source_of(request.getfixturevalue(name), "FanOut")
    assert source["BatchSize"] == 1
    assert source["ScalingConfig"] == {"MaximumConcurrency": concurrency}
