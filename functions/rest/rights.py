"""Users' rights over their data: exports, for administrators and their own, erasures, holds, and imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.rest.admin import tell_offline
from functions.rest.answers import Answer, accepted, done, ok
from functions.rest.requests import ConversationPath, Cursor, Limit, UserPath
from functions.rest.wiring import Wiring
from shared.domain.jobs import ERASURE, EXPORT, Job
from shared.errors import Forbidden
from shared.operations import rights
from shared.operations.imports import import_lines
from shared.operations.jobs import begin_job, job_of
from shared.operations.rights import (
    begin_erasure,
    begin_own_export,
    exported,
    hold_of,
    hold_user,
    lift_hold,
    own_export_of,
)
from shared.wire.rest import imports
from shared.wire.rest import rights as bodies

if TYPE_CHECKING:
    from shared.wire.shapes import rights as shapes


def add_exports(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.post("/v1/users/<user_id>/export")
    def post_export(user_id: UserPath) -> Answer:
        """Collect all that is stored of a user. Needs the scope `admin`. While one is being made, returns that."""
        wiring.admin(app)
        job = begin_job(EXPORT, user_id, by=app.context["user_id"], **wiring.parts)
        return accepted(bodies.job_body(job))

    @app.get("/v1/users/<user_id>/export")
    def get_export(user_id: UserPath, limit: Limit = 30, cursor: Cursor = None) -> Answer:
        """How far the latest export is, and links to its objects once it is done. Needs the scope `admin`."""
        caller = wiring.admin(app)
        job = job_of(EXPORT, user_id, stores=wiring.stores)
        return ok(_export(job, caller.user_id, limit, cursor, wiring))


def add_own_export(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.post("/v1/me/export")
    def post_own_export() -> Answer:
        """Collect all that is stored of the caller: one export at a time, one a day. Guests may not."""
        caller, exports = wiring.caller(app), wiring.exports
        if exports is None:
            raise Forbidden("Here administrators alone begin exports")
        job = begin_own_export(caller.user_id, admit=exports.take_one_of_all, **wiring.parts)
        return accepted(bodies.job_body(job))

    @app.get("/v1/me/export")
    def get_own_export(limit: Limit = 30, cursor: Cursor = None) -> Answer:
        """How far the caller's own latest export is, and links to its objects once it is done. Guests may not."""
        caller = wiring.caller(app)
        job = own_export_of(caller.user_id, stores=wiring.stores)
        return ok(_export(job, caller.user_id, limit, cursor, wiring))


def _export(job: Job, reader_id: str, limit: int, cursor: str | None, wiring: Wiring) -> shapes.Export:
    after = "" if cursor is None else bodies.decode_export_cursor(reader_id, cursor, job.job_id)
    page = exported(job, after=after, limit=limit, services=wiring.services, now=wiring.context.now())
    return bodies.export_body(job, page, reader_id)


def add_erasures(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.post("/v1/users/<user_id>/erasure")
    def post_erasure(user_id: UserPath) -> Answer:
        """Keep a user out, and take away all that is stored of them. Needs the scope `admin`. A repetition resumes."""
        wiring.admin(app)
        job = begin_erasure(user_id, by=app.context["user_id"], **wiring.parts)
        tell_offline(user_id, wiring)
        return accepted(bodies.job_body(job))

    @app.get("/v1/users/<user_id>/erasure")
    def get_erasure(user_id: UserPath) -> Answer:
        """How far the latest erasure is, and once it is done, what is left and why. Needs the scope `admin`."""
        wiring.admin(app)
        return ok(bodies.erasure_body(job_of(ERASURE, user_id, stores=wiring.stores)))


def add_holds(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.put("/v1/users/<user_id>/hold")
    def put_hold(user_id: UserPath, body: bodies.NewHold) -> Answer:
        """Put a user on legal hold: no erasure begins, and one that runs stops. Needs the scope `admin`."""
        wiring.admin(app)
        by, stores, context = app.context["user_id"], wiring.stores, wiring.context
        return ok(bodies.hold_body(hold_user(user_id, body.reason, by=by, stores=stores, context=context)))

    @app.get("/v1/users/<user_id>/hold")
    def get_hold(user_id: UserPath) -> Answer:
        """Whether and why a user is on legal hold. Needs the scope `admin`."""
        wiring.admin(app)
        return ok(bodies.hold_body(hold_of(user_id, stores=wiring.stores)))

    @app.delete("/v1/users/<user_id>/hold")
    def delete_hold(user_id: UserPath) -> Answer:
        """Lift a legal hold. Needs the scope `admin`."""
        wiring.admin(app)
        lift_hold(user_id, stores=wiring.stores)
        return done()


def add_conversation_holds(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.put("/v1/conversations/<conversation_id>/hold")
    def put_conversation_hold(conversation_id: ConversationPath, body: bodies.NewHold) -> Answer:
        """Put a conversation on legal hold: no row of it goes, whatever has ended. Needs the scope `admin`."""
        wiring.admin(app)
        by = app.context["user_id"]
        hold = rights.hold_conversation(conversation_id, body.reason, by=by, **wiring.parts)
        return ok(bodies.conversation_hold_body(hold))

    @app.get("/v1/conversations/<conversation_id>/hold")
    def get_conversation_hold(conversation_id: ConversationPath) -> Answer:
        """Whether and why a conversation is on legal hold. Needs the scope `admin`."""
        wiring.admin(app)
        return ok(bodies.conversation_hold_body(rights.conversation_hold_of(conversation_id, stores=wiring.stores)))

    @app.delete("/v1/conversations/<conversation_id>/hold")
    def delete_conversation_hold(conversation_id: ConversationPath) -> Answer:
        """Lift the legal hold of a conversation. Needs the scope `admin`."""
        wiring.admin(app)
        rights.lift_conversation_hold(conversation_id, **wiring.parts)
        return done()


def add_imports(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.post("/v1/imports")
    def post_import(body: imports.NewImport) -> Answer:
        """Take over history from elsewhere, with its times and authors. Needs the scope `admin`. Tells nobody."""
        wiring.admin(app)
        results = import_lines(body.read(), stores=wiring.stores, context=wiring.context)
        return ok(imports.import_body(results))
