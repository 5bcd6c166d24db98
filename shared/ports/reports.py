"""Where it is kept what users report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shared.domain.reports import Decision, Report, ReportPosition, ReportStatus


class Reports(Protocol):
    """Reports, each found by its id, in the list of its status, and among those about one user."""

    def put(self, report: Report) -> bool:
        """Keep a new report, with its places in all lists, or nothing of it: False where there is one of this id."""

    def get(self, report_id: str) -> Report | None:
        """Strongly consistent."""

    def listed(self, status: ReportStatus, *, before: ReportPosition, limit: int) -> Sequence[Report]:
        """At most `limit` of this status from before that place, newest first: one query, and a call for each 100.

        Strongly consistent; one whose status changes in between may be left out.
        """

    def about(self, user_id: str, *, before: ReportPosition, limit: int) -> Sequence[Report]:
        """The same of the reports about one user, whatever their status."""

    def decide(self, report_id: str, decision: Decision) -> Report | None:
        """Keep what was decided of an open report, once. Returns it as it is then; None where there is none."""
