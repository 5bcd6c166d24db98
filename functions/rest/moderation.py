"""What users report, what is held, and which words are not wanted: for those who moderate."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.rest.admin import tell_offline
from functions.rest.answers import Answer, accepted, done, ok
from functions.rest.requests import AboutUser, Cursor, HeldPath, Limit, ListPath, ReportPath, StatusQuery, UserPath
from functions.rest.wiring import Wiring
from shared.domain.jobs import REMOVAL
from shared.domain.reports import OPEN, ReportPosition
from shared.domain.screening import HeldPosition
from shared.domain.shadows import ShadowBan
from shared.domain.text import MAX_NUMBER
from shared.errors import Conflict
from shared.operations import filters
from shared.operations.held import decide_held, held_of, held_page
from shared.operations.jobs import job_of
from shared.operations.reports import ReportsQuestion, decide_report, make_report, report_of, reports_page
from shared.operations.rights import begin_removal
from shared.wire.rest import moderation as bodies
from shared.wire.rest.rights import job_body

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


def add_held(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/held")
    def get_held_messages(limit: Limit = 30, cursor: Cursor = None) -> Answer:
        """The messages that wait for a decision, oldest first. Needs the scope `admin` or `moderation`."""
        reader, held = wiring.moderator(app), wiring.stores.held
        after = HeldPosition(0) if cursor is None else bodies.decode_held_cursor(reader, cursor)
        return ok(bodies.held_messages_body(held_page(after, limit, held=held), reader))

    @app.get("/v1/held/<held_id>")
    def get_held_message(held_id: HeldPath) -> Answer:
        """One held message, and what was decided. Needs the scope `admin` or `moderation`."""
        wiring.moderator(app)
        return ok(bodies.held_body(held_of(held_id, held=wiring.stores.held)))

    @app.post("/v1/held/<held_id>/decision")
    def post_held_decision(held_id: HeldPath, body: bodies.NewReview) -> Answer:
        """Approve a held message, or reject it, once. Needs the scope `admin` or `moderation`."""
        review = body.made(wiring.moderator(app), wiring.context.now())
        return ok(bodies.held_body(decide_held(held_id, review, **wiring.parts)))


def add_word_lists(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.get("/v1/word-lists")
    def get_word_lists() -> Answer:
        """The lists of words that are not wanted in messages. Needs the scope `admin`."""
        wiring.admin(app)
        return ok(bodies.word_lists_body(wiring.stores.word_lists.all(), is_on=wiring.has_word_lists))

    @app.put("/v1/word-lists/<name>")
    def put_word_list(name: ListPath, body: bodies.NewWordList) -> Answer:
        """Make or replace a list. 201 for a new one. Needs the scope `admin`."""
        wiring.admin(app)
        one = body.made(name, wiring.context.now())
        is_new = filters.put_word_list(one, stores=wiring.stores)
        return ok(bodies.word_list_body(one), is_new=is_new)

    @app.delete("/v1/word-lists/<name>")
    def delete_word_list(name: ListPath) -> Answer:
        """Take a list away. Needs the scope `admin`."""
        wiring.admin(app)
        filters.delete_word_list(name, stores=wiring.stores)
        return done()


def add_shadow_bans(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.put("/v1/users/<user_id>/shadow-ban")
    def put_shadow_ban(user_id: UserPath, body: bodies.NewShadowBan) -> Answer:
        """Have others see nothing of what a user writes from now on. Needs the scope `admin`."""
        wiring.admin(app)
        if not wiring.has_shadow_bans:
            raise Conflict("This deployment has no shadow bans: `shadow_bans` is off")
        ban = ShadowBan(user_id, wiring.context.now(), app.context["user_id"], body.reason)
        filters.shadow_ban(ban, stores=wiring.stores, context=wiring.context)
        return ok(bodies.shadow_ban_body(ban))

    @app.get("/v1/users/<user_id>/shadow-ban")
    def get_shadow_ban(user_id: UserPath) -> Answer:
        """Since when and why a user is shadow-banned. Needs the scope `admin`."""
        wiring.admin(app)
        return ok(bodies.shadow_ban_body(filters.shadow_ban_of(user_id, stores=wiring.stores)))

    @app.delete("/v1/users/<user_id>/shadow-ban")
    def delete_shadow_ban(user_id: UserPath) -> Answer:
        """Have what a user writes from now on seen again. Needs the scope `admin`."""
        wiring.admin(app)
        filters.lift_shadow_ban(user_id, stores=wiring.stores, context=wiring.context)
        return done()


def add_removals(app: APIGatewayHttpResolver, wiring: Wiring) -> None:
    @app.post("/v1/users/<user_id>/removal")
    def post_removal(user_id: UserPath) -> Answer:
        """Take away all that a user has written. Needs the scope `admin` or `moderation`. A repetition resumes."""
        by = wiring.moderator(app)
        return accepted(job_body(begin_removal(user_id, by=by, **wiring.parts)))

    @app.get("/v1/users/<user_id>/removal")
    def get_removal(user_id: UserPath) -> Answer:
        """How far the latest removal is. Needs the scope `admin` or `moderation`."""
        wiring.moderator(app)
        return ok(job_body(job_of(REMOVAL, user_id, stores=wiring.stores)))
