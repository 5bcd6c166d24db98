"""Every frame of a living connection: message, read, delivered, sync, ping, and whatever else arrives."""

from __future__ import annotations

import secrets
import time
from typing import Any

from functions.message.routes import Ports, serve
from shared.aws.connections import ApiGatewayConnections
from shared.aws.dynamodb import dynamodb
from shared.aws.json_service import backoff_s
from shared.aws.log_table import DynamoDbConversationLog
from shared.aws.member_table import DynamoDbMemberships
from shared.aws.parallel import Spreader
from shared.aws.session_table import DynamoDbSessions
from shared.chat.delivery import Delivered
from shared.clock import now_ms
from shared.config import AwsEnvironment, MessageSettings
from shared.errors import Internal, ParleyError
from shared.observability import count, describe, make_logger
from shared.wire.frames import BadFrame, decode
from shared.wire.gateway import Event, answer, caller_of, check_token
from shared.wire.replies import failure, success

# Posts and queries in parallel. Wide enough for a user's inbox; each thread waits far more than it works.
_WIDTH = 32


def _report(delivered: Delivered) -> None:
    if delivered.failed:
        count("PostsFailed", function="message", value=delivered.failed)


def _wire(settings: MessageSettings, environment: AwsEnvironment) -> Ports:
    calls = dynamodb(environment)
    spread = Spreader(_WIDTH)
    return Ports(
        log=DynamoDbConversationLog(calls, log_table=settings.log_table, members_table=settings.members_table),
        memberships=DynamoDbMemberships(calls, members_table=settings.members_table),
        sessions=DynamoDbSessions(calls, sessions_table=settings.sessions_table),
        gateway=ApiGatewayConnections(settings.connections_endpoint, environment, spreader=spread),
        spread=spread,
        now=now_ms,
        pause=lambda attempt: time.sleep(backoff_s(attempt)),
        new_nonce=lambda: secrets.token_urlsafe(8),
        report=_report,
        connection_limit=settings.connection_limit,
    )


_SETTINGS = MessageSettings.load()
_LOGGER = make_logger("message", _SETTINGS.log_level)
_PORTS = _wire(_SETTINGS, AwsEnvironment.load())


def handler(event: Event, _context: Any = None) -> dict[str, Any]:
    """Answer one frame. Whatever it is, there is one reply, and the connection stays."""
    return respond(event, _PORTS)


def respond(event: Event, ports: Ports) -> dict[str, Any]:
    """Decode, one call into the core, encode."""
    frame_id = None
    try:
        kind, frame = decode(event.get("body"))
        frame_id = frame.id
        caller = caller_of(event)
        check_token(caller.identity, ports.now())
        return answer(success(frame_id, serve(kind, frame, caller, ports)))
    except BadFrame as bad:
        return answer(failure(bad.frame_id, bad.error))
    except ParleyError as error:
        if error.retryable:
            count("FramesRefused", function="message")
        return answer(failure(frame_id, error))
    except Exception as error:  # noqa: BLE001  # the client gets a reply and the log the place, whatever it was
        _LOGGER.error("unexpected error", extra=describe(error))
        return answer(failure(frame_id, Internal()))
