"""Presence subscriptions in DynamoDB: a row for each watched user, and the list of them under the watcher."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from shared.adapters.dynamodb.client import TTL, MembersStore, Refused, batch_write, conditionally, to_item
from shared.adapters.dynamodb.memberships import rows_of
from shared.adapters.dynamodb.schema import PK, SK, WATCHING_PREFIX, watch_key, watching_key
from shared.clock import SECOND_MS
from shared.domain.connections import Watch
from shared.errors import Unavailable

_ATTEMPTS: Final = 8
_REVISION: Final = "revision"


class DynamoDbWatches(MembersStore):
    def replace(self, watcher: str, connection_id: str, users: Collection[str], *, expires_at: int) -> None:
        self._change(watcher, connection_id, users, expires_at)

    def prolong(self, watcher: str, connection_id: str, *, expires_at: int) -> None:
        self._change(watcher, connection_id, None, expires_at)

    def _change(self, watcher: str, connection_id: str, users: Collection[str] | None, expires_at: int) -> None:
        """What is watched from now on (None: what is), and until when. Nothing to write where that is nothing already.

        The rows first, and then the list, if it is still as read; if not, all of it again. So the rows of a change that
        succeeds were written after those of all that succeeded before, and one that was too late mends what it spoilt.
        """
        lifetime = {"expires_at": expires_at, TTL: expires_at // SECOND_MS + 1}
        written: set[str] = set()
        for attempt in range(_ATTEMPTS):
            listed, revision = self._listed(watcher, connection_id)
            wanted = listed if users is None else set(users)
            if users is None and not listed and not written:
                return
            deletes = [watch_key(user, connection_id) for user in sorted((listed | written) - wanted)]
            rows = [{**watch_key(user, connection_id), "watcher": watcher, **lifetime} for user in sorted(wanted)]
            puts = [{"PutRequest": {"Item": to_item(row)}} for row in rows]
            gone = [{"DeleteRequest": {"Key": to_item(key)}} for key in deletes]
            self._write([*gone, *puts])
            written |= wanted
            item = {**watching_key(watcher, connection_id), "users": sorted(wanted), **lifetime}
            unchanged = f"{_REVISION} = :read" if revision else f"attribute_not_exists({_REVISION})"
            values = {":read": revision} if revision else {}
            request = self._table.written({**item, _REVISION: revision + 1}, condition=unchanged, values=values)
            if not isinstance(conditionally(self._calls, "PutItem", request), Refused):
                return
            self._calls.pause(attempt)
        raise Unavailable

    def _listed(self, watcher: str, connection_id: str) -> tuple[set[str], int]:
        """Whom the connection watches, and how often that was changed."""
        item = self._table.get(watching_key(watcher, connection_id)) or {}
        return set(item.get("users", ())), item.get(_REVISION, 0)

    def of(self, user_id: str) -> Sequence[Watch]:
        items = self._table.query(f"{PK} = :watched", {":watched": watch_key(user_id, "")[PK]})
        return [Watch(user_id, item[SK], item["watcher"], item["expires_at"]) for item in items]

    def by(self, user_id: str) -> Sequence[Watch]:
        rows = rows_of(self._table, user_id, WATCHING_PREFIX)
        return [
            Watch(user, row[SK].removeprefix(WATCHING_PREFIX), user_id, row["expires_at"])
            for row in rows
            for user in row["users"]
        ]

    def remove(self, watch: Watch) -> None:
        self._table.delete(watch_key(watch.watched, watch.connection_id))

    def _write(self, requests: Sequence[dict[str, Any]]) -> None:
        batch_write(self._calls, self._table.name, requests)
