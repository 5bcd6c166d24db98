"""What is for administrators: keeping users out, and the list of what they did."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.rest.answers import Answer, done, ok
from functions.rest.requests import About, Cursor, From, Limit, Until, UserPath
from functions.rest.wiring import Wiring
from shared.clock import DAY_MS
from shared.domain.audit import AuditPosition
from shared.domain.bans import FOREVER, Ban
from shared.domain.connections import Gone
from shared.errors import NotFound
from shared.operations.audit import AuditQuestion, audit_page
from shared.operations.bans import ban_user, revoke_tokens, unban_user
from shared.operations.presence import check_offline
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


def add_bans(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.put("/v1/users/<user_id>/ban")
    def put_ban(user_id: UserPath, body: bodies.NewBan) -> Answer:
        """Keep a user out, and close what they have open. Needs the scope `admin`. The last one counts."""
        wiring.admin(app)
        by, now = app.context["user_id"], wiring.context.now()  # whose token it is, whoever it acts as
        ban = Ban(FOREVER if body.until is None else body.until, body.reason, now, by)
        closed = ban_user(user_id, ban, **wiring.parts)
        tell_offline(user_id, wiring)
        return ok(bodies.given_body(user_id, ban, closed))

    @app.get("/v1/users/<user_id>/ban")
    def get_ban(user_id: UserPath) -> Answer:
        """Whether and why a user is kept out. Needs the scope `admin`."""
        wiring.admin(app)
        ban = wiring.stores.sessions.bars(user_id).ban_at(wiring.context.now())
        if ban is None:
            raise NotFound("This user is not banned")
        return ok(bodies.ban_body(user_id, ban))

    @app.delete("/v1/users/<user_id>/ban")
    def delete_ban(user_id: UserPath) -> Answer:
        """Let a user in again. Needs the scope `admin`."""
        wiring.admin(app)
        unban_user(user_id, stores=wiring.stores, context=wiring.context)
        return done()

    @app.post("/v1/users/<user_id>/revoke")
    def post_revoke(user_id: UserPath, body: bodies.Revocation) -> Answer:
        """Refuse a user's tokens issued before a moment, and close what they opened. Needs the scope `admin`."""
        wiring.admin(app)
        moment, closed = revoke_tokens(user_id, body.issued_before, **wiring.parts)
        tell_offline(user_id, wiring)
        return ok(bodies.revoked_body(moment, closed))


def tell_offline(user_id: str, wiring: Wiring) -> None:
    """Have it told if nothing is left, also of who had nothing: an earlier request may have died before it did."""
    stores, services, context = wiring.stores, wiring.services, wiring.context
    check_offline(Gone(user_id, context.now()), again=True, stores=stores, services=services, now=context.now)
