"""What happens after a message is stored: the log table's stream wakes the push function."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.acknowledge import acknowledge
from infra.function import Function

if TYPE_CHECKING:
    from infra.bundling import Bundle
    from infra.config import Config
    from infra.storage import Storage
    from infra.target import Target

# A push that comes an hour late tells nobody anything: better to set the record aside than to block its shard.
_MAX_AGE = Duration.hours(1)
_RETRIES = 5
_BATCH = 100
# Shards are read by this many invocations at a time, in order within each conversation.
_PARALLEL = 4


class OfflinePush(Construct):
    """One bad record is halved out of its batch, retried a few times, and set aside; nothing waits for it longer."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: Config,
        target: Target,
        storage: Storage,
        bundle: Bundle,
    ) -> None:
        super().__init__(scope, construct_id)
        self.failures = self._failure_queue(config)
        self.function = Function(
            self,
            "OfflinePush",
            config=config,
            target=target,
            bundle=bundle,
            handler="functions.offline_push.handler.handler",
            description="Parley: looks at every stored message for members without a live connection",
            environment={"SESSIONS_TABLE": storage.sessions.table_name, "LOG_LEVEL": config.log_level},
            timeout_seconds=60,
            memory_mb=256,
        )
        stream_arn = cast("str", storage.log.table_stream_arn)
        self.function.allow(["dynamodb:BatchGetItem"], storage.sessions.table_arn)
        self.function.allow(
            ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"],
            stream_arn,
        )
        self.function.allow(["sqs:SendMessage"], self.failures.queue_arn)
        self._source(stream_arn)

    def _source(self, stream_arn: str) -> None:
        """Not `DynamoEventSource` nor `on_failure`: they add permissions of their own, one of them on '*'."""
        mapping = lambda_.EventSourceMapping(
            self,
            "Stream",
            target=self.function.resource,
            event_source_arn=stream_arn,
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            batch_size=_BATCH,
            parallelization_factor=_PARALLEL,
            report_batch_item_failures=True,
            bisect_batch_on_error=True,
            retry_attempts=_RETRIES,
            max_record_age=_MAX_AGE,
            filters=[
                lambda_.FilterCriteria.filter(
                    {
                        "eventName": lambda_.FilterRule.is_equal("INSERT"),
                        "dynamodb": {"NewImage": {"kind": {"S": lambda_.FilterRule.is_equal("message")}}},
                    }
                )
            ],
        )
        resource = cast("lambda_.CfnEventSourceMapping", mapping.node.default_child)
        resource.destination_config = lambda_.CfnEventSourceMapping.DestinationConfigProperty(
            on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(destination=self.failures.queue_arn)
        )

    def _failure_queue(self, config: Config) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            "Failures",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
            removal_policy=RemovalPolicy.RETAIN if config.retains_data else RemovalPolicy.DESTROY,
        )
        last_stop = "This is where failed records end; an alarm watches it, and a person looks at them."
        acknowledge(queue, {"AwsSolutions-SQS3": last_stop, "Serverless-SQSRedrivePolicy": last_stop})
        return queue
