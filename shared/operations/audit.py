"""The list of what administrators did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.domain.audit import AuditPosition, AuditRow
from shared.ports.stores import Stores

# Rows that one page looks at where it is of one user: they are found by looking.
MAX_LOOKED_AT: Final = 1_000


@dataclass(frozen=True, slots=True)
class AuditQuestion:
    """Rows from `since` (ms) on, before `before`; of one user, if one is named. At most `limit`."""

    since: int
    before: AuditPosition
    limit: int
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Newest first. `next` is where the next page starts: None where there is nothing more."""

    rows: Sequence[AuditRow]
    next: AuditPosition | None


def audit_page(asked: AuditQuestion, *, stores: Stores) -> AuditPage:
    """A page of the list. One of a single user may be short, or empty, with a next page all the same."""
    most = asked.limit + 1 if asked.user_id is None else MAX_LOOKED_AT
    looked_at = stores.audit.of(since=asked.since, before=asked.before, limit=most)
    found = [row for row in looked_at if asked.user_id is None or row.is_about(asked.user_id)]
    rows, last = found[: asked.limit], None
    if len(found) > asked.limit:
        last = rows[-1]
    elif len(looked_at) == most:
        last = looked_at[-1]
    return AuditPage(rows, None if last is None else AuditPosition(last.at, last.nonce))
