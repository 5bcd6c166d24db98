"""The HTTP API behind the gateway's default route."""

from __future__ import annotations

import json
import secrets
from typing import Any

from functions.rest.api import make_api, respond, take_notes
from functions.rest.pages import preflight, readable
from functions.rest.ports import Ports
from shared.adapters.aws.apigateway import ApiGatewayConnections
from shared.adapters.aws.deadline import REQUEST_S, Deadline
from shared.adapters.aws.parallel_map import ThreadedMap
from shared.adapters.aws.s3 import S3Objects, s3
from shared.adapters.aws.scheduler import EventBridgeReminderScheduler, scheduler
from shared.adapters.aws.sqs import SqsDeliveryCheckQueue, SqsPresenceChecks, SqsQueue, sqs
from shared.adapters.dynamodb.buckets import INVITES, DynamoDbBuckets
from shared.adapters.dynamodb.client import dynamodb
from shared.adapters.dynamodb.conversation_log import DynamoDbConversationLog
from shared.adapters.dynamodb.devices import DynamoDbDevices
from shared.adapters.dynamodb.files import DynamoDbFiles
from shared.adapters.dynamodb.memberships import DynamoDbMemberships
from shared.adapters.dynamodb.notifications import DynamoDbNotifications, DynamoDbReminders
from shared.adapters.dynamodb.people import DynamoDbContacts, DynamoDbProfiles
from shared.adapters.dynamodb.relations import DynamoDbBlocks, DynamoDbRelations
from shared.adapters.dynamodb.sessions import DynamoDbSessions, DynamoDbTickets
from shared.adapters.dynamodb.watches import DynamoDbWatches
from shared.auth.wiring import make_verifier
from shared.clock import now_ms
from shared.config import AwsEnvironment, RestSettings
from shared.domain.files import SizeLimits
from shared.domain.limits import Limit
from shared.domain.rules import Bounds
from shared.errors import Internal
from shared.limits.buckets import RateLimiter
from shared.limits.invites import HOUR_S, InviteLimiter
from shared.observability import describe, make_logger, make_request_log
from shared.operations.rosters import Rosters
from shared.reporting import reporter
from shared.wire.rest.common import error_body

# Posts and queries in parallel: an inbox is one query for each conversation.
_WIDTH = 32


def _wire(settings: RestSettings, environment: AwsEnvironment) -> Ports:
    deadline = Deadline(REQUEST_S)
    calls, members_table = dynamodb(environment, deadline), settings.members_table
    parallel_map = ThreadedMap(_WIDTH)
    queues = sqs(environment, deadline)
    queue = SqsQueue(queues, settings.presence_queue_url)
    checks = SqsPresenceChecks(queue, grace_s=settings.presence_grace_s, now=now_ms)
    limit = Limit(settings.message_rate, settings.message_burst)
    return Ports(
        verifier=make_verifier(settings, environment, now=now_ms),
        tickets=DynamoDbTickets(calls, tickets_table=settings.tickets_table),
        log=DynamoDbConversationLog(calls, log_table=settings.log_table, members_table=members_table),
        memberships=DynamoDbMemberships(calls, members_table=members_table),
        files=DynamoDbFiles(calls, members_table=members_table),
        objects=S3Objects(s3(environment, deadline), bucket=settings.bucket),
        blocks=DynamoDbBlocks(calls, members_table=members_table),
        contacts=DynamoDbContacts(calls, members_table=members_table),
        relations=DynamoDbRelations(
            calls, members_table=members_table, log_table=settings.log_table, parallel_map=parallel_map
        ),
        profiles=DynamoDbProfiles(calls, members_table=members_table),
        sessions=DynamoDbSessions(calls, sessions_table=settings.sessions_table),
        watches=DynamoDbWatches(calls, members_table=members_table),
        devices=DynamoDbDevices(calls, members_table=members_table),
        notifications=DynamoDbNotifications(calls, members_table=members_table, parallel_map=parallel_map),
        reminders=DynamoDbReminders(calls, members_table=members_table),
        clock=EventBridgeReminderScheduler(
            scheduler(environment, deadline),
            group=settings.schedule_group,
            queue_arn=settings.look_queue_arn,
            role_arn=settings.schedule_role_arn,
        ),
        looks=SqsDeliveryCheckQueue(SqsQueue(queues, settings.look_queue_url)),
        gateway=ApiGatewayConnections(
            settings.connections_endpoint,
            environment,
            parallel_map=parallel_map,
            pause=deadline.pause,
            check=deadline.check,
        ),
        parallel_map=parallel_map,
        limiter=RateLimiter(limit, DynamoDbBuckets(calls, members_table=members_table), now_ms),
        invites=InviteLimiter(
            Limit(settings.invite_rate, settings.invite_burst, per_s=HOUR_S),
            DynamoDbBuckets(calls, members_table=members_table, row=INVITES),
            now_ms,
        ),
        now=now_ms,
        pause=deadline.pause,
        begin=deadline.begin,
        new_nonce=lambda: secrets.token_urlsafe(8),
        new_secret=lambda: secrets.token_urlsafe(32),
        report=reporter("rest", checks),
        edit_window_s=settings.edit_window_s,
        group_limit=settings.group_limit,
        inline_limit=settings.inline_limit,
        receipts_limit=settings.receipts_limit,
        page_limit=settings.page_limit,
        device_limit=settings.device_limit,
        reminder_limit=settings.reminder_limit,
        second_look_s=settings.second_look_s,
        sizes=SizeLimits(settings.image_limit, settings.file_limit, settings.file_quota),
        bounds=Bounds(settings.text_limit, settings.mention_limit),
        rosters=Rosters(),
        endpoint_url=environment.endpoint_url,
    )


def _log_unexpected(error: Exception) -> None:
    _LOGGER.error("unexpected error", extra=describe(error))


_SETTINGS = RestSettings.load()
_LOGGER = make_logger("rest", _SETTINGS.log_level)
_REQUESTS = make_request_log("rest", _SETTINGS.request_log)
_PORTS = _wire(_SETTINGS, AwsEnvironment.load())
_API = make_api(_PORTS, unexpected=_log_unexpected)
_NOTES = take_notes(_API) if _REQUESTS else dict


def handler(event: dict[str, Any], _context: Any = None) -> dict[str, Any]:
    """Answer one HTTP request, always in the API's own error format."""
    _PORTS.begin()
    if _REQUESTS is None:
        return _answer(event)
    return _REQUESTS.http(event, lambda: _answer(event), _NOTES)


def _answer(event: dict[str, Any]) -> dict[str, Any]:
    """What a page asks before it asks is answered without the API; whatever it is, pages may read what they may."""
    asked = preflight(event, _SETTINGS.allowed_origins)
    return readable(_routed(event), event, _SETTINGS.allowed_origins) if asked is None else asked


def _routed(event: dict[str, Any]) -> dict[str, Any]:
    try:
        return respond(event, _API)
    except Exception as error:  # noqa: BLE001  # the client gets a clean answer, the log the place
        _log_unexpected(error)
        request_id = event.get("requestContext", {}).get("requestId", "")
        body = json.dumps(error_body(Internal(), request_id))
        return {"statusCode": Internal.status, "headers": {"Content-Type": "application/json"}, "body": body}
