"""What belongs to no resource: whether the service is there, what it offers, and a way in for browsers."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response

from functions.rest.answers import Answer, ok
from functions.rest.requests import caller
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
        """Whether the service answers. Needs no token."""
        return ok(health_body(wiring.context.now()))

    @app.get("/v1/openapi.json")
    def get_openapi() -> Answer:
        """The HTTP API for machines: what you are reading. Needs no token."""
        return Response(200, content_type="application/json", body=document(_address(app, wiring)))

    @app.post("/v1/tickets")
    def post_ticket() -> Answer:
        """A ticket for one WebSocket handshake, for clients that can't set a header there."""
        identity = caller(app, wiring)
        tickets, context = wiring.stores.tickets, wiring.context
        ticket = issue_ticket(identity, tickets=tickets, now=context.now(), new_secret=context.new_secret)
        return ok(ticket_body(ticket))
