"""The HTTP API: every route, and one way to answer a request. Operations come from the core, ports from the wiring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, Final

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from functions.rest.admin import add_audit, add_bans
from functions.rest.answers import Answer, add_errors, ok
from functions.rest.broadcasts import add_broadcast, add_broadcasts
from functions.rest.conversations import add_conversation, add_conversations, add_members_routes
from functions.rest.joining import add_invites, add_joining, add_requests
from functions.rest.messages import add_files, add_message, add_messages, add_pins, add_reactions
from functions.rest.moderation import add_held, add_removals, add_report, add_reports, add_shadow_bans, add_word_lists
from functions.rest.notifications import add_devices, add_notifications, add_reminders
from functions.rest.people import add_blocks, add_contacts, add_presence, add_profile
from functions.rest.requests import is_head, parse_body, prepared
from functions.rest.rights import (
    add_conversation_holds,
    add_erasures,
    add_exports,
    add_holds,
    add_imports,
    add_own_export,
)
from functions.rest.users import add_user, add_users
from functions.rest.webhooks import add_webhook, add_webhooks
from functions.rest.wiring import Wiring
from shared.operations.tickets import issue_ticket
from shared.wire.rest.people import health_body, ticket_body

# The gateway's own, and a domain or two.
_ADDRESSES: Final = 4


def _address(app: APIGatewayHttpResolver, wiring: Wiring) -> str:
    """Where this API is reached: under the name that was asked for, on a laptop by a path of the emulator."""
    context = app.current_event.request_context
    if not wiring.endpoint_url:
        return f"https://{context.domain_name}"
    return f"{wiring.endpoint_url}/_aws/execute-api/{context.api_id}/{context.stage}"


def add_service(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @lru_cache(maxsize=_ADDRESSES)
    def document(url: str) -> str:
        from functions.rest.openapi import openapi_json  # noqa: PLC0415  # few ever ask, and every cold start would pay

        return openapi_json(app, url=url)

    @app.get("/v1/health")
    def get_health() -> Answer:
        """Whether the service answers, and of which version it is. Needs no token."""
        return ok(health_body(wiring.context.now()))

    @app.get("/v1/openapi.json")
    def get_openapi() -> Answer:
        """The HTTP API for machines: what you are reading. Needs no token."""
        return Response(200, content_type="application/json", body=document(_address(app, wiring)))

    @app.post("/v1/tickets")
    def post_ticket() -> Answer:
        """A ticket for one WebSocket handshake, for clients that can't set a header there."""
        identity = wiring.caller(app)
        tickets, context = wiring.stores.tickets, wiring.context
        ticket = issue_ticket(identity, tickets=tickets, now=context.now(), new_secret=context.new_secret)
        return ok(ticket_body(ticket))


_RESOURCES = (
    *(add_service, add_profile, add_own_export, add_conversations, add_conversation, add_members_routes),
    *(add_joining, add_requests, add_invites),
    *(add_messages, add_message, add_reactions, add_pins, add_files, add_reminders),
    *(add_contacts, add_blocks, add_presence, add_devices, add_notifications, add_audit, add_bans),
    *(add_users, add_exports, add_erasures, add_holds, add_user, add_reports, add_report, add_held, add_word_lists),
    *(add_broadcasts, add_broadcast, add_removals, add_shadow_bans, add_imports, add_conversation_holds),
    *(add_webhooks, add_webhook),
)


def make_api(wiring: Wiring, *, unexpected: Callable[[Exception], object]) -> APIGatewayHttpResolver:
    """The resolver with every route. `unexpected` is told of errors that are none of ours."""
    app = APIGatewayHttpResolver(enable_validation=True, json_body_deserializer=parse_body)
    add_errors(app, unexpected)
    for add_resource in _RESOURCES:
        add_resource(app, wiring)
    return app


def take_notes(app: APIGatewayHttpResolver) -> Callable[[], Mapping[str, Any]]:
    """Has every request's route, arguments and verified user noted; what it returns hands out the latest, once."""
    notes: dict[str, Any] = {}
    call_route = app._call_route  # noqa: SLF001  # a middleware would not hear of bodies that are refused

    def noting(route: Any, route_arguments: dict[str, str]) -> Any:
        try:
            return call_route(route, route_arguments)
        finally:
            context = app.context
            notes["user_id"] = context.get("user_id")
            if not context.get("unknown_path"):
                notes.update(route=route.path, arguments=route_arguments)

    def taken() -> Mapping[str, Any]:
        latest = dict(notes)
        notes.clear()
        return latest

    app._call_route = noting  # type: ignore[method-assign]  # noqa: SLF001
    return taken


def respond(event: Mapping[str, Any], app: APIGatewayHttpResolver) -> dict[str, Any]:
    """Answer one request. HEAD is answered as GET, with the length of the body that is left out."""
    answered = app.resolve(prepared(event), None)  # type: ignore[arg-type]  # no route looks at the context
    if not is_head(event):
        return answered
    length = str(len(answered["body"].encode()))
    return {**answered, "headers": {**answered["headers"], "Content-Length": length}, "body": ""}
