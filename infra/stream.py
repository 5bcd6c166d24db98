"""A function that consumes the log table's stream: one bad record never holds up another, and none is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from aws_cdk import Duration
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_cdk import aws_sqs as sqs

    from infra.function import Function

# What is an hour late tells no client anything new: better the failure queue than a blocked shard.
_MAX_AGE: Final = Duration.hours(1)
_RETRIES: Final = 5


class StreamSource(Construct):
    """A bad record is bisected out of its batch, retried, and at last left in a failure queue: nothing waits longer."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        stream_arn: str,
        function: Function,
        failures: sqs.Queue,
        filters: Sequence[dict[str, str]],
        batch_size: int,
        parallel: int = 1,
        retries: int = _RETRIES,
        max_age: Duration = _MAX_AGE,
        window_seconds: int = 0,
    ) -> None:
        """`parallel` invocations read one shard at a time, in order within each conversation.

        A batch waits `window_seconds` for more. What failed is tried `retries` times, and as long as it is not
        older than `max_age`.

        Not `DynamoEventSource` nor `on_failure`: they add permissions of their own, one of them on '*'.
        """
        super().__init__(scope, construct_id)
        function.allow(
            ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams"],
            stream_arn,
        )
        function.allow(["sqs:SendMessage"], failures.queue_arn)
        mapping = lambda_.EventSourceMapping(
            self,
            "Stream",
            target=function.resource,
            event_source_arn=stream_arn,
            starting_position=lambda_.StartingPosition.TRIM_HORIZON,
            batch_size=batch_size,
            parallelization_factor=parallel,
            report_batch_item_failures=True,
            bisect_batch_on_error=True,
            retry_attempts=retries,
            max_record_age=max_age,
            max_batching_window=Duration.seconds(window_seconds) if window_seconds else None,
            filters=[*filters],
        )
        resource = cast("lambda_.CfnEventSourceMapping", mapping.node.default_child)
        resource.destination_config = lambda_.CfnEventSourceMapping.DestinationConfigProperty(
            on_failure=lambda_.CfnEventSourceMapping.OnFailureProperty(destination=failures.queue_arn)
        )


def inserted(**attributes: dict[str, list[Any]]) -> dict[str, str]:
    """A pattern: a new item with these attributes. One of several patterns that matches is enough."""
    return matching(["INSERT"], {"NewImage": attributes} if attributes else {})


def matching(event_names: Sequence[str], images: Mapping[str, object]) -> dict[str, str]:
    """A pattern of records with these names whose images have these attributes."""
    pattern: dict[str, object] = {"eventName": [*event_names]}
    if images:
        pattern["dynamodb"] = images
    return cast("dict[str, str]", lambda_.FilterCriteria.filter(pattern))
