"""What is watched: each function, queue and stream, the gateway, and what the functions count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from shared.adapters.aws.refusals import CLASSES
from shared.observability import NAMESPACE
from tests.infra.templates import FUNCTIONS, watched

if TYPE_CHECKING:
    from tests.infra.templates import Resources

pytestmark = pytest.mark.xdist_group("infra")

AGE = "ApproximateAgeOfOldestMessage"
PROVIDER_METRICS = {"PushMisconfigured", "PushRefused", "PushGivenUp"}
COUNTED = {"UnexpectedErrors", "PostsFailed", "FramesRefused", "ServiceErrors"}
SHARES = {"PostsFailed": ("AWS/ApiGateway", "MessageCount"), "FramesRefused": ("AWS/Lambda", "Invocations")}


def watching(resources: Resources, namespace: str, metric: str) -> list[dict[str, Any]]:
    alarms = resources.properties("AWS::CloudWatch::Alarm")
    return [alarm for alarm in alarms if (alarm.get("Namespace"), alarm.get("MetricName")) == (namespace, metric)]


def dimensions(alarm: dict[str, Any]) -> dict[str, Any]:
    return {one["Name"]: one["Value"] for one in alarm["Dimensions"]}


@pytest.mark.parametrize("metric", ["Errors", "Throttles"])
def test_each_functions_errors_and_throttles_ring_at_the_first(each: Resources, metric: str) -> None:
    alarms = watching(each, "AWS/Lambda", metric)
    assert {alarm["Threshold"] for alarm in alarms} == {1}
    watched = {dimensions(alarm)["FunctionName"]["Ref"] for alarm in alarms}
    assert watched == set(each.of("AWS::Lambda::Function"))
    assert len(alarms) == len(FUNCTIONS)


def test_the_lag_of_each_consumer_of_a_stream_is_watched(each: Resources) -> None:
    reading = {
        mapping["FunctionName"]["Ref"]
        for mapping in each.properties("AWS::Lambda::EventSourceMapping")
        if "StartingPosition" in mapping
    }
    lags = watching(each, "AWS/Lambda", "IteratorAge")
    assert {dimensions(alarm)["FunctionName"]["Ref"] for alarm in lags} == reading
    assert {alarm["Threshold"] for alarm in lags} == {60_000}
    assert len(lags) == 2


@pytest.mark.parametrize(("name", "queues"), [("aws", 3), ("local", 5), ("full", 5)])
def test_each_queue_is_watched_for_what_waits_and_each_failure_queue_for_what_is_in_it(
    name: str, queues: int, request: pytest.FixtureRequest
) -> None:
    resources: Resources = request.getfixturevalue(name)
    failures = {name for name in resources.of("AWS::SQS::Queue") if "Failures" in name}
    work = set(resources.of("AWS::SQS::Queue")) - failures
    assert len(work) == queues
    assert len(failures) == queues + 2
    inside = watching(resources, "AWS/SQS", "ApproximateNumberOfMessagesVisible")
    assert {_queue(alarm) for alarm in inside} == failures
    ages = {_queue(alarm): alarm["Threshold"] for alarm in watching(resources, "AWS/SQS", AGE)}
    assert set(ages) == work | failures
    assert {ages[name] for name in failures} == {7 * 86_400}
    held_back = {queue for queue in work if "PresenceChecks" in queue or "Pushes" in queue}
    assert {ages[queue] for queue in held_back} == {1_200}
    assert {ages[queue] for queue in work - held_back} == {300}


def test_nothing_waits_as_long_as_its_queue_may_hold_it_back_without_a_reason(each: Resources) -> None:
    """SQS delays by 900 seconds at most, which both the grace period and what a provider asks for may reach."""
    delayed = [alarm["Threshold"] for alarm in watching(each, "AWS/SQS", AGE) if "Failures" not in _queue(alarm)]
    assert max(delayed) > 900


@pytest.mark.parametrize("metric", ["IntegrationError", "ExecutionError"])
def test_the_web_socket_api_is_watched_by_its_id_and_stage(each: Resources, metric: str) -> None:
    (alarm,) = watching(each, "AWS/ApiGateway", metric)
    api, _ = each.named("AWS::ApiGatewayV2::Api", "WebSocket")
    _, stage = each.named("AWS::ApiGatewayV2::Stage", "WebSocket")
    assert dimensions(alarm) == {"ApiId": {"Ref": api}, "Stage": stage["StageName"]}
    assert alarm["Threshold"] == 1


def test_what_the_functions_count_is_watched_by_the_stage_alone_and_refused_calls_by_their_class(
    each: Resources,
) -> None:
    (stage,) = {function["Environment"]["Variables"]["STAGE"] for function in each.functions.values()}
    watched_first = [(alarm, watched(alarm)[0]) for alarm in each.properties("AWS::CloudWatch::Alarm")]
    own = [(alarm, first) for alarm, first in watched_first if first["Namespace"] == NAMESPACE]
    assert {first["MetricName"] for _, first in own} - PROVIDER_METRICS - {"MessageHookFailed"} == COUNTED
    by_class = [dimensions(first) for _, first in own if first["MetricName"] == "ServiceErrors"]
    assert {one["class"] for one in by_class} == {*CLASSES}
    assert [one["stage"] for one in by_class] == [stage] * len(CLASSES)
    for alarm, first in own:
        if first["MetricName"] != "ServiceErrors":
            assert dimensions(first) == {"stage": stage}
        assert first["Statistic"] == "Sum"
        if first["MetricName"] not in SHARES:
            assert alarm["Threshold"] == 1


@pytest.mark.parametrize("name", ["aws", "full"])
@pytest.mark.parametrize("metric", sorted(SHARES))
def test_what_grows_with_the_traffic_is_watched_as_a_share_of_it(
    name: str, metric: str, request: pytest.FixtureRequest
) -> None:
    resources: Resources = request.getfixturevalue(name)
    _, alarm = resources.named("AWS::CloudWatch::Alarm", metric)
    _, all_ = watched(alarm)
    assert (all_["Namespace"], all_["MetricName"], all_["Statistic"]) == (*SHARES[metric], "Sum")
    of = {"MessageCount": "ApiId", "Invocations": "FunctionName"}[all_["MetricName"]]
    assert ("WebSocketApi" if of == "ApiId" else "MessageFunction") in dimensions(all_)[of]["Ref"]
    (expression,) = [one["Expression"] for one in alarm["Metrics"] if "Expression" in one]
    assert expression == "IF(failed < 10, 0, IF(FILL(all, 0) > failed, 100 * failed / all, 100))"
    assert alarm["Threshold"] == 1


def test_the_emulator_which_knows_no_shares_counts(local: Resources) -> None:
    for metric in SHARES:
        _, alarm = local.named("AWS::CloudWatch::Alarm", metric)
        assert (alarm["MetricName"], alarm["Threshold"]) == (metric, 10)


def test_where_a_provider_is_set_up_one_alarm_watches_each_of_its_troubles(aws: Resources, full: Resources) -> None:
    watched = [
        {alarm.get("MetricName") for alarm in one.properties("AWS::CloudWatch::Alarm")} & PROVIDER_METRICS
        for one in (aws, full)
    ]
    assert watched == [set(), PROVIDER_METRICS]


def test_silence_is_no_alarm_and_each_says_what_it_means(each: Resources) -> None:
    alarms = each.properties("AWS::CloudWatch::Alarm")
    assert {alarm["TreatMissingData"] for alarm in alarms} == {"notBreaching"}
    descriptions = [alarm["AlarmDescription"] for alarm in alarms]
    assert len({*descriptions}) == len(descriptions)


def _queue(alarm: dict[str, Any]) -> str:
    name: str = dimensions(alarm)["QueueName"]["Fn::GetAtt"][0]
    return name
