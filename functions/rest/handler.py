"""The HTTP API behind the gateway's default route."""

from __future__ import annotations

import json
import secrets
from typing import Any

from functions.rest.api import Ports, make_api
from shared.auth.wiring import make_verifier
from shared.aws.dynamodb import dynamodb
from shared.aws.log_table import DynamoDbConversationLog
from shared.aws.member_table import DynamoDbMemberships
from shared.aws.parallel import Spreader
from shared.aws.ticket_table import DynamoDbTickets
from shared.clock import now_ms
from shared.config import AwsEnvironment, RestSettings
from shared.errors import Internal
from shared.observability import describe, make_logger
from shared.wire.http import error_body

# Queries in parallel: an inbox is one for each conversation.
_WIDTH = 32


def _wire(settings: RestSettings, environment: AwsEnvironment) -> Ports:
    calls = dynamodb(environment)
    return Ports(
        verifier=make_verifier(settings, environment, now=now_ms),
        tickets=DynamoDbTickets(calls, tickets_table=settings.tickets_table),
        log=DynamoDbConversationLog(calls, log_table=settings.log_table, members_table=settings.members_table),
        memberships=DynamoDbMemberships(calls, members_table=settings.members_table),
        spread=Spreader(_WIDTH),
        now=now_ms,
        new_secret=lambda: secrets.token_urlsafe(32),
    )


_SETTINGS = RestSettings.load()
_LOGGER = make_logger("rest", _SETTINGS.log_level)
_API = make_api(_wire(_SETTINGS, AwsEnvironment.load()))


def handler(event: dict[str, Any], context: Any = None) -> dict[str, Any]:
    """Answer one HTTP request, always in the API's own error format."""
    try:
        return _API.resolve(event, context)
    except Exception as error:  # noqa: BLE001  # the client gets a clean answer, the log the place
        _LOGGER.error("unexpected error", extra=describe(error))
        request_id = event.get("requestContext", {}).get("requestId", "")
        body = json.dumps(error_body(Internal(), request_id))
        return {"statusCode": Internal.status, "headers": {"Content-Type": "application/json"}, "body": body}
