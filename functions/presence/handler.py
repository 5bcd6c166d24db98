"""Delayed looks at users whose last connection closed: still nobody there, and those who watch them are told."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from shared.adapters.aws.apigateway import ApiGatewayConnections
from shared.adapters.aws.deadline import SHORT_S, Deadline
from shared.adapters.aws.parallel_map import ThreadedMap
from shared.adapters.dynamodb.client import dynamodb
from shared.adapters.dynamodb.memberships import DynamoDbMemberships
from shared.adapters.dynamodb.relations import DynamoDbRelations
from shared.adapters.dynamodb.sessions import DynamoDbSessions
from shared.adapters.dynamodb.watches import DynamoDbWatches
from shared.clock import now_ms
from shared.config import AwsEnvironment, PresenceSettings
from shared.domain.connections import Gone
from shared.observability import describe, make_logger
from shared.operations.presence import Sight, Telling, check_offline
from shared.wire.websocket.events import encode_plainly

_WIDTH = 16


def _wire(settings: PresenceSettings, environment: AwsEnvironment) -> Telling:
    calls, parallel_map = dynamodb(environment, _DEADLINE), ThreadedMap(_WIDTH)
    return Telling(
        sight=Sight(
            relations=DynamoDbRelations(
                calls, members_table=settings.members_table, log_table=settings.log_table, parallel_map=parallel_map
            ),
            memberships=DynamoDbMemberships(calls, members_table=settings.members_table),
            sessions=DynamoDbSessions(calls, sessions_table=settings.sessions_table),
            parallel_map=parallel_map,
        ),
        watches=DynamoDbWatches(calls, members_table=settings.members_table),
        gateway=ApiGatewayConnections(
            settings.connections_endpoint,
            environment,
            parallel_map=parallel_map,
            pause=_DEADLINE.pause,
            check=_DEADLINE.check,
        ),
        encode=encode_plainly,
    )


_DEADLINE = Deadline(SHORT_S, grace_s=0)
_SETTINGS = PresenceSettings.load()
_LOGGER = make_logger("presence", _SETTINGS.log_level)
_TELLING = _wire(_SETTINGS, AwsEnvironment.load())


def handler(event: Mapping[str, Any], _context: Any = None) -> dict[str, Any]:
    """One batch of the queue. The answer names the messages that have to come again."""
    _DEADLINE.begin()
    return look(event["Records"], _TELLING, now=now_ms())


def look(records: Sequence[Mapping[str, Any]], telling: Telling, *, now: int) -> dict[str, Any]:
    """Decode, one call into the core for each, encode. One that fails does not hold up the others."""
    failures = []
    for record in records:
        try:
            body = json.loads(record["body"])
            check_offline(
                Gone(str(body["user_id"]), int(body["at"])),
                telling=telling,
                now=now,
            )
        except Exception as error:  # noqa: BLE001  # whatever it is, it comes again, and at last to the failure queue
            _LOGGER.error("presence not looked at", extra=describe(error))
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}
