"""$disconnect: forgets a connection that is over. The gateway calls it when it can; nothing depends on that."""

from __future__ import annotations

from typing import Any

from shared.aws.dynamodb import dynamodb
from shared.aws.session_table import DynamoDbSessions
from shared.clock import now_ms
from shared.config import AwsEnvironment, DisconnectSettings
from shared.connection.ports import Sessions
from shared.connection.sessions import close_connection
from shared.errors import ParleyError
from shared.observability import make_logger
from shared.wire.gateway import Event, answer, answer_misrouted, caller_of

_SETTINGS = DisconnectSettings.load()
_LOGGER = make_logger("disconnect", _SETTINGS.log_level)
_SESSIONS = DynamoDbSessions(dynamodb(AwsEnvironment.load()), sessions_table=_SETTINGS.sessions_table)


def handler(event: Event, _context: Any = None) -> dict[str, Any]:
    """Forget one connection. Late and repeated calls change nothing else."""
    return disconnect(event, sessions=_SESSIONS, now=now_ms())


def disconnect(event: Event, *, sessions: Sessions, now: int) -> dict[str, Any]:
    """Decode, one call into the core, encode."""
    if event["requestContext"].get("eventType") != "DISCONNECT":
        return answer_misrouted(event)
    try:
        caller = caller_of(event)
        close_connection(caller.user_id, caller.connection_id, sessions=sessions, now=now)
    except ParleyError as error:
        _LOGGER.warning("connection not forgotten", extra={"code": error.code})  # it expires by itself
        return answer(status=error.status)
    return answer()
