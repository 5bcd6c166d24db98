"""The gateway's authorizer: decides on a handshake, and hands the identity to every later event of the connection."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.adapters.dynamodb.client import dynamodb
from shared.adapters.dynamodb.sessions import DynamoDbTickets
from shared.auth.origins import check_origin
from shared.auth.tokens import TokenVerifier, bearer_token, make_verifier
from shared.clock import HANDSHAKE_S, Deadline, now_ms
from shared.config import AuthorizerSettings, AwsEnvironment
from shared.domain.connections import Identity
from shared.domain.text import MAX_DEVICE_ID
from shared.errors import Internal, ParleyError, Unauthenticated, Unavailable
from shared.observability import make_logger, request_log, unexpected, unlogged
from shared.operations.tickets import redeem_ticket
from shared.ports.connections import Tickets
from shared.wire.websocket.gateway import Event, authorizer_context

_DEADLINE = Deadline(HANDSHAKE_S, grace_s=0)
_SETTINGS = AuthorizerSettings.load()
_ENVIRONMENT = AwsEnvironment.load()
_LOGGER = make_logger("authorizer", _SETTINGS.log_level, _SETTINGS.stage)
_IS_UNLOGGED = unlogged(_SETTINGS.request_log)
_VERIFIER = make_verifier(_SETTINGS, _ENVIRONMENT, now=now_ms)
_TICKETS = DynamoDbTickets(dynamodb(_ENVIRONMENT, _DEADLINE), tickets_table=_SETTINGS.tickets_table)


def handler(event: Event, _context: Any = None) -> dict[str, Any]:
    """Allow or deny one handshake. Every refusal is an explicit deny; the client sees 403."""
    _DEADLINE.begin()
    if _IS_UNLOGGED():
        return _authorize(event)
    return request_log("authorizer").handshake(event, lambda: _authorize(event))


def _authorize(event: Event) -> dict[str, Any]:
    origins = _SETTINGS.allowed_origins
    return authorize(event, verifier=_VERIFIER, tickets=_TICKETS, allowed_origins=origins, now=now_ms())


def authorize(
    event: Event, *, verifier: TokenVerifier, tickets: Tickets, allowed_origins: str, now: int
) -> dict[str, Any]:
    """The policy for one handshake."""
    query = event.get("queryStringParameters") or {}
    try:
        token = bearer_token(event.get("headers") or {})
        if token is None:
            _check_origins(event, allowed_origins)
        identity = _identify(token, query, verifier=verifier, tickets=tickets, now=now)
    except Unavailable as unavailable:
        unexpected("handshake not decided", unavailable, logger=_LOGGER)
        # A fault of ours, not a verdict: the gateway answers 500, and the client tries again. The runtime logs an
        # error's text, and that of what it came from, which may quote anything.
        raise Unavailable from None
    except ParleyError as refused:
        _LOGGER.info("handshake refused", extra={"code": refused.code, **_why(refused)})
        return _policy("refused", "Deny", event["methodArn"], {})
    except Exception as error:  # noqa: BLE001  # whatever it is, what it says stays here
        unexpected("unexpected error", error, logger=_LOGGER)
        raise Internal from None  # as above
    device_id = str(query.get("device_id") or "")[:MAX_DEVICE_ID]
    context = authorizer_context(identity, device_id=device_id, connected_at=now)
    return _policy(identity.user_id, "Allow", event["methodArn"], context)


def _why(refused: ParleyError) -> dict[str, str]:
    """What was wrong with a token, in one word: of a mistaken secret every line says InvalidSignatureError."""
    return {} if refused.__cause__ is None else {"cause": type(refused.__cause__).__name__}


def _check_origins(event: Event, allowed_origins: str) -> None:
    """Of a handshake by ticket: the kind that a page can make. A page can't have a browser send a token's header.

    Every one that was sent: of several headers with one name, `headers` has the last alone.
    """
    check_origin(event.get("headers") or {}, allowed_origins)
    for name, values in (event.get("multiValueHeaders") or {}).items():
        for value in values:
            check_origin({name: value}, allowed_origins)


def _identify(
    token: str | None, query: Mapping[str, str], *, verifier: TokenVerifier, tickets: Tickets, now: int
) -> Identity:
    """By header for those who can set one, by one-time ticket for browsers. A JWT in the URL is never looked at."""
    if token is not None:
        return verifier.verify(token)
    ticket = query.get("ticket")
    if ticket:
        return redeem_ticket(ticket, tickets=tickets, now=now)
    raise Unauthenticated


def _policy(principal_id: str, effect: str, arn: str, context: Mapping[str, str]) -> dict[str, Any]:
    return {
        "principalId": principal_id,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": effect, "Resource": arn}],
        },
        "context": dict(context),
    }
