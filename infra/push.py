"""What happens after an entry is stored: the log table's stream wakes the push function, a queue splits its work."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.function import Function
from infra.queues import FAN_OUT_SECONDS, failure_queue

if TYPE_CHECKING:
    from infra.bundling import Bundle
    from infra.config import Config
    from infra.connections import Connections
    from infra.queues import Queues
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
        connections: Connections,
        queues: Queues,
        bundle: Bundle,
    ) -> None:
        super().__init__(scope, construct_id)
        self.failures = failure_queue(self, "Failures", config)
        self.function = Function(
            self,
            "OfflinePush",
            config=config,
            target=target,
            bundle=bundle,
            handler="functions.offline_push.handler.handler",
            description="Parley: looks at every stored message for members that are away, posts to large groups",
            environment={
                **storage.environment("log", "members", "sessions"),
                **connections.environment,
                "FAN_OUT_QUEUE_URL": queues.fan_out.queue.queue_url,
                **config.environment("fan_out_rate"),
                **queues.presence_environment,
            },
            timeout_seconds=FAN_OUT_SECONDS,
            memory_mb=256,
        )
        self.function.allow_items(storage.log, "BatchGetItem")
        self.function.allow_items(storage.members, "Query")
        self.function.allow_items(storage.sessions, "BatchGetItem", "UpdateItem")
        connections.allow(self.function)
        queues.fan_out.allow_sending(self.function)
        queues.presence_checks.allow_sending(self.function)
        # One message is a share of one entry's members, as much as an invocation can post.
        queues.fan_out.feed(self.function, batch_size=1, max_concurrency=config.fan_out_concurrency)
        self._consume_stream(cast("str", storage.log.table_stream_arn))

    def _consume_stream(self, stream_arn: str) -> None:
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
            filters=[_inserted(kind={"S": ["message"]}), _inserted(fan_out={"BOOL": [True]})],
        )
        resource = cast("lambda_.CfnEventSourceMapping", mapping.node.default_child)
        resource.destination_config = lambda_.CfnEventSourceMapping.DestinationConfigProperty(
            on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(destination=self.failures.queue_arn)
        )


def _inserted(**attributes: dict[str, list[str | bool]]) -> dict[str, str]:
    """A pattern: a new item with these attributes. One of several patterns that matches is enough."""
    pattern = {"eventName": ["INSERT"], "dynamodb": {"NewImage": attributes}}
    return cast("dict[str, str]", lambda_.FilterCriteria.filter(pattern))
