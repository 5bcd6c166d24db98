"""Files that users send each other: the private bucket, and the function that looks at what arrives in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.acknowledge import acknowledge, acknowledge_wildcard
from infra.buckets import private_bucket
from infra.queues import failure_queue
from infra.stream import StreamSource, inserted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.config import Config
    from infra.function import Function, FunctionFactory
    from infra.storage import Storage

_UPLOADS = "uploads/*"
_KEPT = ("files/*", "thumbnails/*")
_EXPORTS = "exports/*"
# As `KEPT_DAYS` of shared/domain/exports.py says, which this does not import.
EXPORTS_DAYS = 7
# Both measured: an image of 40 megapixels takes 3 s and 640 MB at worst, and more pixels more memory in proportion.
_SECONDS = 60
_LEAST_MEMORY_MB = 1_024
_BASE_MEMORY_MB = 256
_BYTES_PER_PIXEL = 17
_RETRIES = 2
_MAX_AGE = Duration.hours(1)
_BATCH = 100
_SWEEPS = Duration.minutes(15)


class Files(Construct):
    """Nothing in it is public; bytes go in and out by presigned requests over TLS only."""

    def __init__(self, scope: Construct, construct_id: str, *, config: Config) -> None:
        super().__init__(scope, construct_id)
        self.bucket = private_bucket(
            self,
            config,
            cors=_cors(config.allowed_origins),
            lifecycle_rules=[
                s3.LifecycleRule(
                    id="unfinished-uploads", abort_incomplete_multipart_upload_after=Duration.days(1), enabled=True
                ),
                s3.LifecycleRule(id="unchecked-uploads", prefix="uploads/", expiration=Duration.days(1), enabled=True),
                s3.LifecycleRule(id="exports", prefix="exports/", expiration=Duration.days(EXPORTS_DAYS), enabled=True),
            ],
        )
        # Not `event_bridge_enabled`: that brings a Lambda of CDK's own, which may change any bucket's notifications.
        resource = cast("s3.CfnBucket", self.bucket.node.default_child)
        resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
            event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(event_bridge_enabled=True)
        )
        acknowledge(
            self.bucket,
            {
                "AwsSolutions-S1": "Server access logs would name who fetched which file, and cost a second bucket; "
                "CloudTrail data events give the same to those who need it."
            },
        )
        self.environment = {"BUCKET": self.bucket.bucket_name}

    def allow_signing(self, function: Function) -> None:
        """Let it sign forms and links: a client that uses one acts with the rights of the function that signed it."""
        self.allow(function, ["s3:PutObject"], _UPLOADS)
        for prefix in (*_KEPT, _EXPORTS):
            self.allow(function, ["s3:GetObject"], prefix)

    def allow_exporting(self, function: Function) -> None:
        """Let it write exports, and files' bytes into them."""
        self.allow(function, ["s3:PutObject"], _EXPORTS)
        self.allow(function, ["s3:GetObject"], "files/*")
        self.allow_listing(function)

    def allow_erasing(self, function: Function) -> None:
        """Let it delete files, thumbnails, and what waits to be checked."""
        for prefix in (_UPLOADS, *_KEPT):
            self.allow(function, ["s3:DeleteObject"], prefix)

    def allow_listing(self, function: Function) -> None:
        """Let it list objects; without that S3 says 403 for what is not there, as for what may not be seen."""
        function.allow(["s3:ListBucket"], self.bucket.bucket_arn)

    def allow(self, function: Function, actions: Sequence[str], prefix: str) -> None:
        """Let a function do these actions on everything below a prefix."""
        arn = self.bucket.arn_for_objects(prefix)
        function.allow(actions, arn)
        acknowledge_wildcard(function.role, arn, "Files' ids are made at run time; the prefix is exact.")


class FileChecks(Construct):
    """The function `files`: it looks at each upload, and deletes what no message has any more."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: FunctionFactory,
        storage: Storage,
        files: Files,
    ) -> None:
        super().__init__(scope, construct_id)
        config = functions.config
        self.failures = failure_queue(self, "Failures", config)
        self.function = functions.make(
            self,
            "Files",
            folder="files",
            description="Parley: looks at uploads, deletes what no message has any more",
            environment={
                **storage.environment("log", "members"),
                **files.environment,
                **config.environment("image_pixels", "events"),
            },
            timeout_seconds=_SECONDS,
            memory_mb=_memory_mb(config.image_pixels),
            is_asynchronous=True,
        )
        self.function.allow_items(storage.members, "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem")
        if config.has_events:
            self.function.allow_items(storage.log, "PutItem", "Query")
        files.allow(self.function, ["s3:GetObject", "s3:DeleteObject"], _UPLOADS)
        for prefix in _KEPT:
            files.allow(self.function, ["s3:PutObject", "s3:DeleteObject"], prefix)
        files.allow_listing(self.function)
        self._check_uploads(files.bucket)
        self._sweep()
        StreamSource(
            self,
            "Deleted",
            stream_arn=cast("str", storage.log.table_stream_arn),
            function=self.function,
            failures=self.failures,
            batch_size=_BATCH,
            filters=[inserted(kind={"S": ["message_deleted"]}, file_id={"S": [{"exists": True}]})],
        )

    def _check_uploads(self, bucket: s3.Bucket) -> None:
        """By EventBridge: a notification of the bucket's own would make bucket and function wait for each other."""
        rule = events.Rule(
            self,
            "Uploaded",
            description="Parley: an upload has arrived",
            event_pattern=events.EventPattern(
                source=["aws.s3"],
                detail_type=["Object Created"],
                detail={"bucket": {"name": [bucket.bucket_name]}, "object": {"key": [{"prefix": "uploads/"}]}},
            ),
        )
        self._invoke_by(rule)
        self.function.allow(["sqs:SendMessage"], self.failures.queue_arn)
        lambda_.CfnEventInvokeConfig(
            self,
            "Retries",
            function_name=self.function.resource.function_name,
            qualifier="$LATEST",
            maximum_retry_attempts=_RETRIES,
            maximum_event_age_in_seconds=int(_MAX_AGE.to_seconds()),
            destination_config=lambda_.CfnEventInvokeConfig.DestinationConfigProperty(
                on_failure=lambda_.CfnEventInvokeConfig.OnFailureProperty(destination=self.failures.queue_arn)
            ),
        )

    def _sweep(self) -> None:
        """Files that were never sent, or never uploaded, are dropped as their time comes."""
        schedule = events.Schedule.rate(_SWEEPS)
        self._invoke_by(events.Rule(self, "Swept", description="Parley: files that lead nowhere", schedule=schedule))

    def _invoke_by(self, rule: events.Rule) -> None:
        rule.add_target(
            targets.LambdaFunction(
                self.function.resource,
                dead_letter_queue=self.failures,
                retry_attempts=_RETRIES,
                max_event_age=_MAX_AGE,
            )
        )


def _memory_mb(image_pixels: int) -> int:
    return max(_LEAST_MEMORY_MB, _BASE_MEMORY_MB + _BYTES_PER_PIXEL * image_pixels // 1_000_000)


def _cors(origins: Sequence[str]) -> list[s3.CorsRule] | None:
    """Pages post their uploads to the bucket, and read what they download from it."""
    if not origins:
        return None
    return [
        s3.CorsRule(
            allowed_origins=[*origins],
            allowed_methods=[s3.HttpMethods.POST, s3.HttpMethods.GET],
            allowed_headers=["*"],
            max_age=3_600,
        )
    ]
