"""Reminders: a group of schedules, and a role that only they may use, for the look queue alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.infra.templates import Resources

pytestmark = pytest.mark.xdist_group("infra")

STACKS = pytest.mark.parametrize(("name", "stack"), [("aws", "prod"), ("local", "local"), ("full", "staging")])


@STACKS
def test_each_stack_has_a_group_of_its_own(name: str, stack: str, request: pytest.FixtureRequest) -> None:
    resources: Resources = request.getfixturevalue(name)
    [group] = resources.properties("AWS::Scheduler::ScheduleGroup")
    assert group["Name"] == f"Parley-{stack}-reminders"
    assert variables(resources)["SCHEDULE_GROUP"] == group["Name"]


def test_only_schedules_of_the_group_may_take_the_role(each: Resources) -> None:
    [group] = each.of("AWS::Scheduler::ScheduleGroup")
    _, role = each.named("AWS::IAM::Role", "RemindersRole")
    [statement] = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert statement["Condition"] == {
        "StringEquals": {
            "aws:SourceAccount": {"Ref": "AWS::AccountId"},
            "aws:SourceArn": {"Fn::GetAtt": [group, "Arn"]},
        }
    }
    assert not {"ManagedPolicyArns", "Policies"} & set(role)


def test_the_role_may_send_to_the_look_queue_and_do_nothing_else(each: Resources) -> None:
    queue, _ = each.named("AWS::SQS::Queue", "LooksQueue")
    [statement] = each.statements("Reminders")
    assert (statement["Effect"], statement["Action"]) == ("Allow", "sqs:SendMessage")
    assert statement["Resource"] == {"Fn::GetAtt": [queue, "Arn"]}


def test_the_http_api_is_told_the_role(each: Resources) -> None:
    role, _ = each.named("AWS::IAM::Role", "RemindersRole")
    assert variables(each)["SCHEDULE_ROLE_ARN"] == {"Fn::GetAtt": [role, "Arn"]}


def variables(resources: Resources) -> dict[str, Any]:
    found: dict[str, Any] = resources.functions["Rest"]["Environment"]["Variables"]
    return found
