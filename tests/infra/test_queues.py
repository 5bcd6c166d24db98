"""Work for later: it is tried some times, set aside, and never handed out twice at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.infra.templates import Resources

pytestmark = pytest.mark.xdist_group("infra")

QUEUES = {"PresenceChecks": "Presence", "FanOut": "OfflinePush", "Looks": "OfflinePush"}
PUSH_QUEUES = {"FcmPushes": "OfflinePush", "ApnsPushes": "OfflinePush"}
# Configuration → its queues and who consumes them.
DEPLOYED = {"aws": QUEUES, "local": QUEUES | PUSH_QUEUES, "full": QUEUES | PUSH_QUEUES}
EACH_QUEUE = pytest.mark.parametrize(
    ("name", "queue", "function"),
    [(name, queue, function) for name, queues in DEPLOYED.items() for queue, function in queues.items()],
)


@pytest.fixture
def resources(name: str, request: pytest.FixtureRequest) -> Resources:
    """The configuration of the test's `name`."""
    found: Resources = request.getfixturevalue(name)
    return found


def source_of(resources: Resources, queue: str) -> dict[str, Any]:
    return resources.named("AWS::Lambda::EventSourceMapping", f"{queue}Source")[1]


@EACH_QUEUE
def test_a_queue_feeds_its_function_and_takes_back_single_messages(
    queue: str, function: str, resources: Resources
) -> None:
    logical_id, _ = resources.named("AWS::SQS::Queue", f"{queue}Queue")
    source = source_of(resources, queue)
    assert source["EventSourceArn"] == {"Fn::GetAtt": [logical_id, "Arn"]}
    assert f"{function}Function" in source["FunctionName"]["Ref"]
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert "MaximumBatchingWindowInSeconds" not in source
    assert "FilterCriteria" not in source


@pytest.mark.parametrize("name", DEPLOYED)
def test_nothing_else_wakes_a_function_but_the_streams(name: str, resources: Resources) -> None:
    """The log's has two consumers. The members' has one, where pushes may have to be taken back."""
    streams = [one for one in resources.properties("AWS::Lambda::EventSourceMapping") if not _is_of_queue(one)]
    assert len(resources.of("AWS::Lambda::EventSourceMapping")) == len(DEPLOYED[name]) + len(streams)
    read = sorted(source["EventSourceArn"]["Fn::GetAtt"][0][:-8] for source in streams)
    pushes = {"FcmPushes", "ApnsPushes"} <= DEPLOYED[name].keys()
    assert read == ["StorageLog", "StorageLog", *(["StorageMembers"] if pushes else [])]


def _is_of_queue(source: dict[str, Any]) -> bool:
    return "Queue" in source["EventSourceArn"]["Fn::GetAtt"][0]


@pytest.mark.parametrize("name", DEPLOYED)
def test_a_provider_that_is_not_set_up_has_no_queue(name: str, resources: Resources) -> None:
    work = [queue for queue in resources.of("AWS::SQS::Queue") if "Failures" not in queue]
    assert len(work) == len(DEPLOYED[name])


@EACH_QUEUE
def test_a_message_stays_hidden_for_six_times_as_long_as_its_function_may_take(
    queue: str, function: str, resources: Resources
) -> None:
    _, properties = resources.named("AWS::SQS::Queue", f"{queue}Queue")
    assert properties["VisibilityTimeout"] == 6 * resources.functions[function]["Timeout"]


@EACH_QUEUE
def test_what_failed_five_times_is_set_aside_for_two_weeks(queue: str, function: str, resources: Resources) -> None:
    _, properties = resources.named("AWS::SQS::Queue", f"{queue}Queue")
    failures, set_aside = resources.named("AWS::SQS::Queue", f"{queue}Failures")
    assert properties["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": [failures, "Arn"]},
        "maxReceiveCount": 5,
    }
    assert set_aside["MessageRetentionPeriod"] == 14 * 24 * 3600
    assert source_of(resources, queue)["EventSourceArn"] != {"Fn::GetAtt": [failures, "Arn"]}


def test_every_queue_is_encrypted(each: Resources) -> None:
    assert all(queue["SqsManagedSseEnabled"] is True for queue in each.properties("AWS::SQS::Queue"))


@pytest.mark.parametrize(
    ("name", "queue", "concurrency"),
    [
        *(("aws", queue, 5) for queue in ("PresenceChecks", "Looks")),
        *(("local", queue, 5) for queue in ("PresenceChecks", "Looks")),
        ("full", "PresenceChecks", 18),
        ("full", "Looks", 19),
    ],
)
def test_looks_come_ten_at_once_to_as_many_invocations_as_configured(
    name: str, queue: str, concurrency: int, resources: Resources
) -> None:
    source = source_of(resources, queue)
    assert source["BatchSize"] == 10
    assert source["ScalingConfig"] == {"MaximumConcurrency": concurrency}


def test_no_queue_may_take_all_of_the_accounts_concurrency(each: Resources) -> None:
    sources = each.properties("AWS::Lambda::EventSourceMapping")
    of_queues = [source for source in sources if _is_of_queue(source)]
    assert len(of_queues) >= 3
    assert all(source["ScalingConfig"]["MaximumConcurrency"] >= 2 for source in of_queues)


@pytest.mark.parametrize(("name", "concurrency"), [("local", 5), ("full", 9)])
def test_pushes_come_ten_at_once_to_as_many_invocations_as_configured(
    name: str, concurrency: int, resources: Resources
) -> None:
    for queue in PUSH_QUEUES:
        source = source_of(resources, queue)
        assert source["BatchSize"] == 10
        assert source["ScalingConfig"] == {"MaximumConcurrency": concurrency}


@pytest.mark.parametrize(("name", "concurrency"), [("aws", 5), ("local", 5), ("full", 8)])
def test_shards_of_a_fan_out_come_one_by_one_to_as_many_invocations_as_configured(
    name: str, concurrency: int, resources: Resources
) -> None:
    source = source_of(resources, "FanOut")
    assert source["BatchSize"] == 1
    assert source["ScalingConfig"] == {"MaximumConcurrency": concurrency}
