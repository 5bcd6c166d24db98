"""The HTTP API: routes, and how errors look. Operations come from the core, ports from the wiring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import unquote

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from aws_lambda_powertools.event_handler.openapi.params import Path, Query

from shared.auth.tokens import TokenVerifier, bearer_token
from shared.chat.conversations import create_private, inbox
from shared.chat.history import history
from shared.chat.ports import ConversationLog, Memberships, Spread
from shared.connection.models import Identity
from shared.connection.ports import Tickets
from shared.connection.tickets import issue_ticket
from shared.errors import BadRequest, NotFound, ParleyError, Unauthenticated
from shared.wire.cursors import decode_cursor, encode_cursor
from shared.wire.http import (
    NewPrivateConversation,
    created_body,
    error_body,
    history_body,
    summary_body,
    ticket_body,
)

ConversationPath = Annotated[str, Path(min_length=1, max_length=600)]
Limit = Annotated[int, Query(ge=1, le=100)]
SeqQuery = Annotated[int | None, Query(ge=0, le=2**53 - 1)]
CursorQuery = Annotated[str | None, Query(max_length=1_000)]


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything that the API reaches the world through. `now` is milliseconds."""

    verifier: TokenVerifier
    tickets: Tickets
    log: ConversationLog
    memberships: Memberships
    spread: Spread
    now: Callable[[], int]
    new_secret: Callable[[], str]


def make_api(ports: Ports) -> APIGatewayHttpResolver:
    """The resolver with every route."""
    app = APIGatewayHttpResolver(enable_validation=True)
    _add_errors(app)
    _add_tickets(app, ports)
    _add_conversations(app, ports)

    @app.get("/v1/health")
    def health() -> dict[str, Any]:
        return {"status": "ok", "time": ports.now()}

    return app


def _add_tickets(app: APIGatewayHttpResolver, ports: Ports) -> None:
    @app.post("/v1/tickets")
    def post_ticket() -> Response[dict[str, Any]]:
        identity = _caller(app, ports)
        ticket = issue_ticket(identity, tickets=ports.tickets, now=ports.now(), new_secret=ports.new_secret)
        return _json(HTTPStatus.OK, ticket_body(ticket))


def _add_conversations(app: APIGatewayHttpResolver, ports: Ports) -> None:
    @app.post("/v1/conversations")
    def post_conversation(body: NewPrivateConversation) -> Response[dict[str, Any]]:
        identity = _caller(app, ports)
        created = create_private(identity.user_id, body.with_, memberships=ports.memberships, now=ports.now())
        return _json(HTTPStatus.CREATED if created.is_new else HTTPStatus.OK, created_body(created))

    @app.get("/v1/conversations")
    def get_conversations(limit: Limit = 30, cursor: CursorQuery = None) -> dict[str, Any]:
        user_id = _caller(app, ports).user_id
        page = inbox(
            user_id,
            limit=limit,
            before=None if cursor is None else decode_cursor(user_id, cursor),
            memberships=ports.memberships,
            log=ports.log,
            spread=ports.spread,
        )
        next_cursor = None if page.next_before is None else encode_cursor(user_id, page.next_before)
        return {"conversations": [summary_body(one) for one in page.conversations], "next_cursor": next_cursor}

    @app.get("/v1/conversations/<conversation_id>/messages")
    def get_messages(
        conversation_id: ConversationPath, before: SeqQuery = None, after: SeqQuery = None, limit: Limit = 50
    ) -> dict[str, Any]:
        identity = _caller(app, ports)
        page = history(
            unquote(conversation_id),
            user_id=identity.user_id,
            before=before,
            after=after,
            limit=limit,
            log=ports.log,
            memberships=ports.memberships,
        )
        return history_body(page)


def _caller(app: APIGatewayHttpResolver, ports: Ports) -> Identity:
    token = bearer_token(app.current_event.headers)
    if token is None:
        raise Unauthenticated
    return ports.verifier.verify(token)


def _add_errors(app: APIGatewayHttpResolver) -> None:
    @app.exception_handler(ParleyError)  # type: ignore[untyped-decorator]  # powertools leaves it untyped
    def on_error(error: ParleyError) -> Response[dict[str, Any]]:
        return _error(app, error)

    @app.exception_handler(RequestValidationError)  # type: ignore[untyped-decorator]  # as above
    def on_invalid(error: RequestValidationError) -> Response[dict[str, Any]]:
        return _error(app, BadRequest(_explained(error)))

    @app.exception_handler(RecursionError)  # type: ignore[untyped-decorator]  # as above
    def on_nested(_: RecursionError) -> Response[dict[str, Any]]:
        return _error(app, BadRequest("The body is nested too deeply"))

    @app.not_found
    def on_unknown_path(_: NotFoundError) -> Response[dict[str, Any]]:
        return _error(app, NotFound("There is no such path"))


def _explained(error: RequestValidationError) -> str:
    """Where the first thing wrong is, and what was expected there; never the value itself."""
    first: Mapping[str, Any] = error.errors()[0]
    place = ".".join(str(part) for part in first.get("loc", ()))
    return f"{place}: {first.get('msg', 'is not valid')}"


def _error(app: APIGatewayHttpResolver, error: ParleyError) -> Response[dict[str, Any]]:
    request_id = app.current_event.request_context.request_id
    headers: dict[str, str | list[str]] = {}
    if error.retry_after_ms is not None:
        headers["Retry-After"] = str(-(-error.retry_after_ms // 1_000))
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    return _json(error.status, error_body(error, request_id), headers)


def _json(
    status: int, body: dict[str, Any], headers: dict[str, str | list[str]] | None = None
) -> Response[dict[str, Any]]:
    return Response(int(status), content_type="application/json", body=body, headers=headers)
