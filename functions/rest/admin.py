"""What is for administrators: the list of what they did."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.rest.answers import Answer, ok
from functions.rest.requests import About, Cursor, From, Limit, Until
from functions.rest.wiring import Wiring
from shared.domain.audit import AuditPosition
from shared.operations.audit import DAY_MS, AuditQuestion, audit_page
from shared.wire.rest import admin as bodies

# A row may have been written by a clock that is ahead of ours.
_AHEAD_MS = DAY_MS


def add_audit(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/audit")
    def get_audit(
        since: From = 0, until: Until = None, user: About = None, limit: Limit = 30, cursor: Cursor = None
    ) -> Answer:
        """What administrators did, newest first. Needs the scope `admin`."""
        user_id, context = wiring.admin(app).user_id, wiring.context
        now, days = context.now(), context.limits.audit_days
        end = AuditPosition(now + _AHEAD_MS if until is None else until)
        before = end if cursor is None else bodies.decode_audit_cursor(user_id, cursor)
        asked = AuditQuestion(
            since=max(since, now - days * DAY_MS),
            before=min(before, AuditPosition(now + _AHEAD_MS)),
            limit=limit,
            user_id=user,
        )
        return ok(bodies.audit_body(audit_page(asked, stores=wiring.stores), user_id))
