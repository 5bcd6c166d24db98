"""$connect: registers the connection that the authorizer let in, and tells those who watch its user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.adapters.aws.apigateway import ApiGatewayConnections
from shared.adapters.aws.deadline import HANDSHAKE_S, Deadline
from shared.adapters.aws.parallel_map import ThreadedMap
from shared.adapters.aws.sqs import SqsPresenceChecks, SqsQueue, sqs
from shared.adapters.dynamodb.client import dynamodb
from shared.adapters.dynamodb.memberships import DynamoDbMemberships
from shared.adapters.dynamodb.relations import DynamoDbRelations
from shared.adapters.dynamodb.sessions import DynamoDbSessions
from shared.adapters.dynamodb.watches import DynamoDbWatches
from shared.clock import now_ms
from shared.config import AwsEnvironment, ConnectSettings
from shared.domain.connections import FORESIGHT_MS
from shared.errors import ParleyError
from shared.observability import count, describe, make_logger, make_request_log
from shared.operations.presence import Sight, Telling, announce_online
from shared.operations.sessions import ends_soon, open_connection
from shared.ports.connections import Watches
from shared.ports.services import Gateway, PresenceChecks
from shared.reporting import try_to_tell
from shared.wire.websocket.events import EVICTED, encode_plainly
from shared.wire.websocket.gateway import Event, answer, answer_misrouted, caller_of

# Posts to those who watch a user, in parallel.
_WIDTH = 16


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything that a new connection reaches the world through."""

    sight: Sight
    watches: Watches
    gateway: Gateway
    checks: PresenceChecks
    connection_limit: int

    @property
    def telling(self) -> Telling:
        return Telling(self.sight, self.watches, self.gateway, encode_plainly)


def _wire(settings: ConnectSettings, environment: AwsEnvironment) -> Ports:
    calls, parallel_map = dynamodb(environment, _DEADLINE), ThreadedMap(_WIDTH)
    sight = Sight(
        relations=DynamoDbRelations(
            calls, members_table=settings.members_table, log_table=settings.log_table, parallel_map=parallel_map
        ),
        memberships=DynamoDbMemberships(calls, members_table=settings.members_table),
        sessions=DynamoDbSessions(calls, sessions_table=settings.sessions_table),
        parallel_map=parallel_map,
    )
    return Ports(
        sight=sight,
        watches=DynamoDbWatches(calls, members_table=settings.members_table),
        gateway=ApiGatewayConnections(
            settings.connections_endpoint,
            environment,
            parallel_map=parallel_map,
            pause=_DEADLINE.pause,
            check=_DEADLINE.check,
        ),
        checks=SqsPresenceChecks(
            SqsQueue(sqs(environment, _DEADLINE), settings.presence_queue_url),
            grace_s=settings.presence_grace_s,
            now=now_ms,
        ),
        connection_limit=settings.connection_limit,
    )


_DEADLINE = Deadline(HANDSHAKE_S, grace_s=0)
_SETTINGS = ConnectSettings.load()
_LOGGER = make_logger("connect", _SETTINGS.log_level)
_REQUESTS = make_request_log("connect", _SETTINGS.request_log)
_PORTS = _wire(_SETTINGS, AwsEnvironment.load())


def handler(event: Event, _context: Any = None) -> dict[str, Any]:
    """Register one connection. Anything but 200 refuses the handshake."""
    _DEADLINE.begin()
    if _REQUESTS is None:
        return connect(event, _PORTS, now=now_ms())
    return _REQUESTS.websocket(event, lambda: connect(event, _PORTS, now=now_ms()))


def connect(event: Event, ports: Ports, *, now: int) -> dict[str, Any]:
    """Decode, one call into the core, encode."""
    if event["requestContext"].get("eventType") != "CONNECT":
        return answer_misrouted(event)
    try:
        caller = caller_of(event)
        opened = open_connection(
            caller.connection,
            limit=ports.connection_limit,
            sessions=ports.sight.sessions,
            gateway=ports.gateway,
            farewell=EVICTED,
            now=now,
        )
    except ParleyError as error:
        return answer(status=error.status)
    except Exception as error:  # noqa: BLE001  # the client gets a clean refusal, the log the place
        _LOGGER.error("unexpected error", extra=describe(error))
        return answer(status=500)
    if opened.evicted:
        count("ConnectionsEvicted", function="connect", value=len(opened.evicted))
    if opened.announce:
        # The connection is there, whether or not its watchers can be told: who asks for the presence sees it.
        try_to_tell("connect", lambda: announce_online(caller.user_id, telling=ports.telling, now=now))
    gone = ends_soon(caller.connection, within_ms=FORESIGHT_MS, now=now)
    if gone is not None:
        try_to_tell("connect", lambda: ports.checks.schedule(gone))
    return answer()
