"""Events out: nothing of it unless it is asked for; its reader of the stream, its bus, its queue and its rights."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.infra.test_permissions import LOG_LINES, STREAM, consumes, granted
from tests.permissions import DYNAMODB

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.infra.templates import Resources

pytestmark = pytest.mark.xdist_group("infra")

ROWS = {(f"dynamodb:{action}", table) for action, table in DYNAMODB["Events"]}
BUS = {("events:PutEvents", "EventBus")}
ERRANDS = {*consumes("Errands"), ("sqs:SendMessage", "Errands"), ("sqs:SendMessage", "Errands' failures")}
FAILED = {("sqs:SendMessage", "Events' failures")}
SETTINGS = {
    *("LOG_TABLE", "MEMBERS_TABLE", "EVENT_QUEUE_URL", "EVENT_FAILURES_URL", "EVENT_BUS"),
    *("LOG_LEVEL", "STAGE", "TLS_ROOTS"),
    *("RETENTION_PRIVATE_DAYS", "RETENTION_GROUP_DAYS", "RETENTION_CHANNEL_DAYS"),
}


@pytest.fixture(scope="module")
def both(synthesize: Callable[..., Resources]) -> Resources:
    return synthesize(events="both")


def mapping_of(resources: Resources) -> dict[str, Any]:
    return resources.named("AWS::Lambda::EventSourceMapping", "EventsOutStored")[1]


def test_nothing_of_it_is_there_unless_it_is_asked_for(aws: Resources) -> None:
    assert not aws.of("AWS::Events::EventBus")
    assert not [name for name in aws.all if "EventsOut" in name or "Errands" in name]
    assert aws.functions["Rest"]["Environment"]["Variables"]["EVENT_QUEUE_URL"] == ""


@pytest.mark.parametrize(
    ("events", "has_bus", "has_webhooks"),
    [("both", True, True), ("eventbridge", True, False), ("webhooks", False, True)],
)
def test_each_half_has_what_it_needs_and_nothing_of_the_other(
    events: str, has_bus: bool, has_webhooks: bool, synthesize: Callable[..., Resources]
) -> None:
    resources = synthesize(events=events)
    variables = resources.functions["Events"]["Environment"]["Variables"]
    assert set(variables) == SETTINGS
    assert bool(variables["EVENT_BUS"]) == has_bus == bool(resources.of("AWS::Events::EventBus"))
    assert bool(variables["EVENT_QUEUE_URL"]) == has_webhooks
    assert bool(resources.functions["Rest"]["Environment"]["Variables"]["EVENT_QUEUE_URL"]) == has_webhooks
    wanted = STREAM | FAILED | LOG_LINES | (BUS if has_bus else set()) | (ERRANDS | ROWS if has_webhooks else set())
    assert set(granted(resources, "Events")) == wanted
    may_queue = ("sqs:SendMessage", "Errands") in set(granted(resources, "Rest"))
    assert may_queue == has_webhooks


def test_who_looks_at_files_may_note_what_becomes_of_them_only_where_it_is_told(
    both: Resources, aws: Resources
) -> None:
    noting = {("dynamodb:PutItem", "Log"), ("dynamodb:Query", "Log")}
    assert set(granted(both, "Files")) - set(granted(aws, "Files")) == noting
    assert [one.functions["Files"]["Environment"]["Variables"]["EVENTS"] for one in (both, aws)] == ["both", "off"]


def test_who_finds_that_users_come_and_go_may_note_it_only_where_it_is_told(
    both: Resources, synthesize: Callable[..., Resources]
) -> None:
    told = synthesize(events="both", presence_events="on")
    noting = {("dynamodb:PutItem", "Log")}
    more = {name: set(granted(told, name)) - set(granted(both, name)) for name in told.functions}
    assert {name: rights for name, rights in more.items() if rights} == {
        "Connect": noting | {("dynamodb:BatchGetItem", "Sessions")},
        "Presence": noting,
    }
    for name in ("Connect", "Presence", "Message", "Rest"):
        set_to = [one.functions[name]["Environment"]["Variables"]["PRESENCE_EVENTS"] for one in (told, both)]
        assert set_to == ["on", "off"]


def test_every_new_entry_is_read_in_the_order_of_its_conversation(both: Resources) -> None:
    mapping = mapping_of(both)
    assert "EventsFunction" in mapping["FunctionName"]["Ref"]
    assert "StorageLog" in mapping["EventSourceArn"]["Fn::GetAtt"][0]
    assert [json.loads(one["Pattern"]) for one in mapping["FilterCriteria"]["Filters"]] == [{"eventName": ["INSERT"]}]
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert (mapping["MaximumRetryAttempts"], mapping["MaximumRecordAgeInSeconds"]) == (20, 6 * 3_600)
    queue, _ = both.named("AWS::SQS::Queue", "EventsOutFailures")
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": {"Fn::GetAtt": [queue, "Arn"]}}}


def test_an_errand_comes_alone_and_is_hidden_as_long_as_it_may_take(both: Resources) -> None:
    _, queue = both.named("AWS::SQS::Queue", "ErrandsQueue")
    _, source = both.named("AWS::Lambda::EventSourceMapping", "ErrandsSource")
    assert queue["VisibilityTimeout"] == 6 * both.functions["Events"]["Timeout"] == 360
    assert (source["BatchSize"], source["ScalingConfig"]) == (1, {"MaximumConcurrency": 10})


def test_what_goes_wrong_rings(both: Resources, aws: Resources) -> None:
    def names(resources: Resources) -> set[str]:
        return {str(alarm.get("MetricName")) for alarm in resources.properties("AWS::CloudWatch::Alarm")}

    assert names(both) - names(aws) == {"WebhookDisabled", "WebhookGivenUp"}
    more = len(both.of("AWS::CloudWatch::Alarm")) - len(aws.of("AWS::CloudWatch::Alarm"))
    assert more == 2 + 2 + 1 + 2 * 2 + 1, "both metrics, the function's two, its lag, two failure queues, its queue"


def test_the_bus_and_the_failure_queues_are_told(both: Resources) -> None:
    outputs = both.template["Outputs"]
    assert "EventBusName" in outputs
    told = json.dumps(outputs["FailureQueues"]["Value"])
    assert "event-records" in told
    assert "errands" in told
