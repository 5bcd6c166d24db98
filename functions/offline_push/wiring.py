"""Everything that this function reaches the world through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from aws_lambda_powertools import Logger

from functions.offline_push.gateways import Gateways
from functions.offline_push.shard_queue import SqsShardQueue
from shared.adapters.aws.calls import ApiGatewayConnections
from shared.adapters.aws.push_queues import SqsDeliveryCheckQueue, SqsPushQueue
from shared.adapters.aws.sqs import SqsPresenceChecks, SqsQueue, sqs
from shared.adapters.aws.transport import ThreadedMap
from shared.adapters.dynamodb.client import dynamodb
from shared.adapters.dynamodb.pushes import make_push_stores
from shared.adapters.dynamodb.schema import Tables
from shared.clock import BATCH_S, Deadline, now_ms
from shared.config import AwsEnvironment, OfflinePushSettings
from shared.domain.devices import APNS, FCM, Platform
from shared.observability import FunctionObserver
from shared.operations.context import Context, Limits
from shared.operations.fan_out import LaterEntries
from shared.operations.push.sending import Resting
from shared.ports.services import PushServices
from shared.ports.stores import PushStores
from shared.wire.websocket.events import encode_plainly
from shared.wiring import make_context

_WIDTH = 32


@dataclass(frozen=True, slots=True)
class Wiring:
    """`begin` starts the time that an invocation may take. `later` and `resting` are what the instance remembers."""

    stores: PushStores
    services: PushServices
    context: Context
    begin: Callable[[], None]
    later: LaterEntries = field(default_factory=LaterEntries)
    resting: Resting = field(default_factory=Resting)


def wire(settings: OfflinePushSettings, environment: AwsEnvironment, logger: Logger) -> Wiring:
    """The real ones."""
    deadline = Deadline(BATCH_S)
    calls, queues, threads = dynamodb(environment, deadline), sqs(environment, deadline), ThreadedMap(_WIDTH)
    tables = Tables(members=settings.members_table, sessions=settings.sessions_table, log=settings.log_table)
    limits = Limits(delivery_check_s=settings.second_look_s, fan_out_rate=settings.fan_out_rate)
    presence_queue = SqsQueue(queues, settings.presence_queue_url)
    platforms: dict[Platform, str] = {FCM: settings.fcm_queue_url, APNS: settings.apns_queue_url}
    services = PushServices(
        gateway=ApiGatewayConnections(
            settings.connections_endpoint, environment, parallel_map=threads, deadline=deadline
        ),
        parallel_map=threads,
        encode=encode_plainly,
        observer=FunctionObserver("offline-push", logger),
        presence_checks=SqsPresenceChecks(presence_queue, grace_s=settings.presence_grace_s, now=now_ms),
        delivery_checks=SqsDeliveryCheckQueue(SqsQueue(queues, settings.look_queue_url)),
        push_queue=SqsPushQueue({name: SqsQueue(queues, url) for name, url in platforms.items() if url}),
        shard_queue=SqsShardQueue(SqsQueue(queues, settings.fan_out_queue_url)),
        providers=Gateways(settings, environment),
    )
    stores = make_push_stores(calls, tables, parallel_map=threads)
    return Wiring(stores, services, make_context(limits, pause=deadline.pause), deadline.begin)
