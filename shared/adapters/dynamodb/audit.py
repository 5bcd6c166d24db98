"""The audit in DynamoDB: a partition of the members table for each month, sorted by time."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from shared.adapters.dynamodb.client import TTL, Item, MembersStore
from shared.adapters.dynamodb.schema import PK, SK, audit_key, read_as
from shared.clock import DAY_MS, SECOND_MS
from shared.domain.audit import AuditPosition, AuditRow


class DynamoDbAudit(MembersStore):
    def put(self, row: AuditRow, *, days: int) -> None:
        self._table.put(audit_item(row, days=days))

    def of(self, *, since: int, before: AuditPosition, limit: int) -> Sequence[AuditRow]:
        rows: list[AuditRow] = []
        first, end = f"{since:016}", f"{before.at:016}#{before.nonce}"
        for month in _months(since, before.at):
            values = {":month": audit_key(month, 0, "")[PK], ":first": first, ":end": end}
            condition = f"{PK} = :month AND {SK} BETWEEN :first AND :end"
            # What `before` names itself is within, and left out below.
            found = self._table.query(condition, values, limit=limit - len(rows) + 1, backwards=True)
            rows += [read_as(AuditRow, item) for item in found if item[SK] < end]
            if len(rows) >= limit:
                break
        return rows[:limit]


def audit_item(row: AuditRow, *, days: int) -> Item:
    return {
        **audit_key(month_of(row.at), row.at, row.nonce),
        "at": row.at,
        "nonce": row.nonce,
        "by": row.by,
        "acting_as": row.acting_as,
        "method": row.method,
        "route": row.route,
        "arguments": dict(row.arguments),
        "request_id": row.request_id,
        TTL: (row.at + days * DAY_MS) // SECOND_MS,
    }


def month_of(at: int) -> str:
    """The month of a time (ms), like `2026-11`."""
    return time.strftime("%Y-%m", time.gmtime(at // SECOND_MS))


def _months(since: int, until: int) -> Iterator[str]:
    """Every month from that of `until` back to that of `since`."""
    (year, month, *_), first = time.gmtime(until // SECOND_MS), month_of(since)
    while (name := f"{year:04}-{month:02}") >= first:
        yield name
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
