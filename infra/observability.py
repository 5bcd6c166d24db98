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

    from aws_cdk import aws_apigatewayv2 as gateway
    from aws_cdk import aws_sqs as sqs

    from infra.config import Config
    from infra.function import Function
    from infra.queues import Queues, WorkQueue
    from infra.target import Target

_PERIOD = Duration.minutes(5)
_UNEXPECTED = "A function met an error that nobody planned for; its client was answered all the same"
# Of what some always fail by the nature of things, the more the more there is. It rings from this share on, in percent
# and in five minutes; of fewer than so many none is looked at.
_SHARE = 1
_FEW = 10
# Of `ServiceErrors`, by class (shared/adapters/aws/refusals.py).
_CLASSES = {
    "denied": "AWS denies a call: a permission, a key of KMS, or the credentials",
    "throttled": "A service took no more, however often it was asked",
    "refused": "A service calls a request malformed, too large, or for what is not there",
    "failed": "A service failed (5xx), however often it was asked",
    "unreachable": "No usable answer from a service: TLS, DNS, a timeout, or a lost connection",
}
_PUSH_TROUBLES = {
    "PushMisconfigured": "A push provider does not take our credentials, or not for this app",
    "PushRefused": "A push provider calls a push malformed",
    "PushGivenUp": "A push could not be delivered to its provider for an hour",
}
_MAIL_TROUBLES = {
    "MailMisconfigured": "SES does not take mails from us: identity, sandbox, or a suspended account",
    "MailRefused": "SES refused a mail for good, or its answer was lost",
    "MailFailed": "A user could not be looked at for a mail",
    "MailGivenUp": "A mail could not be sent for a day",
}
# Of all that the account mails, as SES reckons it: from these on it looks into an account, and may stop its sending.
_MAIL_RATES = {
    "BounceRate": (0.05, "Of the account's mails too many come back: SES may stop its sending"),
    "ComplaintRate": (0.001, "Of the account's mails too many are called spam: SES may stop its sending"),
}
_WEBHOOK_TROUBLES = {
    "WebhookDisabled": "A webhook is switched off: its endpoint said that it is gone, or took nothing for five days",
    "WebhookGivenUp": "A webhook's endpoint refused an event for hours, and takes others: it is in the failure queue",
}
_HOOK = "The message hook gives no usable answer in time: messages are taken unseen, or none is taken"
_GATEWAY = {
    "IntegrationError": "The message, connect or disconnect function could not be called, or failed",
    "ExecutionError": "The WebSocket API could not call a function: its permission, or the function is throttled",
}
# A stream's records and a queue's messages are seen to within seconds; presence and pushes may be held back first.
_LAG = Duration.minutes(1)
_AGE = Duration.minutes(5)
_HELD_BACK_AGE = Duration.minutes(20)  # SQS holds a message back for 15 minutes at most


class Observability(Construct):
    """Alarms on what goes wrong inside functions, at the services they call, at the gateway, in queues and streams.

    Those of push providers only where there is one.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: Config,
        target: Target,
        functions: Sequence[Function],
        consumers: Mapping[str, Function],
        queues: Queues,
        stage: gateway.WebSocketStage,
        failures: Mapping[str, sqs.Queue],
    ) -> None:
        """`consumers` are those of the log's stream, by the names of their alarms."""
        super().__init__(scope, construct_id)
        self._stage = config.stage
        self._topic = (
            sns.Topic.from_topic_arn(self, "Topic", config.alarm_topic_arn) if config.alarm_topic_arn else None
        )
        for function in functions:
            self._of_function(function)
        for name, queue in failures.items():
            self._failures("Failed" + _joined(name), queue, name.replace("-", " "))
        self._alarm("UnexpectedErrors", self._counted("UnexpectedErrors"), threshold=1, description=_UNEXPECTED)
        self._failing(stage, functions, target)
        for kind, what in _CLASSES.items():
            metric = self._counted("ServiceErrors", **{"class": kind})
            self._alarm(f"ServiceErrors{kind.title()}", metric, threshold=1, description=what)
        for name, what in _troubles(config).items():
            self._alarm(name, self._counted(name), threshold=1, description=what)
        if config.mail_from and not config.is_local:
            self._of_mails()
        self._of_gateway(stage)
        for name, work in queues.all.items():
            self._waiting(name, work)
        for name, function in consumers.items():
            self._lagging(name, function)

    def _of_function(self, function: Function) -> None:
        name = function.node.id
        self._alarm(
            f"{name}Errors",
            function.resource.metric_errors(period=_PERIOD, statistic="Sum"),
            threshold=1,
            description=f"{name} failed: an invocation ended in an exception or a timeout",
        )
        self._alarm(
            f"{name}Throttles",
            function.resource.metric_throttles(period=_PERIOD, statistic="Sum"),
            threshold=1,
            description=f"{name} was not invoked: the concurrency of the account, or the function's own, is used up",
        )

    def _of_gateway(self, stage: gateway.WebSocketStage) -> None:
        for name, what in _GATEWAY.items():
            metric = stage.metric(name, period=_PERIOD, statistic="Sum")
            self._alarm(f"WebSocket{name}", metric, threshold=1, description=what)

    def _of_mails(self) -> None:
        for name, (limit, what) in _MAIL_RATES.items():
            metric = cloudwatch.Metric(
                namespace="AWS/SES", metric_name=f"Reputation.{name}", period=_PERIOD, statistic="Maximum"
            )
            self._alarm(f"Mail{name}", metric, threshold=limit, description=what)

    def _failing(self, stage: gateway.WebSocketStage, functions: Sequence[Function], target: Target) -> None:
        """Posts of all that the gateway carried, in and out; frames of all that came."""
        carried = stage.metric("MessageCount", period=_PERIOD, statistic="Sum")
        message = next(one for one in functions if one.node.id == "Message")
        frames = message.resource.metric_invocations(period=_PERIOD, statistic="Sum")
        posts = "Of what the gateway carries, posts to connections fail; members get what they missed when they sync"
        refused = "Of all frames, some are answered unavailable or internal; their clients send them again"
        for name, all_, what in (("PostsFailed", carried, posts), ("FramesRefused", frames, refused)):
            if target.has_metric_math:
                self._alarm(name, self._share(name, all_), threshold=_SHARE, description=what)
            else:
                self._alarm(name, self._counted(name), threshold=_FEW, description=what)

    def _share(self, name: str, all_: cloudwatch.IMetric) -> cloudwatch.IMetric:
        """Nothing where nothing is counted; all of it where there is more of it than of all."""
        return cloudwatch.MathExpression(
            expression=f"IF(failed < {_FEW}, 0, IF(FILL(all, 0) > failed, 100 * failed / all, 100))",
            using_metrics={"failed": self._counted(name), "all": all_},
            label=f"{name}, percent",
            period=_PERIOD,
        )

    def _waiting(self, name: str, queue: WorkQueue) -> None:
        """How long the work of a queue waits; what failed has an alarm of its own."""
        is_held_back = name in {"presence-checks", "errands"} or name.endswith("-pushes")
        self._alarm(
            f"{_joined(name)}Waiting",
            queue.queue.metric_approximate_age_of_oldest_message(period=_PERIOD, statistic="Maximum"),
            threshold=(_HELD_BACK_AGE if is_held_back else _AGE).to_seconds(),
            description=f"Work waits in a queue, longer than it is held back ({name.replace('-', ' ')})",
        )

    def _lagging(self, name: str, function: Function) -> None:
        metric = function.resource.metric(
            "IteratorAge", period=_PERIOD, statistic="Maximum", unit=cloudwatch.Unit.MILLISECONDS
        )
        what = f"{function.node.id} is more than a minute behind the log"
        self._alarm(name, metric, threshold=_LAG.to_milliseconds(), description=what)

    def _counted(self, name: str, **dimensions: str) -> cloudwatch.Metric:
        """What the functions of this stage count, and only when there is something to count."""
        return cloudwatch.Metric(
            namespace="Parley",
            metric_name=name,
            dimensions_map={"stage": self._stage, **dimensions},
            period=_PERIOD,
            statistic="Sum",
        )

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
        self, construct_id: str, metric: cloudwatch.IMetric, *, threshold: float, description: str
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


def _joined(name: str) -> str:
    """`stream-records` as an id: StreamRecords."""
    return "".join(part.title() for part in name.split("-"))


def _troubles(config: Config) -> dict[str, str]:
    """What a deployment counts that has pushes, mails, a hook or webhooks."""
    has_pushes = bool(config.fcm_secret_arn or config.apns_secret_arn or config.web_push_secret_arn)
    kinds = (
        (has_pushes, _PUSH_TROUBLES),
        (bool(config.mail_from), _MAIL_TROUBLES),
        (bool(config.message_hook), {"MessageHookFailed": _HOOK}),
        (config.has_webhooks, _WEBHOOK_TROUBLES),
    )
    return {name: what for is_there, troubles in kinds if is_there for name, what in troubles.items()}
