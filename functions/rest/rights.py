"""Users' rights over their data, for administrators: exports and erasures."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.rest.answers import Answer, accepted, ok
from functions.rest.requests import Cursor, Limit, UserPath
from functions.rest.wiring import Wiring
from shared.domain.jobs import EXPORT
from shared.errors import NotFound
from shared.operations.jobs import begin_job
from shared.operations.rights import exported
from shared.wire.rest import rights as bodies


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
        job = wiring.stores.jobs.get(EXPORT, user_id)
        if job is None:
            raise NotFound("Nothing of this user was exported")
        after = "" if cursor is None else bodies.decode_export_cursor(caller.user_id, cursor, job.job_id)
        page = exported(job, after=after, limit=limit, services=wiring.services, now=wiring.context.now())
        return ok(bodies.export_body(job, page, caller.user_id))
