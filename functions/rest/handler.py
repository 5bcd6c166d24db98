"""The HTTP API behind the gateway's default route."""

from __future__ import annotations

import json
from typing import Any

from functions.rest.answers import preflight, readable
from functions.rest.api import make_api, respond, take_notes
from functions.rest.wiring import Wiring
from shared.adapters.aws.archive import S3Archive
from shared.adapters.aws.calls import ApiGatewayConnections
from shared.adapters.aws.event_queues import SqsErrands
from shared.adapters.aws.parallel import ParallelCalls
from shared.adapters.aws.push_queues import SqsBroadcastQueue, SqsDeliveryCheckQueue, SqsJobQueue
from shared.adapters.aws.s3 import S3Objects, s3
from shared.adapters.aws.scheduler import EventBridgeReminderScheduler, scheduler
from shared.adapters.aws.sqs import SqsPresenceChecks, SqsQueue, sqs
from shared.adapters.dynamodb.buckets import EXPORTS, INVITES, REPORTS, DynamoDbBuckets
from shared.adapters.dynamodb.client import dynamodb
from shared.adapters.dynamodb.presence_stores import with_transitions
from shared.adapters.dynamodb.schema import Tables
from shared.adapters.dynamodb.stores import make_stores
from shared.adapters.dynamodb.webhooks import DynamoDbWebhookCursors, DynamoDbWebhooks
from shared.auth.tokens import make_verifier
from shared.clock import REQUEST_S, Deadline, now_ms
from shared.config import AwsEnvironment, RestSettings
from shared.domain.files import SizeLimits
from shared.domain.limits import Limit
from shared.domain.reports import REPORTS as REPORTS_LIMIT
from shared.domain.rules import Bounds
from shared.errors import Internal
from shared.limits.invites import DAY_S, HOUR_S, InviteLimiter
from shared.limits.limiters import RateLimiter
from shared.observability import FunctionObserver, make_logger, request_log, unexpected, unlogged
from shared.ports.services import RestServices
from shared.ports.webhooks import Outlet
from shared.wire.events import encode_plainly
from shared.wire.rest.common import error_body
from shared.wiring import limits_of, make_context, matrix_in, trimming_of


def _wire(settings: RestSettings, environment: AwsEnvironment) -> Wiring:
    deadline = Deadline(REQUEST_S)
    calls, queues = dynamodb(environment, deadline), sqs(environment, deadline)
    parallel = ParallelCalls(calls)
    members, endpoint = settings.members_table, settings.connections_endpoint
    tables = Tables(
        members=members, sessions=settings.sessions_table, log=settings.log_table, tickets=settings.tickets_table
    )
    presence_queue, bucket = SqsQueue(queues, settings.presence_queue_url), s3(environment, deadline)
    messages = DynamoDbBuckets(calls, members_table=members)
    invites = DynamoDbBuckets(calls, members_table=members, row=INVITES)
    reports = DynamoDbBuckets(calls, members_table=members, row=REPORTS)
    exports = DynamoDbBuckets(calls, members_table=members, row=EXPORTS)
    daily = Limit(settings.own_exports or 1, settings.own_exports, per_s=DAY_S)
    limits = limits_of(
        settings,
        bounds=Bounds(settings.text_limit, settings.mention_limit),
        matrix=matrix_in(settings.permissions),
        delivery_check_s=settings.second_look_s,
        sizes=SizeLimits(settings.image_limit, settings.file_limit, settings.file_quota),
    )
    observer = FunctionObserver("rest", _LOGGER)
    context = make_context(limits, pause=deadline.pause, wait_ms=deadline.wait_ms)
    if settings.looks_first:
        from shared.screens import screened  # noqa: PLC0415  # others don't pay for it

        context = screened(context, settings, environment, calls=calls, members_table=members, observer=observer)
    stores = make_stores(calls, tables, parallel_map=parallel, trimming=trimming_of(_SETTINGS))
    checks = SqsPresenceChecks(presence_queue, grace_s=settings.presence_grace_s, now=now_ms)
    if settings.presence_events == "on":
        stores = with_transitions(stores, calls, tables, checks=checks)
    outlet = Outlet(
        log=stores.log,
        webhooks=DynamoDbWebhooks(calls, members_table=members),
        cursors=DynamoDbWebhookCursors(calls, members_table=members),
        errands=SqsErrands(SqsQueue(queues, settings.event_queue_url)),
        is_local=bool(environment.endpoint_url),
    )
    return Wiring(
        stores=stores,
        services=RestServices(
            gateway=ApiGatewayConnections(endpoint, environment, deadline=deadline, fan_out_ms=settings.fan_out_ms),
            parallel_map=parallel,
            encode=encode_plainly,
            observer=observer,
            presence_checks=checks,
            delivery_checks=SqsDeliveryCheckQueue(SqsQueue(queues, settings.look_queue_url)),
            broadcast_queue=SqsBroadcastQueue(SqsQueue(queues, settings.fan_out_queue_url)),
            objects=S3Objects(bucket, bucket=settings.bucket),
            scheduler=EventBridgeReminderScheduler(
                scheduler(environment, deadline),
                group=settings.schedule_group,
                queue_arn=settings.look_queue_arn,
                role_arn=settings.schedule_role_arn,
            ),
            job_queue=SqsJobQueue(SqsQueue(queues, settings.look_queue_url)),
            archive=S3Archive(bucket, bucket=settings.bucket),
        ),
        context=context,
        verifier=make_verifier(settings, environment, now=now_ms),
        limiter=RateLimiter(Limit(settings.message_rate, settings.message_burst), messages, now_ms),
        invites=InviteLimiter(Limit(settings.invite_rate, settings.invite_burst, per_s=HOUR_S), invites, now_ms),
        reports=InviteLimiter(REPORTS_LIMIT, reports, now_ms, "Too many reports"),
        begin=deadline.begin,
        users_visible=settings.users_visible,
        has_word_lists=settings.word_lists == "on",
        has_shadow_bans=settings.shadow_bans == "on",
        web_push_key=settings.web_push_key,
        endpoint_url=environment.endpoint_url,
        exports=InviteLimiter(daily, exports, now_ms, "Too many exports today") if settings.own_exports else None,
        outlet=outlet if settings.event_queue_url else None,
    )


def _log_unexpected(error: Exception) -> None:
    unexpected("unexpected error", error, logger=_LOGGER)


_SETTINGS = RestSettings.load()
_LOGGER = make_logger("rest", _SETTINGS.log_level, _SETTINGS.stage)
_IS_UNLOGGED = unlogged(_SETTINGS.request_log)
_WIRING = _wire(_SETTINGS, AwsEnvironment.load())
_API = make_api(_WIRING, unexpected=_log_unexpected)
_NOTES = dict if _SETTINGS.request_log == "off" else take_notes(_API)


def handler(event: dict[str, Any], _context: Any = None) -> dict[str, Any]:
    """Answer one HTTP request, always in the API's own error format."""
    _WIRING.begin()
    if _IS_UNLOGGED():
        return _answer(event)
    return request_log("rest").http(event, lambda: _answer(event), _NOTES)


def _answer(event: dict[str, Any]) -> dict[str, Any]:
    """What a page asks before it asks is answered without the API; whatever it is, pages may read what they may."""
    asked = preflight(event, _SETTINGS.allowed_origins)
    return readable(_routed(event), event, _SETTINGS.allowed_origins) if asked is None else asked


def _mail_page(event: dict[str, Any]) -> dict[str, Any] | None:
    if not str(event.get("rawPath", "")).startswith("/v1/mail/"):
        return None
    from functions.rest.mail import page  # noqa: PLC0415  # few ever ask

    return page(event, _WIRING.parts)


def _routed(event: dict[str, Any]) -> dict[str, Any]:
    try:
        return _mail_page(event) or respond(event, _API)
    except Exception as error:  # noqa: BLE001  # the client gets a clean answer, the log the place
        _log_unexpected(error)
        request_id = event.get("requestContext", {}).get("requestId", "")
        body = json.dumps(error_body(Internal(), request_id))
        return {"statusCode": Internal.status, "headers": {"Content-Type": "application/json"}, "body": body}
