"""Reminders: schedules that end in the look queue, made one by one at run time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from infra.acknowledge import acknowledge_wildcard

if TYPE_CHECKING:
    from infra.function import Function
    from infra.queues import WorkQueue


class Reminders(Construct):
    """A group that holds the schedules, and the role with which they put what is due on the queue."""

    def __init__(self, scope: Construct, construct_id: str, *, looks: WorkQueue) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        group = scheduler.CfnScheduleGroup(self, "Group", name=f"{stack.stack_name}-reminders")
        self._group_name = str(group.name)
        self._schedules = stack.format_arn(
            service="scheduler", resource="schedule", resource_name=f"{self._group_name}/*"
        )
        self._role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": stack.account, "aws:SourceArn": group.attr_arn}},
            ),
        )
        self._role.add_to_principal_policy(
            iam.PolicyStatement(actions=["sqs:SendMessage"], resources=[looks.queue.queue_arn])
        )
        self.environment = {
            "SCHEDULE_GROUP": self._group_name,
            "SCHEDULE_ROLE_ARN": self._role.role_arn,
            "LOOK_QUEUE_ARN": looks.queue.queue_arn,
        }

    def allow_scheduling(self, function: Function) -> None:
        """Make and cancel schedules of this group, which act with this role and no other."""
        function.allow(["scheduler:CreateSchedule", "scheduler:DeleteSchedule"], self._schedules)
        acknowledge_wildcard(function.role, self._schedules, "Reminders' ids are made at run time; the group is exact.")
        function.role.add_to_principal_policy(
            iam.PolicyStatement(
                actions=["iam:PassRole"],
                resources=[self._role.role_arn],
                conditions={"StringEquals": {"iam:PassedToService": "scheduler.amazonaws.com"}},
            )
        )
