"""$connect: registers the connection that the authorizer let in, and tells those who watch its user."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shared.adapters.aws.calls import ApiGatewayConnections
from shared.adapters.aws.parallel import ParallelCalls
from shared.adapters.aws.sqs import SqsPresenceChecks, SqsQueue, sqs
from shared.adapters.dynamodb.client import dynamodb
from shared.adapters.dynamodb.presence_stores import make_presence_stores, with_transitions
from shared.adapters.dynamodb.schema import Tables
from shared.clock import HANDSHAKE_S, Deadline, now_ms
from shared.config import AwsEnvironment, ConnectSettings
from shared.domain.connections import FORESIGHT_MS
from shared.errors import Forbidden, ParleyError, Revoked
from shared.observability import FunctionObserver, count, make_logger, request_log, unexpected, unlogged
from shared.operations.presence import Now, announce_online, best_effort
from shared.operations.sessions import ends_soon, open_connection
from shared.ports.services import Services
from shared.ports.stores import PresenceStores
from shared.wire.events import encode_plainly
from shared.wire.websocket.gateway import Event, answer, answer_misrouted, caller_of


@dataclass(frozen=True, slots=True)
class Wiring:
    """Everything that a new connection reaches the world through. `begin` starts the time that a handshake may take."""

    stores: PresenceStores
    services: Services
    connection_limit: int
    begin: Callable[[], None]


def _wire(settings: ConnectSettings, environment: AwsEnvironment) -> Wiring:
    deadline = Deadline(HANDSHAKE_S, grace_s=0)
    calls = dynamodb(environment, deadline)
    parallel = ParallelCalls(calls)
    tables = Tables(members=settings.members_table, sessions=settings.sessions_table, log=settings.log_table)
    endpoint = settings.connections_endpoint
    gateway = ApiGatewayConnections(endpoint, environment, deadline=deadline, fan_out_ms=settings.fan_out_ms)
    queue = SqsQueue(sqs(environment, deadline), settings.presence_queue_url)
    checks = SqsPresenceChecks(queue, grace_s=settings.presence_grace_s, now=now_ms)
    services = Services(
        gateway=gateway,
        parallel_map=parallel,
        encode=encode_plainly,
        observer=FunctionObserver("connect", _LOGGER),
        presence_checks=checks,
    )
    stores = make_presence_stores(calls, tables, parallel_map=parallel)
    if settings.presence_events == "on":
        stores = with_transitions(stores, calls, tables, checks=checks)
    return Wiring(stores, services, settings.connection_limit, deadline.begin)


_SETTINGS = ConnectSettings.load()
_LOGGER = make_logger("connect", _SETTINGS.log_level, _SETTINGS.stage)
_IS_UNLOGGED = unlogged(_SETTINGS.request_log)
_WIRING = _wire(_SETTINGS, AwsEnvironment.load())


def handler(event: Event, _context: Any = None) -> dict[str, Any]:
    """Register one connection. Anything but 200 refuses the handshake."""
    _WIRING.begin()
    if _IS_UNLOGGED():
        return connect(event, _WIRING, now=now_ms)
    return request_log("connect").websocket(event, lambda: connect(event, _WIRING, now=now_ms))


def connect(event: Event, wiring: Wiring, *, now: Now) -> dict[str, Any]:
    """Decode, one call into the core, encode."""
    stores, services, limit = wiring.stores, wiring.services, wiring.connection_limit
    if event["requestContext"].get("eventType") != "CONNECT":
        return answer_misrouted(event)
    try:
        caller = caller_of(event)
        opened = open_connection(caller.connection, limit=limit, stores=stores, services=services, now=now())
    except ParleyError as error:
        if error.retryable:
            unexpected("handshake not served", error, logger=_LOGGER)
        return answer(status=Forbidden.status if isinstance(error, Revoked) else error.status)  # as the authorizer's
    except Exception as error:  # noqa: BLE001  # the client gets a clean refusal, the log the place
        unexpected("unexpected error", error, logger=_LOGGER)
        return answer(status=500)
    if opened.evicted:
        count("ConnectionsEvicted", function="connect", value=len(opened.evicted))
    if opened.announce:
        # The connection is there, whether or not its watchers can be told: who asks for the presence sees it.
        best_effort(services, announce_online, caller.user_id, stores=stores, services=services, now=now())
    gone = ends_soon(caller.connection, within_ms=FORESIGHT_MS, now=now())
    if gone is not None:
        best_effort(services, services.presence_checks.schedule, gone)
    return answer()
