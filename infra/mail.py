"""Mail digests: who is due is looked at every few minutes, and SES sends; made only where a deployment mails.

What SES tells of mails that came back, or were called spam, goes by EventBridge to the queue of looks. To it SES puts
events on the default bus alone, beside those of other stages: they are told apart by the configuration set.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

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
# The laptop's SES tells of mails by another name: nobody but AWS may use names that begin with `aws`.
_LOCAL_SOURCE: Final = "local.ses"
# Which events end the mails to an address: those that come back for good, and those that were called spam. A reader may
# also say that one is no spam, which comes as a complaint, too.
_STOPS: Final[Mapping[str, tuple[str, dict[str, Any]]]] = {
    "bounce": ("Email Bounced", {"bounce": {"bounceType": ["Permanent"]}}),
    "complaint": (
        "Email Complaint Received",
        {"complaint": {"complaintFeedbackType": [{"exists": False}, {"anything-but": ["not-spam"]}]}},
    ),
}


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

        if self.configuration_set:
            self._tell_of_mails(self.configuration_set)
        for reason, (name, of) in _STOPS.items():
            self._stop(reason, name, of, queues)

    def _tell_of_mails(self, configuration_set: ses.CfnConfigurationSet) -> None:
        stack = Stack.of(self)
        bus = stack.format_arn(service="events", resource="event-bus", resource_name="default")
        ses.CfnConfigurationSetEventDestination(
            self,
            "Told",
            configuration_set_name=configuration_set.ref,
            event_destination=ses.CfnConfigurationSetEventDestination.EventDestinationProperty(
                enabled=True,
                matching_event_types=["BOUNCE", "COMPLAINT"],
                event_bridge_destination=ses.CfnConfigurationSetEventDestination.EventBridgeDestinationProperty(
                    event_bus_arn=bus
                ),
            ),
        )

    def _stop(self, reason: str, name: str, of: dict[str, Any], queues: Queues) -> None:
        """Of what is told only whose mail it was goes on, and to which address: not what it says."""
        ours = {"mail": {"tags": {"ses:configuration-set": [self.configuration_set_name]}}}
        pattern = events.EventPattern(
            source=["aws.ses"] if self.configuration_set else [_LOCAL_SOURCE],
            detail_type=[name],
            detail={**of, **(ours if self.configuration_set else {})},
        )
        rule = events.Rule(
            self, f"{reason.title()}s", description=f"Parley: mails end by a {reason}", event_pattern=pattern
        )
        message = events.RuleTargetInput.from_object(
            {
                "kind": "mail_stop",
                "reason": reason,
                "tags": events.EventField.from_path("$.detail.mail.tags"),
                "to": events.EventField.from_path("$.detail.mail.destination"),
            }
        )
        rule.add_target(targets.SqsQueue(queues.looks.queue, dead_letter_queue=queues.looks.failures, message=message))

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
