"""The HTTP API: every route, and one way to answer a request. Operations come from the core, ports from the wiring."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.rest.answers import add_errors
from functions.rest.conversations import add_conversation, add_conversations, add_members_routes
from functions.rest.messages import add_files, add_message, add_messages, add_reactions
from functions.rest.notifications import add_devices, add_notifications, add_reminders
from functions.rest.people import add_blocks, add_contacts, add_presence, add_profile
from functions.rest.requests import is_head, parse_body, prepared
from functions.rest.service import add_service
from functions.rest.wiring import Wiring

_RESOURCES = (
    add_service,
    add_profile,
    add_conversations,
    add_conversation,
    add_members_routes,
    add_messages,
    add_message,
    add_reactions,
    add_files,
    add_reminders,
    add_contacts,
    add_blocks,
    add_presence,
    add_devices,
    add_notifications,
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
