"""Where it is kept what administrators did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from shared.domain.audit import AuditPosition, AuditRow


class Audit(Protocol):
    """Rows that are only added, and go by themselves after the days that a deployment keeps them for."""

    def put(self, row: AuditRow, *, days: int) -> None:
        """Keep the row for that many days. Raises Unavailable where it may not be stored."""

    def of(self, *, since: int, before: AuditPosition, limit: int) -> Sequence[AuditRow]:
        """At most `limit` rows from `since` (ms) on and before that place, newest first: a query for each month.

        Strongly consistent: a row is seen by whoever asks after `put` has returned.
        """
