"""Mail digests: who is due is looked at every few minutes, and SES sends; made only where a deployment mails."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration, Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_ses as ses
from constructs import Construct

if TYPE_CHECKING:
    from infra.config import Config
    from infra.function import Function
    from infra.queues import Queues

# So late may a look be; on a laptop somebody waits for it.
_ROUNDS = Duration.minutes(5)
_LOCAL_ROUNDS = Duration.minutes(1)


class Mail(Construct):
    """The rule that has who is due looked at, and what SES keeps of addresses that are none, or that complained."""

    def __init__(self, scope: Construct, construct_id: str, *, config: Config, queues: Queues) -> None:
        super().__init__(scope, construct_id)
        self._sender = config.mail_from
        # The emulator knows no such thing.
        self.configuration_set = (
            None
            if config.is_local
            else ses.CfnConfigurationSet(
                self,
                "Configuration",
                name=f"parley-{config.stage}",
                suppression_options=ses.CfnConfigurationSet.SuppressionOptionsProperty(
                    suppressed_reasons=["BOUNCE", "COMPLAINT"]
                ),
            )
        )
        rate = events.Schedule.rate(_LOCAL_ROUNDS if config.is_local else _ROUNDS)
        rule = events.Rule(self, "Rounds", description="Parley: who is due for a mail", schedule=rate)
        round_ = events.RuleTargetInput.from_object({"kind": "mail"})
        rule.add_target(targets.SqsQueue(queues.looks.queue, dead_letter_queue=queues.looks.failures, message=round_))

    @property
    def configuration_set_name(self) -> str:
        return str(self.configuration_set.ref) if self.configuration_set else ""

    def allow_sending(self, function: Function) -> None:
        """Mails from this address alone, by its own identity or its domain's."""
        stack = Stack.of(self)

        def arn(resource: str, name: str) -> str:
            return stack.format_arn(service="ses", resource=resource, resource_name=name)

        names = [self._sender, self._sender.partition("@")[2]]
        resources = [arn("identity", name) for name in names]
        if self.configuration_set:
            resources.append(arn("configuration-set", self.configuration_set_name))
        for resource in resources:
            function.allow(["ses:SendEmail"], resource)
