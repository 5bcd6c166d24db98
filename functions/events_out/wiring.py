"""Everything that this function reaches the world through."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from functions.events_out.bus import EventBridgeBus, eventbridge
from functions.events_out.poster import HttpPoster
from shared.adapters.aws.event_queues import SqsErrands, SqsGivenUp
from shared.adapters.aws.sqs import SqsQueue, sqs
from shared.adapters.dynamodb.client import dynamodb
from shared.adapters.dynamodb.conversation_log import DynamoDbConversationLog
from shared.adapters.dynamodb.webhooks import DynamoDbWebhookCursors, DynamoDbWebhooks
from shared.clock import BATCH_S, Deadline, now_ms
from shared.config import AwsEnvironment, EventsSettings
from shared.observability import FunctionObserver
from shared.operations.context import Context, Limits
from shared.ports.webhooks import EventBus, EventServices, EventStores
from shared.wire.outgoing import outgoing, trial_event
from shared.wiring import make_context, trimming_of

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

FUNCTION: Final = "events-out"


@dataclass(frozen=True, slots=True)
class Wiring:
    """`begin` starts the time that an invocation may take. No `bus`: the deployment has none."""

    stores: EventStores
    services: EventServices
    context: Context
    begin: Callable[[], None]
    bus: EventBus | None
    has_webhooks: bool


def wire(settings: EventsSettings, environment: AwsEnvironment, logger: Logger) -> Wiring:
    deadline = Deadline(BATCH_S)
    calls, queues = dynamodb(environment, deadline), sqs(environment, deadline)
    members, local = settings.members_table, bool(environment.endpoint_url)
    stores = EventStores(
        log=DynamoDbConversationLog(
            calls, log_table=settings.log_table, members_table=members, trimming=trimming_of(settings)
        ),
        webhooks=DynamoDbWebhooks(calls, members_table=members),
        cursors=DynamoDbWebhookCursors(calls, members_table=members),
    )
    services = EventServices(
        errands=SqsErrands(SqsQueue(queues, settings.event_queue_url)),
        given_up=SqsGivenUp(SqsQueue(queues, settings.event_failures_url)),
        poster=HttpPoster(is_local=local, now=now_ms),
        encode=outgoing,
        encode_trial=trial_event,
        observer=FunctionObserver(FUNCTION, logger),
    )
    bus = EventBridgeBus(eventbridge(environment, deadline), settings.event_bus) if settings.event_bus else None
    context = make_context(Limits(), pause=deadline.pause)
    return Wiring(stores, services, context, deadline.begin, bus, bool(settings.event_queue_url))
