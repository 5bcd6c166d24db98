"""What happens after an entry is stored: the log table's stream wakes the push function, queues split its work."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.queues import PUSH_SECONDS, failure_queue
from infra.secret_access import allow_reading
from infra.stream import StreamSource, inserted, matching

if TYPE_CHECKING:
    from infra.config import Config
    from infra.connections import Connections
    from infra.files import Files
    from infra.function import FunctionFactory
    from infra.mail import Mail
    from infra.queues import Queues
    from infra.storage import Storage

_BATCH = 100
_PARALLEL = 4
# As many as are carried out side by side, and are read about in one go.
_QUEUE_BATCH = 10
# What is taken off is in no hurry, and one invocation serves many.
_WINDOW_SECONDS = 1
# Twice a day: nobody's quiet hours cover both times.
_SWEEPS = Duration.hours(12)


class OfflinePush(Construct):
    """The stream's consumer only looks and queues; what is slow has queues of its own, each provider's apart."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        functions: FunctionFactory,
        storage: Storage,
        connections: Connections,
        queues: Queues,
        files: Files,
        mail: Mail | None,
        http_url: str,
    ) -> None:
        super().__init__(scope, construct_id)
        config = functions.config
        self.failures = failure_queue(self, "Failures", config)
        self.function = functions.make(
            self,
            "OfflinePush",
            folder="offline_push",
            description="Parley: wakes members that are away, posts to large groups",
            environment={
                **storage.environment("log", "members", "sessions"),
                **connections.environment,
                "FAN_OUT_QUEUE_URL": queues.fan_out.queue.queue_url,
                **config.retention,
                **config.environment("users_visible"),
                **config.environment("fan_out_rate", "channel_rate", "sync_rate", "digest_limit", "digest_s"),
                **queues.look_environment,
                **queues.push_environment,
                "FCM_SECRET_ARN": config.fcm_secret_arn,
                "FCM_ENDPOINT": config.local_fcm_endpoint,
                "APNS_SECRET_ARN": config.apns_secret_arn,
                "APNS_ENDPOINT": config.local_apns_endpoint,
                "WEB_SECRET_ARN": config.web_push_secret_arn,
                "LOCAL_WEB_PUSH": config.local_web_push,
                "PUSH_CA_FILE": config.local_ca_file,
                **config.environment("mail_from", "mail_reply_to", "mail_link"),
                **config.environment("mail_digest_after_m", "mail_digest_every_h"),
                "MAIL_CONFIGURATION_SET": mail.configuration_set_name if mail else "",
                "MAIL_ENDPOINT": config.local_fcm_endpoint,
                "HTTP_URL": http_url if mail else "",
                "PUSH_WITHDRAWALS": ",".join(config.withdrawals),
                **queues.presence_environment,
                **files.environment,
            },
            timeout_seconds=PUSH_SECONDS,
            memory_mb=512,
        )
        self.function.allow_items(storage.log, "BatchGetItem", "DeleteItem", "PutItem", "Query", "UpdateItem")
        self.function.allow_items(
            storage.members,
            *("BatchGetItem", "BatchWriteItem", "DeleteItem", "GetItem", "PutItem", "Query", "UpdateItem"),
        )
        self.function.allow_items(storage.sessions, "BatchGetItem", "UpdateItem")
        connections.allow(self.function)
        for secret, key in (
            (config.fcm_secret_arn, config.fcm_key_arn),
            (config.apns_secret_arn, config.apns_key_arn),
            (config.web_push_secret_arn, config.web_push_key_arn),
        ):
            if secret:
                allow_reading(self.function, secret, key)
        if mail:
            mail.allow_sending(self.function)
        self._consume(queues, config)
        # Exports, erasures and broadcasts read all there is.
        for table in (storage.log, storage.members, storage.sessions):
            self.function.allow_items(table, "Scan")
        files.allow_exporting(self.function)
        files.allow_erasing(self.function)
        if queues.pushes:
            self._sweep(queues)
        StreamSource(
            self,
            "Stored",
            stream_arn=cast("str", storage.log.table_stream_arn),
            function=self.function,
            failures=self.failures,
            batch_size=_BATCH,
            parallel=_PARALLEL,
            # Where entries end, each has to be seen: the one before it is the last no more.
            filters=[inserted()] if config.trims else _looked_at(config),
        )
        if config.withdrawals:
            self._withdraw(storage)

    def _withdraw(self, storage: Storage) -> None:
        """What becomes of memberships and notifications of which something was pushed, and of no other rows."""
        noted = {"pushed_seq": {"N": lambda_.FilterRule.exists()}}
        StreamSource(
            self,
            "Noted",
            stream_arn=cast("str", storage.members.table_stream_arn),
            function=self.function,
            failures=self.failures,
            batch_size=_BATCH,
            window_seconds=_WINDOW_SECONDS,
            filters=[
                matching(["MODIFY"], {"OldImage": noted, "NewImage": noted}),
                matching(["REMOVE"], {"OldImage": noted}),
            ],
        )

    def _sweep(self, queues: Queues) -> None:
        """Who missed a push is looked for by way of the queue of looks, whose failures can be replayed."""
        rule = events.Rule(
            self, "Swept", description="Parley: pushes that were missed", schedule=events.Schedule.rate(_SWEEPS)
        )
        rule.add_target(targets.SqsQueue(queues.looks.queue, dead_letter_queue=queues.looks.failures))

    def _consume(self, queues: Queues, config: Config) -> None:
        queues.presence_checks.allow_sending(self.function)
        for queue in (queues.fan_out, queues.looks, *queues.pushes.values()):
            queue.allow_sending(self.function)
        # One message is a shard of one entry's members, as much as an invocation can post.
        queues.fan_out.feed(self.function, batch_size=1, max_concurrency=config.fan_out_concurrency)
        queues.looks.feed(self.function, batch_size=_QUEUE_BATCH, max_concurrency=config.look_concurrency)
        # Bounded, so that a provider that hangs holds as many invocations and no more.
        for queue in queues.pushes.values():
            queue.feed(self.function, batch_size=_QUEUE_BATCH, max_concurrency=config.push_concurrency)


def _looked_at(config: Config) -> list[dict[str, str]]:
    """What members are told by the stream's side, and what is taken off their devices."""
    deleted = [inserted(kind={"S": ["message_deleted"]})] if config.withdrawals else []
    # Where a conversation has a rule of its own for how long it is kept, each of its entries has to be seen as well.
    own = inserted(keep_seq={"N": lambda_.FilterRule.exists()})
    return [inserted(kind={"S": ["message"]}), inserted(fan_out={"BOOL": [True]}), own, *deleted]
