"""Work for later: looks at who came, went or may not have got something, posts to large groups, and pushes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.removal import removal_of

if TYPE_CHECKING:
    from infra.config import Config
    from infra.function import Function

# The timeouts of the functions that the queues feed.
PRESENCE_SECONDS: Final = 10
PUSH_SECONDS: Final = 60
EVENTS_SECONDS: Final = 60

_RECEIVES = 5
# So that a message is not handed out again while a throttled invocation of its batch is still being retried:
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
_VISIBILITY_FACTOR = 6


class WorkQueue(Construct):
    """A queue that a function consumes; what fails again and again goes to its failure queue."""

    def __init__(self, scope: Construct, construct_id: str, *, config: Config, consumer_seconds: int) -> None:
        super().__init__(scope, construct_id)
        self.failures = failure_queue(self, "Failures", config)
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            visibility_timeout=Duration.seconds(_VISIBILITY_FACTOR * consumer_seconds),
            dead_letter_queue=sqs.DeadLetterQueue(max_receive_count=_RECEIVES, queue=self.failures),
            removal_policy=removal_of(config),
        )

    def allow_sending(self, function: Function) -> None:
        function.allow(["sqs:SendMessage"], self.queue.queue_arn)

    def feed(self, function: Function, *, batch_size: int, max_concurrency: int) -> None:
        """At most so many invocations at a time: what piles up must leave the account's concurrency to the others.

        Not `SqsEventSource`: it also allows what the event source never does.
        """
        function.allow(["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"], self.queue.queue_arn)
        source = lambda_.EventSourceMapping(
            self,
            "Source",
            target=function.resource,
            event_source_arn=self.queue.queue_arn,
            batch_size=batch_size,
            report_batch_item_failures=True,
            max_concurrency=max_concurrency,
        )
        own_failures = "A queue has no destination for failures but its own dead-letter queue."
        acknowledge(source, {"Serverless-LambdaEventSourceMappingDestination": own_failures})


class Queues(Construct):
    """All of them, known before the functions that fill them and those that empty them.

    `pushes` has one queue for each provider that is set up, and there is one of `errands` only where there are
    webhooks: an idle queue is polled, and that costs.
    """

    def __init__(self, scope: Construct, construct_id: str, *, config: Config) -> None:
        super().__init__(scope, construct_id)
        self.presence_checks = WorkQueue(self, "PresenceChecks", config=config, consumer_seconds=PRESENCE_SECONDS)
        self.fan_out = WorkQueue(self, "FanOut", config=config, consumer_seconds=PUSH_SECONDS)
        self.looks = WorkQueue(self, "Looks", config=config, consumer_seconds=PUSH_SECONDS)
        providers = {"Fcm": config.fcm_secret_arn, "Apns": config.apns_secret_arn, "Web": config.web_push_secret_arn}
        self.pushes = {
            name: WorkQueue(self, f"{name}Pushes", config=config, consumer_seconds=PUSH_SECONDS)
            for name, secret in providers.items()
            if secret
        }
        has_webhooks = config.has_webhooks
        self.errands = (
            WorkQueue(self, "Errands", config=config, consumer_seconds=EVENTS_SECONDS) if has_webhooks else None
        )
        self.event_environment = {"EVENT_QUEUE_URL": self.errands.queue.queue_url if self.errands else ""}
        self.all = {
            "presence-checks": self.presence_checks,
            "fan-out": self.fan_out,
            "looks": self.looks,
            **{f"{name.lower()}-pushes": queue for name, queue in self.pushes.items()},
            **({"errands": self.errands} if self.errands else {}),
        }
        self.push_environment = {
            f"{name.upper()}_QUEUE_URL": self.pushes[name].queue.queue_url if name in self.pushes else ""
            for name in providers
        }
        self.look_environment = {
            "LOOK_QUEUE_URL": self.looks.queue.queue_url,
            "SECOND_LOOK_S": str(config.second_look_s),
        }
        self.presence_environment = {
            "PRESENCE_QUEUE_URL": self.presence_checks.queue.queue_url,
            "PRESENCE_GRACE_S": str(config.presence_grace_s),
        }


def failure_queue(scope: Construct, construct_id: str, config: Config) -> sqs.Queue:
    """Where work ends that could not be done; kept for two weeks."""
    queue = sqs.Queue(
        scope,
        construct_id,
        encryption=sqs.QueueEncryption.SQS_MANAGED,
        enforce_ssl=True,
        retention_period=Duration.days(14),
        removal_policy=removal_of(config),
    )
    last_stop = "This is where failed records end; an alarm watches it, and a person looks at them."
    acknowledge(queue, {"AwsSolutions-SQS3": last_stop, "Serverless-SQSRedrivePolicy": last_stop})
    return queue
