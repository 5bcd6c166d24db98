"""Reports in DynamoDB: a row by id with all of it, and rows that list it, by status and under whom it is about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.adapters.dynamodb import schema
from shared.adapters.dynamodb.client import Item, MembersStore, transact
from shared.adapters.dynamodb.schema import PK, SK, read_as
from shared.domain.reports import DECIDED, OPEN, Decision, Report, ReportPosition, ReportStatus

_NAMED = "report_id"
_IS_NEW = f"attribute_not_exists({PK})"


class DynamoDbReports(MembersStore):
    def put(self, report: Report) -> bool:
        whole = {"Put": self._table.written(report_item(report), condition=_IS_NEW)}
        return transact(self._calls, [whole, *map(self._listing, listing_keys(report))])

    def _listing(self, key: Item) -> dict[str, Any]:
        return {"Put": self._table.written({**key, _NAMED: key[SK].rpartition("#")[2]})}

    def get(self, report_id: str) -> Report | None:
        item = self._table.get(schema.report_key(report_id))
        return None if item is None else report_from(item)

    def listed(self, status: ReportStatus, *, before: ReportPosition, limit: int) -> Sequence[Report]:
        found = self._page(schema.reports_key(status, *before), "", limit)
        return [report for report in found if report.status == status]

    def about(self, user_id: str, *, before: ReportPosition, limit: int) -> Sequence[Report]:
        return self._page(schema.reported_key(user_id, *before), schema.REPORTED_PREFIX, limit)

    def _page(self, before: Item, prefix: str, limit: int) -> list[Report]:
        values = {":under": before[PK], ":first": prefix or " ", ":end": before[SK]}
        condition = f"{PK} = :under AND {SK} BETWEEN :first AND :end"
        # What `before` names itself is within, and left out.
        rows = self._table.query(condition, values, limit=limit + 1, backwards=True)
        names = [row[_NAMED] for row in rows if row[SK] < before[SK]][:limit]
        found = self._table.find(map(schema.report_key, names))
        return sorted(map(report_from, found), key=lambda one: one.place, reverse=True)

    def decide(self, report_id: str, decision: Decision) -> Report | None:
        report = self.get(report_id)
        if report is None or report.decision is not None:
            return report
        decided = self._table.changed(
            schema.report_key(report_id),
            "SET decision = :decision",
            {":decision": schema.said_by(decision)},
            condition="attribute_not_exists(decision)",
        )
        moved = {"Delete": self._table.deleted(schema.reports_key(OPEN, *report.place))}
        transact(self._calls, [{"Update": decided}, moved, self._listing(schema.reports_key(DECIDED, *report.place))])
        return self.get(report_id)  # by this call, or by another that was quicker


def listing_keys(report: Report) -> list[Item]:
    """Where a new report is listed."""
    places = report.place
    filed = schema.filed_key(report.reporter, *places)
    return [schema.reports_key(OPEN, *places), schema.reported_key(report.user_id, *places), filed]


def report_item(report: Report) -> Item:
    return {**schema.report_key(report.report_id), **schema.said_by(report), "decision": None}


def report_from(item: Item) -> Report:
    decision = item.get("decision")
    return read_as(Report, item, decision=None if decision is None else read_as(Decision, decision))
