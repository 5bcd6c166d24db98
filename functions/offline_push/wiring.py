"""Everything that this function reaches the world through: stores and services, the shards' queue, the providers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from shared.adapters.aws.archive import S3Archive
from shared.adapters.aws.calls import ApiGatewayConnections
from shared.adapters.aws.push_queues import (
    SqsBroadcastQueue,
    SqsDeliveryCheckQueue,
    SqsJobQueue,
    SqsPushQueue,
    SqsSweepQueue,
)
from shared.adapters.aws.s3 import S3Objects, s3
from shared.adapters.aws.secrets_manager import CachedSecret, secrets_manager
from shared.adapters.aws.sqs import SqsPresenceChecks, SqsQueue, sqs
from shared.adapters.aws.threads import ThreadedMap
from shared.adapters.dynamodb.client import dynamodb
from shared.adapters.dynamodb.pushes import make_push_stores
from shared.adapters.dynamodb.schema import Tables
from shared.clock import BATCH_S, HOUR_MS, MINUTE_MS, Deadline, now_ms
from shared.config import AwsEnvironment, OfflinePushSettings
from shared.domain.devices import APNS, FCM, WEB, Platform
from shared.domain.fan_out import Shard
from shared.domain.packs import Portion
from shared.observability import FunctionObserver
from shared.operations.context import Context, Limits
from shared.operations.fan_out import LaterEntries
from shared.operations.push.checks import PendingChecks
from shared.operations.push.sending import Resting
from shared.ports.services import PushGateway, PushServices
from shared.ports.stores import PushStores
from shared.wire.events import encode_plainly
from shared.wiring import make_context, trimming_of

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

    from shared.domain.mails import MailSettings
    from shared.ports.mails import Mailer

_WIDTH = 32
SHARD: Final = "shard"


@dataclass(frozen=True, slots=True)
class Wiring:
    """`begin` starts the time that an invocation may take. An instance remembers `later`, `pending` and `resting`."""

    stores: PushStores
    services: PushServices
    context: Context
    begin: Callable[[], None]
    later: LaterEntries = field(default_factory=LaterEntries)
    pending: PendingChecks = field(default_factory=PendingChecks)
    resting: Resting = field(default_factory=Resting)


def wire(settings: OfflinePushSettings, environment: AwsEnvironment, logger: Logger) -> Wiring:
    deadline = Deadline(BATCH_S)
    calls, queues, threads = dynamodb(environment, deadline), sqs(environment, deadline), ThreadedMap(_WIDTH)
    tables = Tables(members=settings.members_table, sessions=settings.sessions_table, log=settings.log_table)
    endpoint = settings.connections_endpoint
    limits = Limits(
        delivery_check_s=settings.second_look_s,
        fan_out_rate=settings.fan_out_rate,
        channel_rate=settings.channel_rate,
        sync_rate=settings.sync_rate,
        digest_limit=settings.digest_limit,
        digest_s=settings.digest_s,
        mail=_mail_settings(settings),
        withdrawals=tuple(name for name in (FCM, APNS, WEB) if name in settings.push_withdrawals.split(",")),
    )
    presence_queue, bucket = SqsQueue(queues, settings.presence_queue_url), s3(environment, deadline)
    platforms: dict[Platform, str] = {FCM: settings.fcm_queue_url, APNS: settings.apns_queue_url}
    platforms[WEB] = settings.web_queue_url
    services = PushServices(
        gateway=ApiGatewayConnections(endpoint, environment, deadline=deadline, fan_out_ms=settings.fan_out_ms),
        parallel_map=threads,
        encode=encode_plainly,
        observer=FunctionObserver("offline-push", logger),
        presence_checks=SqsPresenceChecks(presence_queue, grace_s=settings.presence_grace_s, now=now_ms),
        delivery_checks=SqsDeliveryCheckQueue(SqsQueue(queues, settings.look_queue_url)),
        push_queue=SqsPushQueue({name: SqsQueue(queues, url) for name, url in platforms.items() if url}),
        broadcast_queue=SqsBroadcastQueue(SqsQueue(queues, settings.fan_out_queue_url)),
        shard_queue=SqsShardQueue(SqsQueue(queues, settings.fan_out_queue_url)),
        providers=Gateways(settings, environment),
        sweep_queue=SqsSweepQueue(SqsQueue(queues, settings.look_queue_url)),
        objects=S3Objects(bucket, bucket=settings.bucket),
        job_queue=SqsJobQueue(SqsQueue(queues, settings.look_queue_url)),
        archive=S3Archive(bucket, bucket=settings.bucket),
        mailer=_mailer(settings, environment, deadline),
    )
    stores = make_push_stores(calls, tables, parallel_map=threads, trimming=trimming_of(settings))
    return Wiring(stores, services, make_context(limits, pause=deadline.pause), deadline.begin)


def _mail_settings(settings: OfflinePushSettings) -> MailSettings | None:
    if not settings.mail_from:
        return None
    from shared.domain.mails import MailSettings  # noqa: PLC0415  # few deployments mail

    after_ms, every_ms = settings.mail_digest_after_m * MINUTE_MS, settings.mail_digest_every_h * HOUR_MS
    return MailSettings(after_ms, every_ms, settings.mail_link, settings.http_url)


def _mailer(settings: OfflinePushSettings, environment: AwsEnvironment, deadline: Deadline) -> Mailer | None:
    if not settings.mail_from:
        return None
    from functions.offline_push.mailer import SesMailer  # noqa: PLC0415  # as above

    if settings.mail_endpoint:
        environment = replace(environment, endpoint_url=settings.mail_endpoint)
    return SesMailer(
        environment,
        deadline,
        sender=settings.mail_from,
        reply_to=settings.mail_reply_to,
        configuration_set=settings.mail_configuration_set,
        ca_file=settings.push_ca_file if settings.mail_endpoint else "",
    )


@dataclass
class Gateways:
    """Called with a platform, gives its gateway; kept for the invocations that follow. Safe to call from threads."""

    settings: OfflinePushSettings
    environment: AwsEnvironment
    made: dict[Platform, PushGateway] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock, repr=False)

    def __call__(self, platform: Platform) -> PushGateway:
        with self.lock:  # a batch's pushes come side by side, and are to share one connection
            if platform not in self.made:
                self.made[platform] = self._made(platform)
            return self.made[platform]

    def _made(self, platform: Platform) -> PushGateway:
        settings, secrets = self.settings, secrets_manager(self.environment)
        if platform == FCM:
            from functions.offline_push.fcm.gateway import FcmGateway  # noqa: PLC0415  # a quarter of a second

            secret = CachedSecret(secrets, settings.fcm_secret_arn, now=now_ms)
            return FcmGateway(secret, endpoint=settings.fcm_endpoint, ca_file=settings.push_ca_file)
        if platform == WEB:
            from functions.offline_push.web.gateway import WebPushGateway  # noqa: PLC0415  # likewise

            secret = CachedSecret(secrets, settings.web_secret_arn, now=now_ms)
            return WebPushGateway(secret, local=settings.local_web_push, ca_file=settings.push_ca_file)
        from functions.offline_push.apns.gateway import ApnsGateway  # noqa: PLC0415  # a sixth of a second

        secret = CachedSecret(secrets, settings.apns_secret_arn, now=now_ms)
        return ApnsGateway(secret, endpoint=settings.apns_endpoint, ca_file=settings.push_ca_file)


class SqsShardQueue:
    """ShardQueue on an SQS queue that this function consumes, fair between groups: a busy one waits behind itself."""

    def __init__(self, queue: SqsQueue) -> None:
        self._queue = queue

    def put(self, shards: Sequence[Shard | Portion]) -> None:
        self._queue.send_all(map(shard_body, shards), fair_by="conversation_id")


def shard_body(shard: Shard | Portion) -> dict[str, Any]:
    """A portion is a shard of nobody to versions that know of none: they drop it."""
    if isinstance(shard, Shard):
        body = {"kind": SHARD, **asdict(shard)}
        return body if shard.begins else {name: value for name, value in body.items() if name != "begins"}
    nobody = Shard(shard.conversation_id, shard.last, (), shard.queued_at, (), quiet=True)
    return {"kind": SHARD, **asdict(nobody), "portion": asdict(shard)}


def shard_from(body: Mapping[str, Any]) -> Shard | Portion:
    """The shard in a message of the queue; earlier versions' say neither since when nor whom to post to.

    Raises for a bad one.
    """
    if "portion" in body:
        return _portion_from(body["portion"])
    queued_at, attendees = body.get("queued_at"), body.get("attendees")
    return Shard(
        str(body["conversation_id"]),
        int(body["seq"]),
        tuple(map(str, body["users"])),
        None if queued_at is None else int(queued_at),
        None if attendees is None else tuple((str(one), str(user), int(opened)) for one, user, opened in attendees),
        body.get("quiet") is True,
        tuple((str(user), int(seq)) for user, seq in body.get("begins", ())),
    )


def _portion_from(said: Mapping[str, Any]) -> Portion:
    return Portion(
        str(said["conversation_id"]),
        int(said["posted"]),
        int(said["last"]),
        int(said["part"]),
        int(said["sync_within_ms"]),
        int(said["queued_at"]),
        str(said["start"]),
        str(said["after"]),
        said["is_around"] is True,
    )
