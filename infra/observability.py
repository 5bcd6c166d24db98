"""Alarms: what a person should look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_sns as sns
from constructs import Construct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_sqs as sqs

    from infra.config import Config
    from infra.function import Function
    from infra.push import OfflinePush

_PERIOD = Duration.minutes(5)
_PUSH_TROUBLES = {
    "PushMisconfigured": "A push provider does not take our credentials, or not for this app",
    "PushRefused": "A push provider calls a push malformed",
    "PushGivenUp": "A push could not be delivered to its provider for an hour",
}


class Observability(Construct):
    """One alarm for each function's errors, two for each failure queue, one for a push function that falls behind.

    And one for each thing that goes wrong with push providers, where there is one.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: Config,
        functions: Sequence[Function],
        push: OfflinePush,
        failures: Mapping[str, sqs.Queue],
    ) -> None:
        super().__init__(scope, construct_id)
        self._topic = (
            sns.Topic.from_topic_arn(self, "Topic", config.alarm_topic_arn) if config.alarm_topic_arn else None
        )
        for function in functions:
            name = function.node.id
            self._alarm(
                f"{name}Errors",
                function.resource.metric_errors(period=_PERIOD, statistic="Sum"),
                threshold=1,
                description=f"{name} failed: an invocation ended in an exception or a timeout",
            )
        for name, queue in failures.items():
            self._failures("Failed" + "".join(part.title() for part in name.split("-")), queue, name.replace("-", " "))
        if config.fcm_secret_arn or config.apns_secret_arn:
            self._pushes()
        self._alarm(
            "StreamLag",
            push.function.resource.metric(
                "IteratorAge", period=_PERIOD, statistic="Maximum", unit=cloudwatch.Unit.MILLISECONDS
            ),
            threshold=Duration.minutes(1).to_milliseconds(),
            description="Offline push is more than a minute behind the log",
        )

    def _pushes(self) -> None:
        """What the push function counts (shared/observability.py), and only when there is something to count."""
        for name, what in _PUSH_TROUBLES.items():
            metric = cloudwatch.Metric(
                namespace="Parley",
                metric_name=name,
                dimensions_map={"function": "offline-push"},
                period=_PERIOD,
                statistic="Sum",
            )
            self._alarm(name, metric, threshold=1, description=what)

    def _failures(self, construct_id: str, queue: sqs.Queue, what: str) -> None:
        self._alarm(
            construct_id,
            queue.metric_approximate_number_of_messages_visible(period=_PERIOD, statistic="Maximum"),
            threshold=1,
            description=f"Something failed at every try, and is in its failure queue ({what})",
        )
        self._alarm(
            f"{construct_id}Age",
            queue.metric_approximate_age_of_oldest_message(period=_PERIOD, statistic="Maximum"),
            threshold=Duration.days(7).to_seconds(),
            description=f"What is in a failure queue is a week old; it is deleted after two ({what})",
        )

    def _alarm(
        self, construct_id: str, metric: cloudwatch.Metric, *, threshold: float, description: str
    ) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            construct_id,
            metric=metric,
            threshold=threshold,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
            alarm_description=f"Parley: {description}",
        )
        if self._topic:
            alarm.add_alarm_action(actions.SnsAction(self._topic))
        return alarm
