"""Everything that the frames of a connection reach the world through."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final, TypedDict

import msgspec

from shared.adapters.aws.calls import ApiGatewayConnections, Json
from shared.adapters.aws.parallel import ParallelCalls
from shared.adapters.aws.sqs import SqsPresenceChecks, SqsQueue, sqs
from shared.adapters.dynamodb.buckets import DynamoDbBuckets
from shared.adapters.dynamodb.chat_stores import make_chat_stores
from shared.adapters.dynamodb.client import dynamodb
from shared.adapters.dynamodb.presence_stores import with_transitions
from shared.adapters.dynamodb.schema import Tables
from shared.clock import FRAME_S, Deadline, now_ms
from shared.config import AwsEnvironment, MessageSettings
from shared.domain.connections import Identity
from shared.domain.limits import Limit
from shared.domain.rules import Bounds
from shared.limits.limiters import AbuseWatch, FrameLimiter, RateLimiter
from shared.observability import FunctionObserver
from shared.operations.context import Context
from shared.ports.services import Services
from shared.ports.stores import ChatStores
from shared.wire.websocket.frames import encode_event
from shared.wiring import limits_of, make_context, matrix_in, trimming_of

if TYPE_CHECKING:
    from aws_lambda_powertools import Logger

    from shared.auth.tokens import TokenVerifier

# Frames that read or write a hundred times what others do: how many a second, and at once, from one connection.
COSTLY: Final[Mapping[str, tuple[int, int]]] = {
    "sync": (5, 100),
    "presence": (1, 20),
    "auth": (1, 10),
    "receipts": (2, 25),  # twenty cursors to a frame: about as many as by frames of their own
}


# What decodes the frames takes a tenth of what the standard library does for a body.
CODEC: Final = Json(msgspec.json.Encoder().encode, msgspec.json.Decoder().decode)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Wiring:
    """Everything that operations reach the world through. `verify` checks a fresh token."""

    stores: ChatStores
    services: Services
    context: Context
    verify: Callable[[str], Identity]


class Parts(TypedDict):
    """What operations take."""

    stores: ChatStores
    services: Services
    context: Context


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Limiters:
    """What one instance lets through. `frame_limit` is bytes; `begin` starts the time that a frame may take."""

    messages: RateLimiter
    frames: FrameLimiter
    costly: Mapping[str, FrameLimiter]
    frame_limit: int
    abuse: AbuseWatch
    begin: Callable[[], None]


def wire(settings: MessageSettings, environment: AwsEnvironment, logger: Logger) -> tuple[Wiring, Limiters]:
    """The function's own, made once while it initialises."""
    deadline = Deadline(FRAME_S)
    calls = dynamodb(environment, deadline, CODEC)
    parallel = ParallelCalls(calls)
    tables = Tables(members=settings.members_table, sessions=settings.sessions_table, log=settings.log_table)
    endpoint = settings.connections_endpoint
    gateway = ApiGatewayConnections(endpoint, environment, deadline=deadline, fan_out_ms=settings.fan_out_ms)
    queue = SqsQueue(sqs(environment, deadline), settings.presence_queue_url)
    bounds, matrix = Bounds(settings.text_limit, settings.mention_limit), matrix_in(settings.permissions)
    limits = limits_of(settings, bounds=bounds, matrix=matrix)
    observer = FunctionObserver("message", logger)
    context = make_context(limits, pause=deadline.pause, wait_ms=deadline.wait_ms)
    if settings.looks_first:
        from shared.screens import screened  # noqa: PLC0415  # others don't pay for it

        members = settings.members_table
        context = screened(context, settings, environment, calls=calls, members_table=members, observer=observer)
    checks = SqsPresenceChecks(queue, grace_s=settings.presence_grace_s, now=now_ms)
    stores = make_chat_stores(calls, tables, parallel_map=parallel, trimming=trimming_of(settings))
    if settings.presence_events == "on":
        stores = with_transitions(stores, calls, tables, checks=checks)
    wiring = Wiring(
        stores,
        Services(
            gateway=gateway,
            parallel_map=parallel,
            encode=encode_event,
            observer=observer,
            presence_checks=checks,
        ),
        context,
        verify=lambda token: _verifier(settings, environment).verify(token),
    )
    buckets = DynamoDbBuckets(calls, members_table=settings.members_table)
    limiters = Limiters(
        messages=RateLimiter(Limit(settings.message_rate, settings.message_burst), buckets, now_ms),
        frames=FrameLimiter(settings.frame_rate, settings.frame_burst, now_ms),
        costly={kind: FrameLimiter(rate, burst, now_ms) for kind, (rate, burst) in COSTLY.items()},
        frame_limit=settings.frame_limit,
        abuse=AbuseWatch(settings.abuse_limit, now_ms),
        begin=deadline.begin,
    )
    return wiring, limiters


@cache
def _verifier(settings: MessageSettings, environment: AwsEnvironment) -> TokenVerifier:
    """Made by the first `auth` frame: the library behind it costs more than all other imports of this function."""
    from shared.auth.tokens import make_verifier  # noqa: PLC0415  # see above

    return make_verifier(settings, environment, now=now_ms)
