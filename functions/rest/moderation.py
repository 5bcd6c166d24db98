"""What users report, and those who moderate decide."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.rest.admin import tell_offline
from functions.rest.answers import Answer, ok
from functions.rest.requests import AboutUser, Cursor, Limit, ReportPath, StatusQuery
from functions.rest.wiring import Wiring
from shared.domain.reports import OPEN, ReportPosition
from shared.domain.text import MAX_NUMBER
from shared.operations.reports import ReportsQuestion, decide_report, make_report, report_of, reports_page
from shared.wire.rest import moderation as bodies

_LATEST = ReportPosition(MAX_NUMBER)


def add_reports(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.post("/v1/reports")
    def post_report(body: bodies.ReportMade) -> Answer:
        """Report a message or a user to those who moderate. 200 for what the caller has reported before."""
        command = body.command(wiring.caller(app).user_id)
        stores, context, admit = wiring.stores, wiring.context, wiring.reports.take_one
        report, is_new = make_report(command, admit=admit, shown=bodies.message_text, stores=stores, context=context)
        return ok(bodies.made_body(report), is_new=is_new)

    @app.get("/v1/reports")
    def get_reports(
        status: StatusQuery = OPEN, user: AboutUser = None, limit: Limit = 30, cursor: Cursor = None
    ) -> Answer:
        """The reports of a status, newest first. Needs the scope `admin` or `moderation`."""
        reader, of = wiring.moderator(app), bodies.list_of(status, user)
        before = _LATEST if cursor is None else bodies.decode_reports_cursor(reader, cursor, of)
        page = reports_page(ReportsQuestion(status, before, limit, user), stores=wiring.stores)
        return ok(bodies.reports_body(page, reader, of))


def add_report(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/reports/<report_id>")
    def get_report(report_id: ReportPath) -> Answer:
        """One report. Needs the scope `admin` or `moderation`."""
        wiring.moderator(app)
        return ok(bodies.report_body(report_of(report_id, stores=wiring.stores)))

    @app.post("/v1/reports/<report_id>/decision")
    def post_decision(report_id: ReportPath, body: bodies.NewDecision) -> Answer:
        """Decide on a report, once. Needs the scope `admin` or `moderation`. The same again changes nothing."""
        made = body.made(wiring.moderator(app), wiring.context.now())
        report, is_banned = decide_report(report_id, made, **wiring.parts)
        if is_banned:
            tell_offline(report.user_id, wiring)
        return ok(bodies.report_body(report))
