"""Reports: what users tell those who moderate, and what comes of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shared.domain.bans import FOREVER, Ban
from shared.domain.reports import BAN, DELETE, Decision, Report, ReportPosition, ReportStatus, report_id
from shared.domain.text import is_label
from shared.errors import BadRequest, Conflict, NotFound
from shared.operations.about import happened, tell_about
from shared.operations.bans import ban_user
from shared.operations.context import Context
from shared.operations.editing import Removal, remove_message
from shared.operations.history import read_message
from shared.ports.services import RestServices
from shared.ports.stores import Stores

# A user is reported anew once what was reported before is decided: so often by one user.
_MOST_TURNS = 1_000


@dataclass(frozen=True, slots=True)
class NewReport:
    """What a client asks for: of a message (`conversation_id` and `seq`), or of a user."""

    reporter: str
    reason: str
    comment: str = ""
    user_id: str | None = None
    conversation_id: str | None = None
    seq: int | None = None


def make_report(
    command: NewReport, *, admit: Callable[[str], object], shown: Callable[..., str], stores: Stores, context: Context
) -> tuple[Report, bool]:
    """Report a message that the user can read, or a user. Returns the report, and whether it is new.

    A message is reported once by each user, a user once at a time: a repetition is the same report, whatever its words.
    `admit` counts a new one; `shown` makes JSON of a message, which is kept as it stands now. Raises BadRequest
    (oneself, a reason that is no line of text), NotAMember, NotFound (no such message, or a deleted one), RateLimited.
    """
    report, is_new = _make(command, admit=admit, shown=shown, stores=stores, context=context)
    made = happened("report_made", f"made:{report.report_id}", **_about(report))
    tell_about(report.user_id, lambda: made, log=stores.log, context=context)
    return report, is_new


def _about(report: Report) -> dict[str, Any]:
    """What the team's backend is told of a report. What people wrote, and who, is read by its id."""
    place = {"conversation_id": report.conversation_id, "seq": report.seq}
    return {"report_id": report.report_id, "user_id": report.user_id, "reason": report.reason, **place}


def _make(
    command: NewReport, *, admit: Callable[[str], object], shown: Callable[..., str], stores: Stores, context: Context
) -> tuple[Report, bool]:
    if not is_label(command.reason):
        raise BadRequest("A report needs a reason, in one line")
    user_id, about, message = _subject(command, shown, stores)
    if user_id == command.reporter:
        raise BadRequest("Nobody reports what is their own")
    for turn in range(_MOST_TURNS):
        name = report_id(command.reporter, about, turn)
        there = stores.reports.get(name)
        if there is not None and (there.decision is None or command.seq is not None):
            return there, False
        if there is not None:
            continue
        admit(command.reporter)
        report = Report(
            report_id=name,
            reporter=command.reporter,
            user_id=user_id,
            reason=command.reason,
            comment=command.comment,
            created_at=context.now(),
            conversation_id=command.conversation_id,
            seq=command.seq,
            message=message,
        )
        return (report, True) if stores.reports.put(report) else (stores.reports.get(name) or report, False)
    raise Conflict("This user was reported often enough")


def _subject(command: NewReport, shown: Callable[..., str], stores: Stores) -> tuple[str, str, str | None]:
    """Who is reported, what by, and the message as it stands."""
    if command.conversation_id is None or command.seq is None:
        return command.user_id or "", f"@{command.user_id}", None
    entry = read_message(command.conversation_id, command.seq, user_id=command.reporter, stores=stores).entry
    if not entry.is_readable:
        raise NotFound("There is no message at this seq")
    return entry.sender_id, entry.message_id, shown(entry)


@dataclass(frozen=True, slots=True)
class ReportsQuestion:
    """Reports of this status, or all about one user, before a place; at most `limit`."""

    status: ReportStatus
    before: ReportPosition
    limit: int
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class ReportsPage:
    """Newest first. `next` is where the next page starts: None where there is nothing more."""

    reports: Sequence[Report]
    next: ReportPosition | None


def reports_page(asked: ReportsQuestion, *, stores: Stores) -> ReportsPage:
    """A page of the queue. One of reports about a user may be short, with a next page all the same."""
    most = asked.limit + 1
    if asked.user_id is None:
        found = list(stores.reports.listed(asked.status, before=asked.before, limit=most))
    else:
        found = list(stores.reports.about(asked.user_id, before=asked.before, limit=most))
    page = found[: asked.limit]
    after = page[-1].place if len(found) > asked.limit else None
    return ReportsPage([one for one in page if one.status == asked.status], after)


def report_of(name: str, *, stores: Stores) -> Report:
    """Raises NotFound."""
    report = stores.reports.get(name)
    if report is None:
        raise NotFound("There is no such report")
    return report


def decide_report(
    name: str, decision: Decision, *, stores: Stores, services: RestServices, context: Context
) -> tuple[Report, bool]:
    """Decide on a report, once, and do what was decided. Returns it, and whether a user was banned.

    The decision is kept first. Repeating it completes what died half-way; another one is a Conflict. Raises NotFound,
    and BadRequest for a ban that ends in the past, an end without a ban, and deleting what is no message.
    """
    report = report_of(name, stores=stores)
    _check(report, decision, is_new=report.decision is None)
    decided = stores.reports.decide(name, decision) or report
    made = decided.decision or decision
    if not made.is_same(decision):
        raise Conflict("This report was decided before")
    if made.verdict == DELETE and decided.conversation_id is not None and decided.seq is not None:
        removal = Removal(made.by, decided.conversation_id, decided.seq)
        remove_message(removal, stores=stores, services=services, context=context)
    is_ban = made.verdict == BAN and (made.until is None or made.until > context.now())
    if is_ban:
        ban = Ban(FOREVER if made.until is None else made.until, f"report {name}: {decided.reason}", made.at, made.by)
        ban_user(decided.user_id, ban, stores=stores, services=services, context=context)
    outcome = {"decision": made.verdict, "by": made.by, "until": made.until}
    told = happened("report_decided", f"decided:{name}", **_about(decided), **outcome)
    tell_about(decided.user_id, lambda: told, log=stores.log, context=context)
    return replace(decided, decision=made), is_ban


def _check(report: Report, decision: Decision, *, is_new: bool) -> None:
    if decision.verdict == DELETE and report.seq is None:
        raise BadRequest("This report is of a user: there is no message to delete")
    if decision.until is not None and decision.verdict != BAN:
        raise BadRequest("`until` is a ban's")
    if is_new and decision.until is not None and decision.until <= decision.at:
        raise BadRequest("`until` is in the future, or null for a ban without an end")
