"""Telling everybody: broadcasts, how far they are, and holding them up."""

from __future__ import annotations

from typing import Final

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.rest.answers import Answer, accepted, ok
from functions.rest.requests import BroadcastPath, Cursor, Limit
from functions.rest.wiring import Wiring
from shared.operations import broadcasts
from shared.wire.rest import broadcasts as bodies

_SENDING: Final = "broadcasts:send"


def add_broadcasts(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.post("/v1/broadcasts")
    def post_broadcast(body: bodies.NewBroadcast) -> Answer:
        """Tell everybody who is connected something. Needs the scope `broadcasts:send`, or `admin`."""
        wiring.permitted(app, _SENDING)
        by = app.context["user_id"]  # whose token it is, whoever it acts as
        return accepted(bodies.broadcast_body(broadcasts.start_broadcast(bodies.asked(body), by=by, **wiring.parts)))

    @app.get("/v1/broadcasts")
    def get_broadcasts(limit: Limit = 30, cursor: Cursor = None) -> Answer:
        """Broadcasts of the last 90 days, the newest first."""
        user_id = wiring.permitted(app, _SENDING).user_id
        before = None if cursor is None else bodies.decode_broadcasts_cursor(user_id, cursor)
        page, rest = broadcasts.broadcasts_before(before, limit=limit, stores=wiring.stores)
        return ok(bodies.broadcasts_body(page, rest, user_id))


def add_broadcast(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/broadcasts/<broadcast_id>")
    def get_broadcast(broadcast_id: BroadcastPath) -> Answer:
        """A broadcast, and how far it is."""
        wiring.permitted(app, _SENDING)
        return ok(bodies.broadcast_body(broadcasts.broadcast_of(broadcast_id, stores=wiring.stores)))

    @app.post("/v1/broadcasts/<broadcast_id>/pause")
    def post_pause(broadcast_id: BroadcastPath) -> Answer:
        """Hold a broadcast up, until it is resumed. What is under way ends within seconds."""
        wiring.permitted(app, _SENDING)
        found = broadcasts.pause_broadcast(broadcast_id, stores=wiring.stores, context=wiring.context)
        return ok(bodies.broadcast_body(found))

    @app.post("/v1/broadcasts/<broadcast_id>/resume")
    def post_resume(broadcast_id: BroadcastPath) -> Answer:
        """Have a broadcast go on where it stopped; also one that runs, and stands still."""
        wiring.permitted(app, _SENDING)
        return ok(bodies.broadcast_body(broadcasts.resume_broadcast(broadcast_id, **wiring.parts)))

    @app.post("/v1/broadcasts/<broadcast_id>/cancel")
    def post_cancel(broadcast_id: BroadcastPath) -> Answer:
        """End a broadcast for good. Who was told stays told."""
        wiring.permitted(app, _SENDING)
        found = broadcasts.cancel_broadcast(broadcast_id, stores=wiring.stores, context=wiring.context)
        return ok(bodies.broadcast_body(found))
