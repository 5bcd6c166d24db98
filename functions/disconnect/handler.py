"""$disconnect: forgets a connection that is over. The gateway calls it when it can; nothing depends on that."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from shared.adapters.aws.sqs import SqsPresenceChecks, SqsQueue, sqs
from shared.adapters.dynamodb.client import dynamodb
from shared.adapters.dynamodb.sessions import DynamoDbSessions
from shared.clock import SHORT_S, Deadline, now_ms
from shared.config import AwsEnvironment, DisconnectSettings
from shared.domain.connections import Gone
from shared.errors import Internal, ParleyError
from shared.observability import make_logger, request_log, unexpected, unlogged, was_told
from shared.operations.sessions import close_connection
from shared.ports.stores import SessionStores
from shared.wire.websocket.gateway import Event, answer, answer_misrouted, caller_of

if TYPE_CHECKING:  # a port costs nothing where it is not used
    from shared.ports.services import PresenceChecks

_DEADLINE = Deadline(SHORT_S, grace_s=0)
_SETTINGS = DisconnectSettings.load()
_ENVIRONMENT = AwsEnvironment.load()
_LOGGER = make_logger("disconnect", _SETTINGS.log_level, _SETTINGS.stage)
_IS_UNLOGGED = unlogged(_SETTINGS.request_log)
_STORES = SessionStores(DynamoDbSessions(dynamodb(_ENVIRONMENT, _DEADLINE), sessions_table=_SETTINGS.sessions_table))
_QUEUE = SqsQueue(sqs(_ENVIRONMENT, _DEADLINE), _SETTINGS.presence_queue_url)
_CHECKS = SqsPresenceChecks(_QUEUE, grace_s=_SETTINGS.presence_grace_s, now=now_ms)


def handler(event: Event, _context: Any = None) -> dict[str, Any]:
    """Forget one connection. Late and repeated calls change nothing else."""
    _DEADLINE.begin()
    answer = partial(disconnect, event, stores=_STORES, checks=_CHECKS, now=now_ms())
    return answer() if _IS_UNLOGGED() else request_log("disconnect").websocket(event, answer)


def disconnect(event: Event, *, stores: SessionStores, checks: PresenceChecks, now: int) -> dict[str, Any]:
    """Decode, one call into the core, encode. After a user's last connection there is a presence check."""
    if event["requestContext"].get("eventType") != "DISCONNECT":
        return answer_misrouted(event)
    try:
        caller = caller_of(event)
        if close_connection(caller.user_id, caller.connection_id, stores=stores, now=now):
            checks.schedule(Gone(caller.user_id, now))
    except ParleyError as error:
        if not was_told(error):
            _LOGGER.warning("connection not forgotten", extra={"code": error.code})  # it expires by itself
        return answer(status=error.status)
    except Exception as error:  # noqa: BLE001  # whatever it is, what it says stays here
        unexpected("unexpected error", error, logger=_LOGGER)
        raise Internal from None  # the runtime logs an error's text, and that of what it came from
    return answer()
