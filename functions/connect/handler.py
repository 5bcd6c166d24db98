"""$connect: registers the connection that the authorizer let in."""

from __future__ import annotations

from typing import Any

from shared.aws.connections import ApiGatewayConnections
from shared.aws.dynamodb import dynamodb
from shared.aws.parallel import Spreader
from shared.aws.session_table import DynamoDbSessions
from shared.clock import now_ms
from shared.config import AwsEnvironment, ConnectSettings
from shared.connection.ports import Gateway, Sessions
from shared.connection.sessions import open_connection
from shared.errors import ParleyError
from shared.observability import count, describe, make_logger
from shared.wire.events import EVICTED
from shared.wire.gateway import Event, answer, answer_misrouted, caller_of

_SETTINGS = ConnectSettings.load()
_ENVIRONMENT = AwsEnvironment.load()
_LOGGER = make_logger("connect", _SETTINGS.log_level)
_SESSIONS = DynamoDbSessions(dynamodb(_ENVIRONMENT), sessions_table=_SETTINGS.sessions_table)
_GATEWAY = ApiGatewayConnections(_SETTINGS.connections_endpoint, _ENVIRONMENT, spreader=Spreader(1))


def handler(event: Event, _context: Any = None) -> dict[str, Any]:
    """Register one connection. Anything but 200 refuses the handshake."""
    return connect(event, sessions=_SESSIONS, gateway=_GATEWAY, limit=_SETTINGS.connection_limit, now=now_ms())


def connect(event: Event, *, sessions: Sessions, gateway: Gateway, limit: int, now: int) -> dict[str, Any]:
    """Decode, one call into the core, encode."""
    if event["requestContext"].get("eventType") != "CONNECT":
        return answer_misrouted(event)
    try:
        caller = caller_of(event)
        opened = open_connection(
            caller.connection, limit=limit, sessions=sessions, gateway=gateway, farewell=EVICTED, now=now
        )
    except ParleyError as error:
        return answer(status=error.status)
    except Exception as error:  # noqa: BLE001  # the client gets a clean refusal, the log the place
        _LOGGER.error("unexpected error", extra=describe(error))
        return answer(status=500)
    if opened.evicted:
        count("ConnectionsEvicted", function="connect", value=len(opened.evicted))
    return answer()
