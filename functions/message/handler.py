"""Every frame of a living connection: messages and what changes them, cursors, presence, sync, ping, and the rest."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from functions.message.guard import COSTLY, Guard
from functions.message.routes import Wiring, serve
from shared.adapters.aws.calls import ApiGatewayConnections
from shared.adapters.aws.sqs import SqsPresenceChecks, SqsQueue, sqs
from shared.adapters.aws.transport import ThreadedMap
from shared.adapters.dynamodb.buckets import DynamoDbBuckets
from shared.adapters.dynamodb.chat_stores import make_chat_stores
from shared.adapters.dynamodb.client import dynamodb
from shared.adapters.dynamodb.schema import Tables
from shared.clock import FRAME_S, Deadline, now_ms
from shared.config import AwsEnvironment, MessageSettings
from shared.domain.connections import Gone
from shared.domain.limits import Limit
from shared.domain.rules import Bounds
from shared.errors import Internal, ParleyError, RateLimited, TokenExpired
from shared.limits.limiters import AbuseWatch, FrameLimiter, RateLimiter
from shared.observability import FunctionObserver, count, describe, make_logger, make_request_log
from shared.operations.context import Limits
from shared.operations.delivery import check_presence
from shared.ports.services import Services
from shared.wire.websocket.frames import BadFrame, decode
from shared.wire.websocket.gateway import Caller, Event, answer, caller_of
from shared.wire.websocket.replies import encode_event, failure, success
from shared.wiring import make_context

if TYPE_CHECKING:
    from shared.auth.tokens import TokenVerifier

# Posts and queries in parallel. Wide enough for a user's inbox; each thread waits far more than it works.
_WIDTH = 32


def _wire(settings: MessageSettings, environment: AwsEnvironment) -> tuple[Wiring, Guard]:
    deadline = Deadline(FRAME_S)
    calls, threads = dynamodb(environment, deadline), ThreadedMap(_WIDTH)
    tables = Tables(members=settings.members_table, sessions=settings.sessions_table, log=settings.log_table)
    endpoint = settings.connections_endpoint
    gateway = ApiGatewayConnections(endpoint, environment, parallel_map=threads, deadline=deadline)
    queue = SqsQueue(sqs(environment, deadline), settings.presence_queue_url)
    wiring = Wiring(
        make_chat_stores(calls, tables, parallel_map=threads),
        Services(
            gateway=gateway,
            parallel_map=threads,
            encode=encode_event,
            observer=FunctionObserver("message", _LOGGER),
            presence_checks=SqsPresenceChecks(queue, grace_s=settings.presence_grace_s, now=now_ms),
        ),
        make_context(_limits(settings), pause=deadline.pause),
        verify=lambda token: _verifier(settings, environment).verify(token),
    )
    buckets = DynamoDbBuckets(calls, members_table=settings.members_table)
    guard = Guard(
        messages=RateLimiter(Limit(settings.message_rate, settings.message_burst), buckets, now_ms),
        frames=FrameLimiter(settings.frame_rate, settings.frame_burst, now_ms),
        costly={kind: FrameLimiter(rate, burst, now_ms) for kind, (rate, burst) in COSTLY.items()},
        frame_limit=settings.frame_limit,
        abuse=AbuseWatch(settings.abuse_limit, now_ms),
        stores=wiring.stores,
        services=wiring.services,
        begin=deadline.begin,
    )
    return wiring, guard


def _limits(settings: MessageSettings) -> Limits:
    return Limits(
        bounds=Bounds(settings.text_limit, settings.mention_limit),
        connection_limit=settings.connection_limit,
        edit_window_s=settings.edit_window_s,
        inline_limit=settings.inline_limit,
        receipts_limit=settings.receipts_limit,
        page_limit=settings.page_limit,
    )


@cache
def _verifier(settings: MessageSettings, environment: AwsEnvironment) -> TokenVerifier:
    """Made by the first `auth` frame: the library behind it costs more than all other imports of this function."""
    from shared.auth.wiring import make_verifier  # noqa: PLC0415  # see above

    return make_verifier(settings, environment, now=now_ms)


_SETTINGS = MessageSettings.load()
_LOGGER = make_logger("message", _SETTINGS.log_level)
_REQUESTS = make_request_log("message", _SETTINGS.request_log)
_WIRING, _GUARD = _wire(_SETTINGS, AwsEnvironment.load())


def handler(event: Event, _context: Any = None) -> dict[str, Any]:
    """Answer one frame. Whatever it is, there is one reply, and the connection stays, unless it floods."""
    if _REQUESTS is None:
        return respond(event, _WIRING, _GUARD)
    return _REQUESTS.websocket(event, lambda: respond(event, _WIRING, _GUARD))


def respond(event: Event, wiring: Wiring, guard: Guard) -> dict[str, Any]:
    """Decode, one call into the core, encode."""
    frame_id = None
    guard.begin()
    try:
        try:
            kind, frame = decode(event.get("body"), limit=guard.frame_limit)
        except BadFrame as bad:
            frame_id = bad.frame_id
            _admit(None, caller_of(event), guard)
            raise bad.error from bad
        frame_id = frame.id
        caller = caller_of(event)
        _admit(kind, caller, guard)  # before the token, which may take a read
        caller = _authenticated(kind, caller, wiring, guard)
        data = serve(kind, frame, caller, wiring)
        if kind == "auth":
            guard.extend(caller.connection_id, data["expires_at"])
        return answer(success(frame_id, data))
    except ParleyError as error:
        if error.retryable and not isinstance(error, RateLimited):
            count("FramesRefused", function="message")
        return answer(failure(frame_id, error))
    except Exception as error:  # noqa: BLE001  # the client gets a reply and the log the place, whatever it was
        _LOGGER.error("unexpected error", extra=describe(error))
        return answer(failure(frame_id, Internal()))


def _authenticated(kind: str, caller: Caller, wiring: Wiring, guard: Guard) -> Caller:
    """The caller, if their token is still good, or if they bring another. Who was online until now is looked after."""
    try:
        return guard.authenticated(caller, wiring.context.now(), renewing=kind == "auth")
    except TokenExpired:
        if guard.has_just_ended(caller):
            check_presence(Gone(caller.user_id, wiring.context.now()), services=wiring.services)
        raise


def _admit(kind: str | None, caller: Caller, guard: Guard) -> None:
    try:
        guard.admit(kind, caller)
    except RateLimited:
        guard.refused(caller)
        raise
