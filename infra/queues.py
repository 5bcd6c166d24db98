"""Work for later: a look at somebody's presence once a grace has passed, and posts to the members of large groups."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.acknowledge import acknowledge

if TYPE_CHECKING:
    from infra.config import Config
    from infra.function import Function

# The timeouts of the functions that the queues feed.
PRESENCE_SECONDS: Final = 10
FAN_OUT_SECONDS: Final = 60

_RECEIVES = 5
# So that a message is not handed out again while a throttled invocation of its batch is still being retried:
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
_VISIBILITY_FACTOR = 6


class WorkQueue(Construct):
    """A queue that a function consumes; what fails again and again is set aside."""

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
            removal_policy=_removal(config),
        )

    def allow_sending(self, function: Function) -> None:
        function.allow(["sqs:SendMessage"], self.queue.queue_arn)

    def feed(self, function: Function, *, batch_size: int, max_concurrency: int | None = None) -> None:
        """Not `SqsEventSource`: it also allows what the event source never does."""
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
    """The two queues, known before the functions that fill them and those that empty them."""

    def __init__(self, scope: Construct, construct_id: str, *, config: Config) -> None:
        super().__init__(scope, construct_id)
        self.presence_checks = WorkQueue(self, "PresenceChecks", config=config, consumer_seconds=PRESENCE_SECONDS)
        self.fan_out = WorkQueue(self, "FanOut", config=config, consumer_seconds=FAN_OUT_SECONDS)
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
        removal_policy=_removal(config),
    )
    last_stop = "This is where failed records end; an alarm watches it, and a person looks at them."
    acknowledge(queue, {"AwsSolutions-SQS3": last_stop, "Serverless-SQSRedrivePolicy": last_stop})
    return queue


def _removal(config: Config) -> RemovalPolicy:
    return RemovalPolicy.RETAIN if config.retains_data else RemovalPolicy.DESTROY
