"""Everything that this function reaches the world through."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from aws_lambda_powertools import Logger

from functions.offline_push.gateways import Gateways
from functions.offline_push.shard_queue import SqsShardQueue
from shared.adapters.aws.apigateway import ApiGatewayConnections
from shared.adapters.aws.deadline import BATCH_S, Deadline
from shared.adapters.aws.parallel_map import ThreadedMap
from shared.adapters.aws.sqs import SqsDeliveryCheckQueue, SqsPresenceChecks, SqsPushQueue, SqsQueue, sqs
from shared.adapters.dynamodb.client import dynamodb
from shared.adapters.dynamodb.conversation_log import DynamoDbConversationLog
from shared.adapters.dynamodb.devices import DynamoDbDevices
from shared.adapters.dynamodb.memberships import DynamoDbMemberships
from shared.adapters.dynamodb.notifications import DynamoDbNotifications, DynamoDbReminders
from shared.adapters.dynamodb.pushes import DynamoDbClaims, DynamoDbPushContexts
from shared.adapters.dynamodb.sessions import DynamoDbSessions
from shared.clock import now_ms
from shared.config import AwsEnvironment, OfflinePushSettings
from shared.domain.devices import APNS, FCM, Platform
from shared.domain.pushes import PushResult, Sent
from shared.observability import count
from shared.operations.delivery import Delivered, LaterEntries, Posting
from shared.operations.push.enqueueing import Members, PushEnqueuer
from shared.operations.push.planning import Planned, Reading
from shared.operations.push.sending import Pushing, Resting
from shared.operations.rosters import Rosters
from shared.ports.connections import Sessions
from shared.ports.conversations import ConversationLog, Memberships
from shared.ports.notifications import Claims, Devices, Notifications, PushContexts, Reminders
from shared.ports.services import DeliveryCheckQueue, Gateway, ParallelMap, PushGateway, PushQueue, ShardQueue
from shared.reporting import reporter
from shared.wire.websocket.events import encode_plainly

_WIDTH = 32


@dataclass(frozen=True, slots=True)
class Ports:
    """`rate` is posts per second of one invocation, `second_look_s` how long a live connection is given.

    `begin` starts the time that an invocation may take.
    """

    log: ConversationLog
    memberships: Memberships
    sessions: Sessions
    gateway: Gateway
    devices: Devices
    claims: Claims
    push_contexts: PushContexts
    notifications: Notifications
    reminders: Reminders
    push_gateway: Callable[[Platform], PushGateway]
    push_queue: PushQueue
    look_queue: DeliveryCheckQueue
    shard_queue: ShardQueue
    parallel_map: ParallelMap
    report: Callable[[Delivered], None]
    report_push: Callable[[Planned, PushResult], None]
    count: Callable[[str], None]
    now: Callable[[], int]
    jitter: Callable[[int], int]
    pause_ms: Callable[[int], None]
    rate: int
    second_look_s: int
    begin: Callable[[], None]
    rosters: Rosters = field(default_factory=Rosters)
    later: LaterEntries = field(default_factory=LaterEntries)
    resting: Resting = field(default_factory=Resting)

    @property
    def posting(self) -> Posting:
        return Posting(self.sessions, self.gateway, encode_plainly)

    @property
    def members(self) -> Members:
        return Members(self.memberships, self.rosters)

    @property
    def enqueuer(self) -> PushEnqueuer:
        return PushEnqueuer(self.devices, self.push_queue, self.look_queue, self.second_look_s)

    @property
    def pushing(self) -> Pushing:
        return Pushing(
            reading=Reading(self.log, self.memberships, self.notifications, self.push_contexts, self.parallel_map),
            devices=self.devices,
            claims=self.claims,
            gateway=self.push_gateway,
            queue=self.push_queue,
            parallel_map=self.parallel_map,
            resting=self.resting,
            now=self.now,
            jitter=self.jitter,
            count=self.count,
            report=self.report_push,
        )


def wire(settings: OfflinePushSettings, environment: AwsEnvironment, logger: Logger) -> Ports:
    """The real ones."""
    deadline = Deadline(BATCH_S)
    calls, queues, members_table = dynamodb(environment, deadline), sqs(environment, deadline), settings.members_table
    parallel_map = ThreadedMap(_WIDTH)
    queue = SqsQueue(queues, settings.presence_queue_url)
    checks = SqsPresenceChecks(queue, grace_s=settings.presence_grace_s, now=now_ms)
    platforms: dict[Platform, str] = {FCM: settings.fcm_queue_url, APNS: settings.apns_queue_url}
    return Ports(
        log=DynamoDbConversationLog(calls, log_table=settings.log_table, members_table=members_table),
        memberships=DynamoDbMemberships(calls, members_table=members_table),
        sessions=DynamoDbSessions(calls, sessions_table=settings.sessions_table),
        gateway=ApiGatewayConnections(
            settings.connections_endpoint,
            environment,
            parallel_map=parallel_map,
            pause=deadline.pause,
            check=deadline.check,
        ),
        devices=DynamoDbDevices(calls, members_table=members_table),
        claims=DynamoDbClaims(calls, members_table=members_table),
        push_contexts=DynamoDbPushContexts(calls, members_table=members_table),
        notifications=DynamoDbNotifications(calls, members_table=members_table, parallel_map=parallel_map),
        reminders=DynamoDbReminders(calls, members_table=members_table),
        push_gateway=Gateways(settings, environment),
        push_queue=SqsPushQueue({name: SqsQueue(queues, url) for name, url in platforms.items() if url}),
        look_queue=SqsDeliveryCheckQueue(SqsQueue(queues, settings.look_queue_url)),
        shard_queue=SqsShardQueue(SqsQueue(queues, settings.fan_out_queue_url)),
        parallel_map=parallel_map,
        report=reporter("offline-push", checks),
        report_push=push_reporter(logger),
        count=lambda name: count(name, function="offline-push"),
        now=now_ms,
        jitter=lambda ms: random.randrange(ms + 1),  # noqa: S311  # spreads retries, no secret
        pause_ms=lambda ms: time.sleep(ms / 1_000),
        rate=settings.fan_out_rate,
        second_look_s=settings.second_look_s,
        begin=deadline.begin,
    )


def push_reporter(logger: Logger) -> Callable[[Planned, PushResult], None]:
    """A line for each push that was not taken: whose, about what, and the provider's reason. No token, no text."""

    def report(planned: Planned, result: PushResult) -> None:
        if isinstance(result, Sent):
            return
        push, job = planned.push, planned.job
        logger.warning(
            "push not taken",
            extra={
                "platform": job.platform,
                "user_id": job.user_id,
                "device_id": planned.device.device_id,
                "push_id": push.push_id,
                "outcome": type(result).__name__,
                "reason": result.reason,
                "tries": job.tries,
            },
        )

    return report
