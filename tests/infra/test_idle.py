"""What docs/costs.md has of a stack without clients is what a template has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import cost_model
from tests.infra.templates import APNS_SECRET, FCM_SECRET, watched

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.infra.templates import Resources

pytestmark = pytest.mark.xdist_group("infra")


@pytest.mark.parametrize("pushes", [False, True])
def test_what_stands_still_is_counted_in_the_template(pushes: bool, synthesize: Callable[..., Resources]) -> None:
    secrets = {"fcm_secret_arn": FCM_SECRET, "apns_secret_arn": APNS_SECRET} if pushes else {}
    stack = synthesize(**secrets)
    assert cost_model.Idle(
        alarms=len(stack.of("AWS::CloudWatch::Alarm")),
        watched=sum(len(watched(alarm)) for alarm in stack.properties("AWS::CloudWatch::Alarm")),
        queues=sum(is_of_a_queue(source) for source in stack.properties("AWS::Lambda::EventSourceMapping")),
        secrets=len(stack.of("AWS::SecretsManager::Secret")) + len(secrets),
        dashboards=len(stack.of("AWS::CloudWatch::Dashboard")),
    ) == (cost_model.WITH_PUSHES if pushes else cost_model.WITHOUT_PUSHES)


def test_what_mails_add_is_counted_too(synthesize: Callable[..., Resources]) -> None:
    without, with_ = synthesize(), synthesize(mail_from="chat@example.com")

    def metrics(stack: Resources) -> int:
        return sum(len(watched(alarm)) for alarm in stack.properties("AWS::CloudWatch::Alarm"))

    assert metrics(with_) - metrics(without) == cost_model.MAIL_ALARMS
    sources = [len(stack.of("AWS::Lambda::EventSourceMapping")) for stack in (without, with_)]
    assert sources[0] == sources[1]


def is_of_a_queue(source: dict[str, Any]) -> bool:
    return "Queue" in source["EventSourceArn"]["Fn::GetAtt"][0]


def test_memory_is_what_the_costs_are_reckoned_with(aws: Resources) -> None:
    reckoned = {
        "Message": cost_model.MESSAGE,
        "Authorizer": cost_model.AUTHORIZER,
        "Connect": cost_model.CONNECT,
        "Disconnect": cost_model.DISCONNECT,
        "Rest": cost_model.REQUEST,
        "OfflinePush": cost_model.STREAM,
        "Presence": cost_model.PRESENCE,
        "Files": cost_model.IMAGE,
    }
    sizes = {name: function["MemorySize"] for name, function in aws.functions.items()}
    assert {name: run.memory_mb for name, run in reckoned.items()} == sizes
