"""Jobs in DynamoDB: a row for each user and kind, which the next job of the kind replaces. And legal holds."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from shared.adapters.dynamodb.client import TTL, USER_ID, Item, MembersStore, Refused, conditionally
from shared.adapters.dynamodb.schema import PK, STATUS, hold_key, job_key, read_as, said_by
from shared.clock import SECOND_MS
from shared.domain.holds import Hold
from shared.domain.jobs import RUNNING, Job, JobKind

# From the last step on. What an erasure found is read later than that only in an audit.
KEPT_S: Final = 400 * 24 * 3_600


class DynamoDbJobs(MembersStore):
    def get(self, kind: JobKind, user_id: str) -> Job | None:
        item = self._table.get(job_key(kind, user_id))
        return None if item is None else read_as(Job, item)

    def begin(self, job: Job, *, anew: bool = False) -> bool:
        if anew:
            return self._put(job, "", {})
        is_free = f"attribute_not_exists({PK}) OR #{STATUS} <> :running"
        return self._put(job, is_free, {":running": RUNNING})

    def save(self, job: Job) -> bool:
        is_next = "job_id = :id AND #step = :before"
        return self._put(job, is_next, {":id": job.job_id, ":before": job.step - 1})

    def touch(self, job: Job, *, now: int) -> bool:
        is_so = "job_id = :id AND updated_at = :before"
        values = {":id": job.job_id, ":before": job.updated_at, ":now": now}
        key = job_key(job.kind, job.user_id)
        return not isinstance(self._table.update(key, "SET updated_at = :now", values, condition=is_so), Refused)

    def _put(self, job: Job, condition: str, values: Item) -> bool:
        kept = {TTL: job.updated_at // SECOND_MS + KEPT_S}
        row = {**job_key(job.kind, job.user_id), **said_by(job), **kept}
        put = self._table.written(row, condition=condition, values=values)
        return not isinstance(conditionally(self._calls, "PutItem", put), Refused)


class DynamoDbHolds(MembersStore):
    def get(self, user_id: str) -> Hold | None:
        item = self._table.get(hold_key(user_id))
        return None if item is None else read_as(Hold, item)

    def among(self, names: Collection[str]) -> set[str]:
        found = self._table.find(map(hold_key, sorted(set(names))))
        return {item[USER_ID] for item in found}

    def put(self, hold: Hold) -> None:
        self._table.put({**hold_key(hold.user_id), **said_by(hold)})

    def remove(self, user_id: str) -> None:
        self._table.delete(hold_key(user_id))
